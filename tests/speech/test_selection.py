"""What is heard again: the limit keeps the random slice's share, and nothing is lost between chosen and over."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from climate_assets.claims.records import Verdict
from climate_assets.claims.sampling import audit_slice
from climate_assets.claims.standing import InUse
from climate_assets.speech.selection import selection


def verdict(number: int, score: int) -> Verdict:
    chunk = f"borealie/canal-un/2026-11-20T06:{number // 60:02}:{number % 60:02}Z"
    return Verdict(
        chunk, "borealie", date(2026, 11, 20), "canal-un", "m", "p", "student", score, "8_others", "q", 0, 1, 1.0, False, "r",
        "sha", "only",
    )  # fmt: skip


SCORES = st.lists(st.integers(0, 10), max_size=60)


@given(SCORES, st.integers(0, 10), st.floats(0, 1), st.none() | st.integers(0, 30))
def test_every_wanted_chunk_is_chosen_or_over(scores: list[int], threshold: int, share: float, limit: int | None) -> None:
    verdicts = [verdict(n, s) for n, s in enumerate(scores)]
    found = selection(verdicts, threshold, share, limit)
    audit = audit_slice([v for v in sorted(verdicts, key=lambda v: v.chunk_id) if v.score < threshold], share)
    wanted = {v.chunk_id for v in verdicts if v.score >= threshold} | {v.chunk_id for v in audit}
    ids = [v.chunk_id for v in (*found.chosen, *found.over)]
    assert len(ids) == len(set(ids))
    assert set(ids) == wanted
    assert limit is None or len(found.chosen) == min(limit, len(wanted))


@given(SCORES, st.randoms())
def test_the_order_of_verdicts_does_not_matter(scores: list[int], random: object) -> None:
    verdicts = [verdict(n, s) for n, s in enumerate(scores)]
    mixed = list(verdicts)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert selection(mixed, 5, 0.2, 7) == selection(verdicts, 5, 0.2, 7)


def test_the_most_severe_are_heard_first_and_the_slice_keeps_its_share() -> None:
    verdicts = [verdict(n, 9 if n == 3 else 7) for n in range(20)] + [verdict(100 + n, 1) for n in range(20)]
    found = selection(verdicts, 6, 1.0, 10)
    assert found.chosen[0].score == 9
    assert [v.score >= 6 for v in found.chosen].count(False) == 5


OWN = {"student-1": 3, "student-2": 8}
OF_MODELS = st.lists(st.tuples(st.integers(0, 10), st.sampled_from(["student-1", "student-2", "gateway"])), max_size=60).map(
    lambda rows: [replace(verdict(n, score), model=model) for n, (score, model) in enumerate(rows)]
)


@given(OF_MODELS, st.integers(0, 10), st.floats(0, 1), st.none() | st.integers(0, 30))
def test_what_is_heard_is_what_people_are_asked_about(
    verdicts: list[Verdict], threshold: int, share: float, limit: int | None
) -> None:
    found = selection(verdicts, threshold, share, limit, own=OWN)
    both = (*found.chosen, *found.over)
    flagged = InUse(thresholds=OWN).flagged
    below = sorted((v for v in verdicts if not flagged(v, threshold)), key=lambda v: v.chunk_id)
    wanted = [v for v in verdicts if flagged(v, threshold)] + audit_slice(below, share)
    assert sorted(v.chunk_id for v in both) == sorted(v.chunk_id for v in wanted)
    severe = [v.score for v in both if flagged(v, threshold)]
    assert severe == sorted(severe, reverse=True)


@given(SCORES, st.integers(0, 10), st.integers(0, 10), st.none() | st.integers(0, 30))
def test_one_model_with_its_own_threshold_is_heard_as_by_a_country_with_that_one(
    scores: list[int], country: int, own: int, limit: int | None
) -> None:
    verdicts = [verdict(n, s) for n, s in enumerate(scores)]
    assert selection(verdicts, country, 0.2, limit, own={"m": own}) == selection(verdicts, own, 0.2, limit)
    assert selection(verdicts, country, 0.2, limit, own={"other": own}) == selection(verdicts, country, 0.2, limit)
