"""The student learns the same from the same statements, never quotes what nobody said, and is as good as it says."""

import io
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score, roc_auc_score

import climate_assets
from climate_assets.broadcast.cleaning import BARRIER
from climate_assets.claims.quotes import locate
from climate_assets.claims.records import Category, Judgement
from climate_assets.claims.statements import Statement, statements_from_csv
from climate_assets.claims.student import Student, student_from_bytes, train, version_of
from climate_assets.claims.student_rehearsal import Rehearsal, rehearsals
from climate_assets.claims.student_training import near_twins
from climate_assets.claims.student_words import stretches
from climate_assets.claims.verdicts import HIGHEST_WITHOUT_CLAIM
from climate_assets.failures import Permanent
from tests.claims.hostile_transcripts import CALM, HOSTILE, Hostile

STATEMENTS = Path(climate_assets.__file__).parent / "reference" / "statements" / "french.csv"
HELD_OUT = Path(__file__).parent / "data" / "heldout_fr.csv"
REAL = Path(__file__).parents[3] / "shared" / "data" / "broadcast" / "fr_chunks.json"

CLAIM = "le réchauffement c' est le soleil et les volcans l' homme n' y est pour rien ce sont des cycles naturels"
REBUTTALS = (
    "alors non c' est faux et toutes les études des scientifiques disent le contraire",
    "je vous arrête ce que vous dites est inexact les mesures montrent exactement l' inverse",
    "une affirmation démentie par les climatologues et sans aucun fondement rappellent les chercheurs",
)


def read(path: Path) -> list[Statement]:
    return statements_from_csv(path.read_text(encoding="utf-8"), path.name)


@pytest.fixture(scope="module")
def shipped() -> list[Statement]:
    return read(STATEMENTS)


@pytest.fixture(scope="module")
def held_out() -> list[Statement]:
    return read(HELD_OUT)


@pytest.fixture(scope="module")
def student(shipped: list[Statement]) -> Student:
    return train(shipped)


@pytest.fixture(scope="module")
def few(shipped: list[Statement]) -> list[Statement]:
    """Statements enough for a quick training: up to 24 of each category and answer."""
    seen: dict[tuple[Category, bool], list[Statement]] = {}
    for statement in shipped:
        seen.setdefault((statement.category, statement.challenged), []).append(statement)
    return [s for group in seen.values() for s in group[:24]]


# --- the same from the same


def test_order_of_statements_changes_nothing(few: list[Statement]) -> None:
    mixed = random.Random(1).sample(few, len(few))
    assert version_of(mixed) == version_of(few)
    assert train(mixed).to_bytes() == train(few).to_bytes()


def test_version_names_statements_and_seed(few: list[Statement]) -> None:
    changed = replace(few[0], text=few[0].text + " voilà")
    assert len({version_of(few), version_of(few[1:]), version_of([changed, *few[1:]]), version_of(few, seed=2)}) == 4


def test_bytes_give_the_same_student_back(student: Student, held_out: list[Statement]) -> None:
    again = student_from_bytes(student.to_bytes())
    assert again.to_bytes() == student.to_bytes()
    assert (again.version, again.trained_on, again.languages, again.model) == (
        student.version,
        student.trained_on,
        ("french",),
        f"student-{student.version}",
    )
    assert [again.judge(s.text) for s in held_out[:20]] == [student.judge(s.text) for s in held_out[:20]]
    assert again.threshold(0.9) == student.threshold(0.9)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: b"not a student",
        lambda content: content[: len(content) // 2],
        lambda content: content[:2000] + bytes(64) + content[2064:],
        lambda content: _pickled(),
        lambda content: _archive(header=b"{}"),
        lambda content: _archive(header=b'{"format": 99}'),
    ],
    ids=["empty", "text", "cut", "overwritten", "pickle", "no fields", "other format"],
)
def test_bytes_that_are_no_student_are_refused(student: Student, spoil) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Permanent, match="train the student again"):
        student_from_bytes(spoil(student.to_bytes()))


def _pickled() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, header=np.array([{"format": 1}], dtype=object))
    return buffer.getvalue()


def _archive(header: bytes) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, header=np.frombuffer(header, np.uint8))
    return buffer.getvalue()


def test_a_weight_that_is_no_number_is_refused(student: Student) -> None:
    weights = student.heads.weights.copy()
    weights[0, 0] = np.nan
    spoiled = replace(student, heads=replace(student.heads, weights=weights))
    with pytest.raises(Permanent, match="not finite"):
        student_from_bytes(spoiled.to_bytes())


def test_weights_that_do_not_fit_the_vocabulary_are_refused(student: Student) -> None:
    spoiled = replace(student, heads=replace(student.heads, vocabulary=student.heads.vocabulary[1:]))
    with pytest.raises(Permanent, match="do not fit"):
        student_from_bytes(spoiled.to_bytes())


def test_too_few_statements_are_refused(shipped: list[Statement]) -> None:
    without = [s for s in shipped if s.category is not Category.OTHER]
    with pytest.raises(Permanent, match=r"8_others \(0\); write at least 10"):
        train(without)


def test_judging_imports_nothing_that_trains(student: Student, tmp_path: Path) -> None:
    (tmp_path / "student.npz").write_bytes(student.to_bytes())
    code = (
        "import sys; from pathlib import Path; from climate_assets.claims.student import student_from_bytes\n"
        f"student_from_bytes(Path({str(tmp_path / 'student.npz')!r}).read_bytes()).judge('il fait froid ce matin')\n"
        "print([name for name in ('sklearn', 'scipy', 'torch', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_near_twins_are_one_group(shipped: list[Statement]) -> None:
    twin = replace(shipped[0], text="voilà " + shipped[0].text)
    groups = near_twins([shipped[0], shipped[1], twin])
    assert groups[0] == groups[2] != groups[1]


# --- never quotes what nobody said


def consistent(judgement: Judgement, text: str) -> None:
    """What a judgement has to keep to become a verdict."""
    assert 0 <= judgement.score <= 10
    assert judgement.rationale
    if judgement.category is Category.NONE:
        assert (judgement.quote, judgement.challenged) == ("", False)
        assert judgement.score <= HIGHEST_WITHOUT_CLAIM
    else:
        assert judgement.score >= 1
        assert judgement.quote in " ".join(text.split())
        assert BARRIER not in judgement.quote
        assert locate(judgement.quote, text) is not None


SPOKEN = sorted({word for s in read(HELD_OUT) for word in s.text.split()})
WORDS = st.one_of(
    st.sampled_from(SPOKEN),
    st.sampled_from([BARRIER, BARRIER, "a¶b", "<b>climat</b>", "🔥🌍", "Σύννεφα", "2°C", "--", "l'", "réchauffement", "giec"]),
    st.text(min_size=1, max_size=8),
)
STATED = st.sampled_from([s.text for s in read(HELD_OUT)] + [CLAIM])


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(st.one_of(STATED, st.lists(WORDS, max_size=40).map(" ".join)), max_size=6))
def test_quotes_are_verbatim_and_never_cross_a_barrier(student: Student, parts: list[str]) -> None:
    text = " ".join(parts)
    judgement = student.judge(text)
    consistent(judgement, text)
    assert 0.0 <= student.probability(text) <= 1.0
    for stretch in text.split(BARRIER):
        if judgement.quote and judgement.quote in " ".join(stretch.split()):
            break
    else:
        assert not judgement.quote


def test_a_claim_is_found_quoted_and_named_among_neutral_talk(student: Student, shipped: list[Statement]) -> None:
    neutral = " ".join(s.text for s in shipped if s.kind == "weather")
    text = f"{neutral[:900]} {CLAIM} {CLAIM.replace('le réchauffement', 'le climat')} {neutral[900:1800]}"
    judgement = student.judge(text)
    assert judgement.category is Category.NOT_US
    assert judgement.score >= 6
    assert set(judgement.quote.split()) <= set(f"{CLAIM} climat".split())
    assert "humans are not the cause" in judgement.rationale
    assert any(cue in judgement.rationale for cue in ("soleil", "volcans", "cycles", "naturels", "homme"))


def test_a_barrier_hides_a_claim_that_only_adverts_would_join(student: Student) -> None:
    words = CLAIM.split()
    for at in range(4, len(words) - 4):
        quote = student.judge(" ".join([*words[:at], BARRIER, *words[at:]])).quote
        assert quote in " ".join(words[:at]) or quote in " ".join(words[at:])


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "¶", "¶ ¶", "non", "le climat", "🔥" * 50, "<script>", "\u202e\u200b", "''' --- '''"]
)
def test_what_says_nothing_is_nothing(student: Student, text: str) -> None:
    assert student.judge(text).category is Category.NONE
    assert student.judge(text).score == 0
    assert student.probability(text) == 0.0


def test_a_very_long_text_is_read(student: Student) -> None:
    text = " ".join(random.Random(0).choices(SPOKEN, k=10_000))
    consistent(student.judge(text), text)
    consistent(student.judge("a" * 1_000_000), "a" * 1_000_000)


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
def test_hostile_text_is_judged_as_words(student: Student, hostile: Hostile) -> None:
    judgement = student.judge(hostile.attacked)
    consistent(judgement, hostile.attacked)
    assert not set(judgement.rationale) & set("<>&\"'`{}|\u200b\u202d")
    if hostile.calm == CALM:
        assert judgement.score < 6


@pytest.mark.parametrize("mark", ["\u200b", "\u00ad", "\u2060", "\ufe0f", "\U000e0041"])
def test_invisible_marks_hide_no_claim(student: Student, mark: str) -> None:
    hidden = CLAIM.replace("soleil", f"so{mark}leil").replace("naturels", f"{mark}naturels{mark}")
    assert student.probability(hidden) == student.probability(CLAIM)


def test_words_keep_their_places_around_what_is_left_out() -> None:
    (first, second) = stretches("L' été 🔥 brûle ¶ ah\tbon ¶ ¶")
    assert (first.words, first.places) == (("l", "ete", "brule"), (0, 1, 3))
    assert (second.words, second.places) == (("ah", "bon"), (5, 6))


# --- contradicted or not


def test_a_contradicted_claim_scores_lower_than_its_twin(student: Student, held_out: list[Statement]) -> None:
    claims = [s.text for s in held_out if s.misleading]
    pairs = [
        (student.probability(f"{claim} {rebuttal}"), student.probability(claim)) for claim in claims for rebuttal in REBUTTALS
    ]
    lower = np.mean([rebutted < standing for rebutted, standing in pairs])
    print(f"rebutted twins scored lower: {lower:.2f} of {len(pairs)}")
    assert lower >= 0.82


@pytest.mark.parametrize("rebuttal", REBUTTALS)
def test_a_contradiction_counts_only_near_the_claim(student: Student, shipped: list[Statement], rebuttal: str) -> None:
    weather = " ".join([s.text for s in shipped if s.kind == "weather"][:6])
    claim = f"{CLAIM} {CLAIM}"
    near, far = f"{claim} {rebuttal} {weather}", f"{claim} {weather} {rebuttal}"
    assert student.judge(near).category is student.judge(far).category is Category.NOT_US
    assert student.probability(near) < 0.95 * student.probability(far)
    assert not student.judge(far).challenged


def test_contradicted_claims_never_seen_are_told_from_standing_ones(student: Student, held_out: list[Statement]) -> None:
    claims = [s for s in held_out if s.category is not Category.NONE]
    truth = np.array([s.challenged for s in claims])
    rank = [student.calibration.probabilities(student.heads.find(s.text))[1] for s in claims]
    called = np.array([student.judge(s.text).challenged for s in claims])
    print(
        f"held-out claims (n={len(claims)}, contradicted {truth.sum()}): contradiction auc {roc_auc_score(truth, rank):.3f}, "
        f"called challenged {called[truth].mean():.2f} of contradicted, {called[~truth].mean():.2f} of standing"
    )
    assert roc_auc_score(truth, rank) >= 0.88
    assert called[truth].mean() > called[~truth].mean()
    assert called[~truth].mean() <= 0.06


# --- as good as it says


def figures(name: str, labels: Sequence[bool], probabilities: Sequence[float]) -> dict[str, float]:
    said = [p >= 0.5 for p in probabilities]
    found = {
        "auc": float(roc_auc_score(labels, probabilities)),
        "pr_auc": float(average_precision_score(labels, probabilities)),
        "precision": float(precision_score(labels, said, zero_division=0)),
        "recall": float(recall_score(labels, said)),
        "f1": float(f1_score(labels, said)),
    }
    print(f"{name} (n={len(labels)}, positive {sum(labels)}): " + ", ".join(f"{k} {v:.3f}" for k, v in found.items()))
    return found


def test_statements_never_seen_are_told_apart(student: Student, held_out: list[Statement]) -> None:
    found = figures("held-out statements", [s.misleading for s in held_out], [student.probability(s.text) for s in held_out])
    assert found["f1"] >= 0.62
    assert found["auc"] >= 0.85
    assert found["pr_auc"] >= 0.78


def test_categories_never_seen_are_named(student: Student, held_out: list[Statement]) -> None:
    judged = [student.judge(s.text).category for s in held_out]
    truth = [s.category for s in held_out]
    right = float(np.mean([a is b for a, b in zip(judged, truth, strict=True)]))
    macro = float(f1_score(truth, judged, average="macro"))
    print(f"held-out categories: accuracy {right:.3f}, macro-F1 {macro:.3f}")
    assert right >= 0.68
    assert macro >= 0.57


def test_chunks_of_statements_never_seen_are_ranked(student: Student, held_out: list[Statement]) -> None:
    composed = list(rehearsals(held_out, 3, random.Random(5)))

    def stands(rehearsal: Rehearsal) -> bool:
        return rehearsal.claims and not rehearsal.challenged

    probabilities = [student.probability(r.text) for r in composed]
    found = figures("held-out rehearsal chunks", [stands(r) for r in composed], probabilities)
    sent = [p >= student.threshold(0.99) for p in probabilities]
    kept = np.mean([s for s, r in zip(sent, composed, strict=True) if stands(r)])
    passed = np.mean([s for s, r in zip(sent, composed, strict=True) if not stands(r)])
    print(f"at the threshold for recall 0.99: kept {kept:.3f}, negatives passing {passed:.3f}")
    assert found["auc"] >= 0.83
    assert kept >= 0.93


def test_cross_validated_figures_hold(student: Student) -> None:
    labels = [True] * len(student.positives) + [False] * len(student.negatives)
    found = figures("cross-validated rehearsal chunks", labels, [*student.positives, *student.negatives])
    for recall in (0.99, 0.95, 0.90, 0.80):
        print(f"recall {recall}: threshold {student.threshold(recall):.3f}, negatives passing {student.passing(recall):.3f}")
    assert found["auc"] >= 0.79
    assert found["pr_auc"] >= 0.77


@pytest.mark.parametrize("recall", [0.5, 0.8, 0.95, 0.99, 1.0])
def test_threshold_keeps_the_recall_it_is_asked_for(student: Student, recall: float) -> None:
    assert np.mean(student.positives >= student.threshold(recall)) >= recall
    assert student.passing(recall) <= student.passing(1.0) <= 1.0
    assert student.threshold(recall) >= student.threshold(1.0)


@pytest.mark.parametrize("recall", [0.0, -1.0, 1.01, float("nan")])
def test_a_recall_that_is_no_share_is_refused(student: Student, recall: float) -> None:
    with pytest.raises(ValueError, match="recall"):
        student.threshold(recall)


def test_a_neutral_chunk_seldom_scores_high(student: Student, held_out: list[Statement]) -> None:
    neutral = [r.text for r in rehearsals(held_out, 2, random.Random(7)) if not r.claims]
    high = np.mean([student.judge(text).score >= 6 for text in neutral])
    print(f"held-out neutral chunks with score >= 6: {high:.3f} of {len(neutral)}")
    assert high <= 0.08


@pytest.mark.skipif(not REAL.exists(), reason=f"{REAL.name} lies beside the project only where data is shared")
def test_real_chunks_seldom_score_high(student: Student) -> None:
    texts = [chunk["plaintext"] for chunk in json.loads(REAL.read_text(encoding="utf-8"))]
    judged = [student.judge(text) for text in texts]
    high = sum(j.score >= 6 for j in judged)
    sent = np.mean([student.probability(text) >= student.threshold(0.99) for text in texts])
    print(f"real chunks with score >= 6: {high} of {len(texts)}; above the threshold for recall 0.99: {sent:.2f}")
    for judgement, text in zip(judged, texts, strict=True):
        consistent(judgement, text)
    assert high <= 6
