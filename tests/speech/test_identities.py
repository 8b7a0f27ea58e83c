"""Who a speaker is taken for: near enough, clearly nearer than the next, one speaker a person, and a person's word first."""

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.speech.identities import MARGIN, THRESHOLD, Gallery, Measured, gallery, identities
from climate_assets.speech.records import Clip, Identity, SpeakerName, Voice, VoiceVector
from climate_assets.speech.voiceprints import cut, mean_voice, weight_of

TODAY = date(2026, 11, 20)
AT = datetime(2026, 11, 20, 6, tzinfo=UTC)
CLIP = Clip(
    "france/canal-un/2026-11-20T06:00:00Z", "france", TODAY, "canal-un", "french", AT, 0.0, 120.0,
    "climate-lake", "clips/x", "0" * 64, 1, "mp3", "mp3", 44100, 2, "export",
)  # fmt: skip
AXES = np.eye(6)


def voice(person: str, expires: date = date(2027, 11, 20), **changes: Any) -> Voice:
    details = {"name": person.title(), "role": "guest", "organisation": "", "legal_basis": "art. 9(2)(e)", "source": "archive"}
    return Voice(person_id=person, expires_on=expires, created_at=AT, updated_at=AT, **(details | changes))


def vector(person: str, values: Any, number: int = 0, quality: float = 1.0, model: str = "enc") -> VoiceVector:
    listed = [float(v) for v in values]
    return VoiceVector(person, "a" * 64, model, number, len(listed), quality, listed)


def bank(*vectors: VoiceVector, voices: list[Voice] | None = None, on: date = TODAY, model: str = "enc") -> Gallery:
    people = voices if voices is not None else [voice(p) for p in sorted({v.person_id for v in vectors})]
    return gallery(people, vectors, model=model, dimensions=6, on=on, version="v1")


def mix(**shares: float) -> tuple[float, ...]:
    """A unit vector whose cosine to axis x (a=0, b=1, ...) is what is given; the rest lies on the last axis."""
    found = np.zeros(6)
    for axis, share in shares.items():
        found["abcde".index(axis)] = share
    found[5] = np.sqrt(1 - (found**2).sum())
    return tuple(found)


def heard(label: str, *vectors: tuple[float, ...], seconds: float = 4.0) -> Measured:
    return Measured(label, vectors, (seconds,) * len(vectors))


def said(label: str, person: str | None) -> SpeakerName:
    return SpeakerName(CLIP.clip_id, label, person, "reader", AT)


ANNA, BERT = vector("anna", AXES[0]), vector("bert", AXES[1])


@pytest.mark.parametrize(
    ("speaker", "known", "decision", "person", "word"),
    [
        (heard("S0", mix(a=0.8)), bank(ANNA, BERT), "auto", "anna", "0.80"),
        (heard("S0", mix(a=THRESHOLD)), bank(ANNA), "auto", "anna", "0.50"),
        (heard("S0", mix(a=0.49)), bank(ANNA, BERT), "unknown", None, "below 0.50"),
        (heard("S0", mix(a=0.62, b=0.60)), bank(ANNA, BERT), "ambiguous", None, "closer than 0.05"),
        (heard("S0", mix(a=0.66, b=0.60)), bank(ANNA, BERT), "auto", "anna", ""),
        (heard("S0", mix(a=0.9), seconds=2.3), bank(ANNA), "unknown", None, "2.4 s are needed"),
        (heard("S0", mix(a=0.9), mix(a=0.8), seconds=1.2), bank(ANNA), "auto", "anna", ""),
        (heard("S0"), bank(ANNA), "unknown", None, "long enough to be measured"),
        (heard("S0", mix(a=0.9)), bank(), "unknown", None, "nobody enrolled"),
        (heard("S0", mix(a=0.9)), bank(ANNA, model="other"), "unknown", None, "by other"),
        (heard("S0", mix(a=0.9)), bank(ANNA, voices=[voice("anna", date(2026, 11, 19))]), "unknown", None, "nobody enrolled"),
        (heard("S0", mix(a=0.9)), bank(ANNA, voices=[voice("anna", TODAY)]), "auto", "anna", ""),
        (heard("S0", mix(a=0.9)), bank(ANNA, voices=[]), "unknown", None, "nobody enrolled"),
        (heard("S0", (float("nan"),) * 6, mix(a=0.9)), bank(ANNA), "auto", "anna", ""),
        (heard("S0", (0.0,) * 6), bank(ANNA), "unknown", None, "long enough"),
    ],
)  # fmt: skip
def test_a_speaker_is_named_only_when_near_and_clear(
    speaker: Measured, known: Gallery, decision: str, person: str | None, word: str
) -> None:
    [row] = identities(CLIP, [speaker], known)
    assert (row.decision, row.person_id) == (decision, person), row.reason
    assert word in row.reason
    assert (row.name, row.role) == (("Anna", "guest") if person else ("unknown", ""))
    assert (row.clip_id, row.country, row.day, row.bank) == (CLIP.clip_id, "france", TODAY, "v1")


def test_scores_are_the_cosines() -> None:
    [row] = identities(CLIP, [heard("S0", mix(a=0.8, b=0.3))], bank(ANNA, BERT))
    assert (row.score, row.second_score, row.margin) == (pytest.approx(0.8), pytest.approx(0.3), pytest.approx(0.5))
    assert (row.segments, row.seconds_used, row.model) == (1, 4.0, "enc")


def test_two_voices_under_one_label_are_not_named() -> None:
    mixed = heard("S0", mix(a=0.9), mix(a=0.9), mix(b=0.82), mix(b=0.82))
    [row] = identities(CLIP, [mixed], bank(ANNA, BERT))
    assert row.decision == "ambiguous"
    clear = heard("S0", mix(a=0.95), mix(a=0.95), mix(a=0.95), mix(b=0.6))
    assert identities(CLIP, [clear], bank(ANNA, BERT))[0].person_id == "anna"
    shared = heard("S0", mix(a=0.99), mix(a=0.99), mix(a=0.99), mix(a=0.45, b=0.5), mix(a=0.45, b=0.5))
    [row] = identities(CLIP, [shared], bank(ANNA, BERT))
    assert row.decision == "ambiguous"
    assert "two people under one label" in row.reason


def test_several_vectors_are_weighted_by_what_they_were_measured_on() -> None:
    known = bank(vector("anna", AXES[0], 0, 1.0), vector("anna", AXES[1], 1, 0.1))
    [row] = identities(CLIP, [heard("S0", tuple(AXES[0]))], known)
    assert row.score == pytest.approx(1 / np.sqrt(1.01), abs=1e-6)


@pytest.mark.parametrize(
    ("first", "second", "decisions"),
    [(0.9, 0.7, ["auto", "ambiguous"]), (0.7, 0.9, ["ambiguous", "auto"]), (0.80, 0.78, ["ambiguous", "ambiguous"])],
)
def test_one_person_is_one_speaker(first: float, second: float, decisions: list[str]) -> None:
    rows = identities(CLIP, [heard("S0", mix(a=first)), heard("S1", mix(a=second))], bank(ANNA, BERT))
    assert [r.decision for r in rows] == decisions
    assert all("one person, one speaker" in r.reason for r in rows if r.decision == "ambiguous")


def test_a_persons_word_stands_above_the_model() -> None:
    speakers = [heard("S0", mix(a=0.9)), heard("S1", mix(a=0.8)), heard("S2", mix(b=0.9))]
    rows = identities(CLIP, speakers, bank(ANNA, BERT), [said("S0", "bert"), said("S1", None), said("S9", "anna")])
    assert [(r.speaker, r.decision, r.person_id, r.name) for r in rows] == [
        ("S0", "human", "bert", "Bert"),
        ("S1", "human", None, "unknown"),
        ("S2", "ambiguous", None, "unknown"),
    ]
    assert "as a person said" in rows[2].reason


def test_a_persons_word_holds_without_a_model_and_after_the_last_day() -> None:
    people = [voice("anna", date(2026, 1, 1))]
    known = gallery(people, (), model="", dimensions=0, on=TODAY, version="")
    rows = identities(CLIP, [heard("S0"), heard("S1")], known, [said("S0", "anna"), said("S1", "carl")])
    assert [(r.decision, r.name) for r in rows] == [("human", "Anna"), ("unknown", "unknown")]
    assert "no longer in the voice bank" in rows[1].reason


def test_what_was_said_of_another_clip_is_not_meant() -> None:
    other = SpeakerName("another", "S0", None, "reader", AT)
    assert identities(CLIP, [heard("S0", mix(a=0.9))], bank(ANNA), [other])[0].decision == "auto"


def test_vectors_of_another_length_are_a_bug_and_no_match() -> None:
    with pytest.raises(ValueError, match="dimensions"):
        identities(CLIP, [Measured("S0", ((1.0, 0.0),), (4.0,))], bank(ANNA))


unit = st.lists(st.floats(-1, 1), min_size=6, max_size=6).filter(lambda v: sum(x * x for x in v) > 1e-3).map(tuple)
speakers = st.lists(st.tuples(st.lists(unit, min_size=0, max_size=4), st.floats(0.1, 6)), min_size=1, max_size=5)
enrolled = st.lists(st.lists(unit, min_size=1, max_size=3), min_size=0, max_size=4)


def built(found: Any, known: Any) -> tuple[list[Measured], list[VoiceVector]]:
    return (
        [Measured(f"S{n}", tuple(v), (s,) * len(v)) for n, (v, s) in enumerate(found)],
        [vector(f"p{n}", v, k, 0.5 + k / 8) for n, of in enumerate(known) for k, v in enumerate(of)],
    )


@given(speakers, enrolled, st.randoms())
def test_the_order_of_anything_changes_nothing(found: Any, known: Any, random: Any) -> None:
    heard_ones, vectors = built(found, known)
    rows = identities(CLIP, heard_ones, bank(*vectors))
    mixed = list(vectors)
    random.shuffle(mixed)
    again = []
    for speaker in heard_ones:
        pairs = list(zip(speaker.vectors, speaker.seconds, strict=True))
        random.shuffle(pairs)
        again.append(Measured(speaker.speaker, tuple(v for v, _ in pairs), tuple(s for _, s in pairs)))
    random.shuffle(again)
    assert identities(CLIP, again, bank(*mixed)) == rows


@given(speakers, enrolled, st.dictionaries(st.integers(0, 4), st.sampled_from(["p0", "p1", None])))
def test_nobody_is_named_twice_by_a_model_nor_without_reason(found: Any, known: Any, words: dict[int, str | None]) -> None:
    heard_ones, vectors = built(found, known)
    rows = identities(CLIP, heard_ones, bank(*vectors), [said(f"S{n}", p) for n, p in words.items()])
    assert [r.speaker for r in rows] == [s.speaker for s in heard_ones]
    auto = [r.person_id for r in rows if r.decision == "auto"]
    assert len(auto) == len(set(auto))
    assert not set(auto) & {r.person_id for r in rows if r.decision == "human"}
    for row in rows:
        assert row.decision in ("auto", "ambiguous", "unknown", "human")
        assert bool(row.person_id) == (row.name != "unknown")
        assert row.reason
        if row.decision == "auto":
            assert row.score is not None
            assert row.score >= THRESHOLD
            assert row.margin is None or row.margin >= MARGIN


@given(speakers, enrolled)
def test_nothing_matches_without_vectors_of_the_model_or_after_the_last_day(found: Any, known: Any) -> None:
    heard_ones, vectors = built(found, known)
    others = [vector(v.person_id, v.vector, v.number, model="other") for v in vectors]
    late = [voice(v.person_id, TODAY) for v in vectors]
    for known_ in (bank(*others), bank(*vectors, voices=late, on=date(2026, 11, 21))):
        rows: list[Identity] = identities(CLIP, heard_ones, known_)
        assert {r.decision for r in rows} == {"unknown"}
        assert {r.score for r in rows} == {None}


@given(st.lists(st.tuples(unit, st.floats(0, 1)), max_size=6))
def test_a_mean_voice_has_length_one(parts: Any) -> None:
    mean = mean_voice([v for v, _ in parts], [w for _, w in parts])
    assert mean is None or np.linalg.norm(mean) == pytest.approx(1)


@pytest.mark.parametrize(("seconds", "weight"), [(-1, 0), (0, 0), (1.5, 0.5), (3, 1), (60, 1), (float("nan"), 0)])
def test_weight_is_full_at_three_seconds(seconds: float, weight: float) -> None:
    assert weight_of(seconds) == weight


@pytest.mark.parametrize(
    ("spans", "stretches"),
    [
        ([(0, 0.5), (1, 1.7)], []),
        ([(10, 22), (0, 3)], [(0, 3), (10, 14), (14, 18), (18, 22)]),
        ([(0, 5)], [(0, 5)]),
        ([(0, 5.2)], [(0, 2.6), (2.6, 5.2)]),
        ([], []),
    ],
)
def test_spans_are_cut_into_equal_stretches(spans: Any, stretches: Any) -> None:
    assert cut(spans) == stretches


def test_of_too_many_stretches_the_longest_stay() -> None:
    kept = cut([(n * 10.0, n * 10.0 + 1 + n / 20) for n in range(40)])
    assert [start for start, _ in kept] == [n * 10.0 for n in range(16, 40)]
