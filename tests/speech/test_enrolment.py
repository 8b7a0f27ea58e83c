"""What an enrolment needs, where a sample has speech, and what the two legacy layouts say."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.labelling.labelling_config import SPEAKERS
from climate_assets.speech.enrolment import (
    ROLES,
    SAMPLE_RATE,
    Enrolment,
    accepted,
    legacy_candidates,
    measured_refusal,
    refusals,
    speech_stretches,
)

TODAY = date(2026, 11, 20)
GOOD = Enrolment(
    "Claire Dumont", "politician", "Les Riverains", "GDPR art. 9(2)(e), assessment 2026-04", "debate", date(2027, 6, 30)
)


def test_roles_are_those_of_the_labelling_screen() -> None:
    assert set(ROLES) == set(SPEAKERS)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"name": "  "}, "NAME is empty"),
        ({"legal_basis": ""}, "--legal-basis is empty: write why"),
        ({"source": ""}, "--source is empty: write where"),
        ({"role": "minister"}, "'minister' is unknown: write one of journalist"),
        ({"expires_on": TODAY}, "not in the future: write a day after 2026-11-20, 2029-11-20 at the latest"),
        ({"expires_on": date(2029, 11, 21)}, "more than 3 years away: write 2029-11-20"),
        ({"name": "x" * 121}, "at most 120 printable characters"),
        ({"name": "Claire\x1b[2J"}, "printable"),
        ({"organisation": "a\nb"}, "printable"),
        ({"name": "Nobody"}, "means that there is none"),
        ({"name": "unknown"}, "means that there is none"),
    ],
)
def test_each_lack_is_refused_with_a_remedy(change: dict[str, Any], word: str) -> None:
    with pytest.raises(Permanent) as refusal:
        accepted(replace(GOOD, **change), TODAY)
    assert word in str(refusal.value)


def test_all_lacks_are_said_at_once() -> None:
    assert len(refusals(Enrolment("", "x", "", "", "", TODAY), TODAY)) == 5


def test_a_good_enrolment_is_accepted() -> None:
    assert accepted(GOOD, TODAY) == GOOD
    assert refusals(replace(GOOD, expires_on=date(2029, 11, 20)), TODAY) == []
    assert refusals(replace(GOOD, expires_on=date(2031, 2, 28)), date(2028, 2, 29)) == []


def sound(*parts: tuple[float, float]) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Noise of a level (0..1) for some seconds, part after part."""
    random = np.random.default_rng(1)
    return np.concatenate([random.normal(0, level * 8000, int(s * SAMPLE_RATE)).astype("<i2") for level, s in parts])


@pytest.mark.parametrize(
    ("pcm", "spans"),
    [
        (sound((0, 5)), []),
        (sound((0.0005, 5)), []),
        (np.zeros(0, "<i2"), []),
        (sound((1, 0.5)), []),
        (sound((1, 4), (0, 1), (1, 3)), [(0, 4), (5, 8)]),
        (sound((1, 4), (0.01, 1), (0.3, 3)), [(0, 4), (5, 8)]),
        (sound((1, 2), (0, 0.2), (1, 2)), [(0, 4.2)]),
        (sound((1, 12)), [(0, 4), (4, 8), (8, 12)]),
    ],
)
def test_stretches_of_a_sample_are_where_it_is_loud(pcm: Any, spans: list[tuple[float, float]]) -> None:
    found = speech_stretches(pcm)
    assert len(found) == len(spans)
    assert all(abs(a - b) < 0.07 for one, other in zip(found, spans, strict=True) for a, b in zip(one, other, strict=True))


@given(st.lists(st.integers(-32768, 32767), max_size=3000))
def test_any_samples_give_spans_inside_them(samples: list[int]) -> None:
    pcm = np.array(samples * 20, "<i2")
    for start, end in speech_stretches(pcm):
        assert 0 <= start < end <= len(pcm) / SAMPLE_RATE


ONE, NEAR, OTHER = [1.0, 0.0], [0.6, 0.8], [0.0, 1.0]


@pytest.mark.parametrize(
    ("samples", "word"),
    [
        ([[(3.0, ONE), (3.0, ONE)]], ""),
        ([[(3.0, ONE)], [(3.0, NEAR)]], ""),
        ([[(3.0, ONE), (2.0, ONE)]], "5.0 s of clean speech in the samples, 6 s are needed"),
        ([], "0.0 s"),
        ([[(7.0, ONE)]], "one stretch only"),
        ([[(3.0, ONE), (3.0, ONE), (3.0, OTHER)]], "sound like two people (0.00, 0.45 is needed)"),
        ([[(3.0, ONE), (3.0, OTHER)], [(3.0, ONE)]], "sound like two people"),
        ([[(3.0, ONE)], [(3.0, OTHER)]], "sound like two people"),
        # A short stretch says too little to be somebody else.
        ([[(3.0, ONE), (3.0, ONE), (2.3, OTHER)]], ""),
    ],
)
def test_what_was_measured_must_be_enough_and_of_one_voice(samples: Any, word: str) -> None:
    refusal = measured_refusal("Claire", samples)
    assert word in refusal
    assert bool(word) == bool(refusal)


def profile(name: Any) -> bytes:
    return json.dumps({"name": name, "created_at": "2026-01-18T10:00:00", "type": "person"}).encode()


@pytest.mark.parametrize("root", ["", "voice_bank/"])
def test_the_flat_layout_is_read(root: str) -> None:
    found, aside = legacy_candidates([f"{root}Claire_Dumont.wav", f"{root}Jean Petit.WAV", f"{root}readme.txt"], {})
    assert [(c.name, c.samples) for c in found] == [
        ("Claire Dumont", (f"{root}Claire_Dumont.wav",)), ("Jean Petit", (f"{root}Jean Petit.WAV",)),
    ]  # fmt: skip
    assert aside == [f"{root}readme.txt: neither <Name>.wav nor <user>/<person>/voice/sample.wav"]


@pytest.mark.parametrize("root", ["", "identity-bank/"])
def test_the_tree_layout_is_read(root: str) -> None:
    person = f"{root}default/9f2c"
    paths = [
        f"{person}/voice/sample.wav",
        f"{person}/profile.json",
        f"{person}/face/a.jpg",
        f"{root}default/77/voice/sample.wav",
    ]
    found, aside = legacy_candidates(paths, {f"{person}/profile.json": profile(" Claire  Dumont ")})
    assert [(c.name, c.samples) for c in found] == [("Claire Dumont", (f"{person}/voice/sample.wav",))]
    assert aside == [
        f"{root}default/77/voice/sample.wav: {root}default/77/profile.json is not there, and the name stands in it"
    ]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"{", "no JSON"),
        (b"[" * 50_000, "no JSON"),
        (b"[]", "no text under `name`"),
        (b'{"name": 7}', "no text under `name`"),
        (profile(""), "the name is empty"),
        (b" " * 70_000, "more than 65536 bytes"),
        (b"\xff\xfe\x00", "no JSON"),
    ],
)
def test_a_profile_that_says_no_name_is_left_aside(content: bytes, word: str) -> None:
    found, aside = legacy_candidates(["u/p/voice/sample.wav"], {"u/p/profile.json": content})
    assert found == []
    assert word in aside[0]


def test_a_name_that_comes_twice_is_enrolled_once() -> None:
    paths = ["a/1/voice/sample.wav", "b/2/voice/sample.wav"]
    found, aside = legacy_candidates(paths, {"a/1/profile.json": profile("Claire"), "b/2/profile.json": profile("claire")})
    assert [c.samples for c in found] == [("a/1/voice/sample.wav",)]
    assert "comes from a/1/voice/sample.wav already" in aside[0]


@given(st.lists(st.text(alphabet="ab/._ wavprofilejson", max_size=30), max_size=8), st.binary(max_size=30))
def test_any_listing_is_read_or_left_aside_with_a_reason(paths: list[str], content: bytes) -> None:
    found, aside = legacy_candidates(paths, dict.fromkeys(paths, content))
    assert all(c.name.strip() for c in found)
    assert len(found) + len(aside) <= len(paths)
