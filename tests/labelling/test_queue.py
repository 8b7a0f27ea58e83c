"""Everything above the threshold, a fair slice below it, the most useful first."""

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.claims.records import Category, Verdict
from climate_assets.claims.sampling import AUDIT, SCORE, audit_slice
from climate_assets.claims.standing import InUse
from climate_assets.labelling.queue import Picked, queue, usefulness

THRESHOLD = 6
CATEGORIES = list(Category)


def judged(number: int, score: int, channel: str = "canal-un", category: Category | None = None) -> Verdict:
    day = date(2026, 11, 20)
    kind = category or CATEGORIES[1 + number % 8]
    identity = f"borealie/{channel}/2026-11-20T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z"
    return Verdict(
        identity, "borealie", day, channel, "m", "p", "student", score, kind, "", -1, 0, None, False, "", "0" * 64, "only"
    )


verdicts = st.lists(st.tuples(st.integers(0, 10), st.sampled_from(["canal-un", "canal-deux", "radio-nord"])), max_size=60).map(
    lambda rows: [judged(number, score, channel) for number, (score, channel) in enumerate(rows)]
)


@given(verdicts, st.integers(0, 10), st.floats(0, 1))
def test_all_above_and_some_below(all_of: list[Verdict], threshold: int, share: float) -> None:
    picks = queue(all_of, threshold, share)
    by_id = {v.chunk_id: v for v in all_of}
    assert len({p.chunk_id for p in picks}) == len(picks)
    assert {p.chunk_id for p in picks if p.sampling == SCORE} == {v.chunk_id for v in all_of if v.score >= threshold}
    assert all(by_id[p.chunk_id].score < threshold for p in picks if p.sampling == AUDIT)
    assert all(p.probability == (1.0 if p.sampling == SCORE else share) for p in picks)
    assert all(0 <= p.priority <= 1 for p in picks)
    assert [p.priority for p in picks] == sorted((p.priority for p in picks), reverse=True)


@given(verdicts, st.randoms())
def test_the_order_of_the_input_does_not_matter(all_of: list[Verdict], random: object) -> None:
    shuffled = list(all_of)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert queue(shuffled, THRESHOLD, 0.2) == queue(all_of, THRESHOLD, 0.2)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (1.0, 300)])
def test_the_ends_of_the_share(share: float, expected: int) -> None:
    below = [judged(number, number % 6) for number in range(300)]
    assert len(queue(below, THRESHOLD, share)) == expected


@pytest.mark.parametrize("share", [0.02, 0.05, 0.3])
@pytest.mark.parametrize("size", [1, 7, 40])
def test_each_chunk_has_the_stated_chance_whatever_the_size_of_its_stratum(share: float, size: int) -> None:
    picked = 0
    strata = 1500
    for number in range(strata):
        below = [judged(i, 1, f"c{number}") for i in range(size)]
        picked += len(queue(below, THRESHOLD, share))
    expected = strata * size * share
    # Each stratum rounds by one draw of its own, so the count varies by less than sqrt(strata) / 2; four of these are allowed.
    assert abs(picked - expected) < 4 * 0.5 * strata**0.5


def test_every_channel_and_band_gets_its_share() -> None:
    below = [judged(n, n % 6, f"canal-{n % 3}") for n in range(3600)]
    picks = {p.chunk_id for p in queue(below, THRESHOLD, 0.1)}
    strata = Counter((v.channel, v.score // 2) for v in below if v.chunk_id in picks)
    sizes = Counter((v.channel, v.score // 2) for v in below)
    assert set(strata) == set(sizes)
    assert all(abs(strata[key] - sizes[key] * 0.1) <= 1 for key in sizes)


def test_a_late_chunk_moves_at_most_one_audit_pick() -> None:
    below = [judged(n, 1) for n in range(200)]
    before = {p.chunk_id for p in queue(below, THRESHOLD, 0.05)}
    for late in range(200, 260):
        after = {p.chunk_id for p in queue([*below, judged(late, 1)], THRESHOLD, 0.05)}
        assert len(before - after) <= 1


def test_audit_picks_stand_among_the_others() -> None:
    all_of = [judged(n, 6 + n % 5) for n in range(100)] + [judged(n, n % 6) for n in range(100, 1100)]
    picks = queue(all_of, THRESHOLD, 0.1)
    places = [place for place, pick in enumerate(picks) if pick.sampling == AUDIT]
    assert 85 <= len(places) <= 115
    halves = Counter(place < len(picks) / 2 for place in places)
    assert min(halves.values()) > 25
    levels = [pick.priority for pick in picks if pick.sampling == SCORE]
    assert all(min(levels) <= pick.priority <= max(levels) for pick in picks)


@pytest.mark.parametrize("score", range(6, 10))
def test_severe_cases_are_more_useful(score: int) -> None:
    assert usefulness(score + 1, THRESHOLD) > usefulness(score, THRESHOLD)


def test_doubt_makes_up_for_part_of_the_severity() -> None:
    gain = usefulness(7, THRESHOLD) - usefulness(6, THRESHOLD)
    assert 0 < gain < 0.075
    assert usefulness(6, 6) > usefulness(6, 2)


def test_no_channel_and_category_fills_the_head_of_the_queue() -> None:
    flood = [judged(n, 10, "canal-un", Category.NOT_US) for n in range(50)]
    others = [judged(100 + n, 9, "radio-nord", kind) for n, kind in enumerate(CATEGORIES[1:])]
    head = queue([*flood, *others], THRESHOLD, 0.0)[:12]
    assert sum(p.chunk_id.startswith("borealie/radio-nord") for p in head) == len(others)


@settings(max_examples=30)
@given(verdicts)
def test_a_replay_gives_the_same_queue(all_of: list[Verdict]) -> None:
    first = queue(all_of, THRESHOLD, 0.1)
    assert first == queue(all_of, THRESHOLD, 0.1)
    assert all(isinstance(pick, Picked) for pick in first)


def test_nothing_in_nothing_out() -> None:
    assert queue([], THRESHOLD, 0.05) == []


OWN = {"student-1": 3, "student-2": 8, "never judged": 0}
MODELS = ["student-1", "student-2", "gateway"]
of_models = st.lists(st.tuples(st.integers(0, 10), st.sampled_from(MODELS)), max_size=60).map(
    lambda rows: [replace(judged(number, score), model=model) for number, (score, model) in enumerate(rows)]
)


@given(of_models, st.integers(0, 10), st.floats(0, 1))
def test_each_model_is_held_to_its_own_threshold(all_of: list[Verdict], threshold: int, share: float) -> None:
    picks = {p.chunk_id: p for p in queue(all_of, threshold, share, own=OWN)}
    flagged = InUse(thresholds=OWN).flagged
    assert {c for c, p in picks.items() if p.sampling == SCORE} == {v.chunk_id for v in all_of if flagged(v, threshold)}
    below = sorted((v for v in all_of if not flagged(v, threshold)), key=lambda v: v.chunk_id)
    assert {c for c, p in picks.items() if p.sampling == AUDIT} == {v.chunk_id for v in audit_slice(below, share)}
    assert all(p.probability == (1.0 if p.sampling == SCORE else share) for p in picks.values())
    assert all(0 <= p.priority <= 1 for p in picks.values())


@given(verdicts, st.integers(0, 10), st.integers(0, 10))
def test_one_model_with_its_own_threshold_is_asked_about_as_by_a_country_with_that_one(
    all_of: list[Verdict], country: int, own: int
) -> None:
    assert queue(all_of, country, 0.3, own={"m": own}) == queue(all_of, own, 0.3)
    assert queue(all_of, country, 0.3, own={"other": own}) == queue(all_of, country, 0.3)


@pytest.mark.parametrize(
    ("threshold", "own", "sampling"), [(6, {}, AUDIT), (6, {"m": 4}, SCORE), (2, {"m": 6}, AUDIT), (5, {}, SCORE)]
)
def test_the_chance_is_that_of_the_threshold_in_force(threshold: int, own: dict[str, int], sampling: str) -> None:
    [pick] = queue([judged(1, 5)], threshold, 1.0, own=own)
    assert pick.sampling == sampling


def test_a_score_is_as_close_as_it_is_to_its_own_models_threshold() -> None:
    both = [judged(1, 6, category=CATEGORIES[1]), replace(judged(2, 6, category=CATEGORIES[2]), model="student-1")]
    near, far = queue(both, 6, 0.0, own=OWN)
    assert (near.chunk_id, near.priority) == (both[0].chunk_id, usefulness(6, 6))
    assert (far.chunk_id, far.priority) == (both[1].chunk_id, usefulness(6, 3))
