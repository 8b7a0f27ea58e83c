"""HRFP promotion against a search of the graph that its rule describes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.broadcast.promotion import Occurrence, counting_windows

OCCURRENCES = st.lists(st.tuples(st.sampled_from(["climat", "biodiversite"]), st.integers(0, 5), st.booleans()), max_size=12)


def counting(occurrences: list[Occurrence]) -> list[bool]:
    bits = counting_windows(occurrences)
    return [bool(bits[subject] >> window & 1) for subject, window, _ in occurrences]


def by_graph_search(occurrences: list[Occurrence]) -> list[bool]:
    """Walk from every hit along hits of its subject in the same or a neighbouring window until a direct one is met."""
    results = []
    for subject, window, hrfp in occurrences:
        seen, queue, found = {window}, [window], not hrfp
        while queue and not found:
            here = queue.pop()
            for other_subject, other, other_hrfp in occurrences:
                if other_subject == subject and abs(other - here) <= 1:
                    found = found or not other_hrfp
                    if other not in seen:
                        seen.add(other)
                        queue.append(other)
        results.append(found)
    return results


@settings(deadline=None)
@given(OCCURRENCES)
def test_equals_a_graph_search(occurrences: list[Occurrence]) -> None:
    assert counting(occurrences) == by_graph_search(occurrences)


@settings(deadline=None)
@given(OCCURRENCES, st.randoms())
def test_order_does_not_matter(occurrences: list[Occurrence], chance: object) -> None:
    shuffled = list(occurrences)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert counting_windows(occurrences) == counting_windows(shuffled)


def test_a_chain_reaches_five_windows_and_stops_at_a_gap() -> None:
    chain = [("climat", 0, False), *(("climat", window, True) for window in (1, 2, 3, 4))]
    assert counting(chain) == [True] * 5
    gap = [("climat", 0, False), ("climat", 1, True), ("climat", 3, True)]
    assert counting(gap) == [True, True, False]


def test_indirect_alone_and_other_subjects_do_not_promote() -> None:
    assert counting([("climat", 0, True), ("climat", 1, True)]) == [False, False]
    assert counting([("biodiversite", 0, False), ("climat", 0, True)]) == [True, False]
