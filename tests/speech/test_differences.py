"""How far two texts are apart: what counts as the same word, what the line shows, which words stand for which."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.speech.differences import Difference, Kind, difference

WORDS = [
    "l'",
    "eau",
    "l’eau",
    "20",
    "%",
    "pour",
    "cent",
    "2",
    "000",
    "2023",
    "GIEC",
    "Météo-France",
    "-",
    "…",
    "le",
    "a.",
    "[b]",
]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join) | st.text(max_size=40)


@pytest.mark.parametrize(
    ("source", "heard", "rate"),
    [
        ("", "", None),
        ("", "bonsoir", None),
        ("… -", "bonsoir", None),
        ("bonsoir", "", 1.0),
        ("le climat change", "le climat change", 0.0),
        ("Le climat change", "le climat, change !", 0.0),
        ("l' eau d' Évian", "L’eau d'Evian", 0.0),
        ("2 000 éoliennes", "2000 éoliennes", 0.0),
        ("12.000.000 d' euros", "12 000 000 d'euros", 0.0),
        ("en 2023 300 maires", "en 2023 300 maires", 0.0),
        ("en 2023 300 maires", "en 2023300 maires", 2 / 4),
        ("20 pour cent", "20 %", 0.0),
        ("20 per cent", "20%", 0.0),
        ("20 Prozent", "20 %", 0.0),
        ("1,5 degré", "1.5 degré", 0.0),
        ("CO₂ et CO2", "CO2 et CO₂", 0.0),
        ("le climat change", "le climat changé", 0.0),
        ("le climat change", "le climat", 1 / 3),
        ("le climat change", "le bon climat change", 1 / 3),
        ("le climat change", "le temps change", 1 / 3),
        ("oui", "non non non", 3.0),
    ],
)
def test_the_word_error_rate_counts_what_sounds_different(source: str, heard: str, rate: float | None) -> None:
    assert difference(source, heard).word_error_rate == (None if rate is None else pytest.approx(rate))


@pytest.mark.parametrize(
    ("source", "heard", "shown"),
    [
        ("le climat change", "Le climat change.", "Le climat change."),
        ("le climat change vite", "le temps change", "le [climat → temps] change [− vite]"),
        ("le climat", "le bon climat", "le [+ bon] climat"),
        ("l' eau monte", "l'air monte", "[l' eau → l'air] monte"),
        ("un deux", "trois", "[un deux → trois]"),
        ("dit [− non] <b>gras</b>", "dit [− non] <b>gras</b>", "dit (− non) ‹b›gras‹/b›"),
        ("a\u202eb", "a\u202eb", "a b"),
        ("", "seul", "[+ seul]"),
        ("seul", "", "[− seul]"),
        ("", "", ""),
    ],
)
def test_the_line_shows_both_texts(source: str, heard: str, shown: str) -> None:
    assert difference(source, heard).shown == shown


def test_a_quote_is_found_in_the_other_text() -> None:
    apart = difference(
        "hier le GIEC a dit que l' eau va monter de 2 mètres", "Hier le GIEC a bien dit : que l'eau va montrer de deux mètres."
    )
    found = apart.counterpart(range(2, 10))  # GIEC a dit que l' eau va monter
    assert found is not None
    assert " ".join(apart.heard[found.start : found.end]) == "GIEC a bien dit : que l'eau va montrer"
    assert found.agreement == pytest.approx(7 / 8)


@pytest.mark.parametrize(
    ("source", "heard", "words"),
    [
        ("un deux trois", "un trois", range(1, 2)),
        ("un deux", "", range(2)),
        ("un … deux", "un deux", range(1, 2)),
        ("un", "un", range(5, 9)),
    ],
)
def test_words_that_were_not_heard_have_no_counterpart(source: str, heard: str, words: range) -> None:
    assert difference(source, heard).counterpart(words) is None


def _covers(apart: Difference) -> bool:
    source = [word for run in apart.runs for word in apart.source[run.first : run.last]]
    heard = [word for run in apart.runs for word in apart.heard[run.start : run.end]]
    return source == list(apart.source) and heard == list(apart.heard)


@given(TEXTS, TEXTS)
def test_runs_cover_both_texts_in_order_and_keep_their_word(source: str, heard: str) -> None:
    apart = difference(source, heard)
    assert _covers(apart)
    for run in apart.runs:
        said, spoken = run.last - run.first, run.end - run.start
        assert run.kind is not Kind.REPLACED or (said and spoken)
        assert run.kind is not Kind.MISSING or (said and not spoken)
        assert run.kind is not Kind.ADDED or (spoken and not said)
    assert all((a.kind is Kind.EQUAL) != (b.kind is Kind.EQUAL) for a, b in pairwise(apart.runs))
    assert (apart.edits == 0) == all(run.kind is Kind.EQUAL for run in apart.runs)


@given(TEXTS)
def test_a_text_is_no_different_from_itself(text: str) -> None:
    apart = difference(text, text)
    assert apart.edits == 0
    assert apart.word_error_rate in (None, 0.0)
    for number in range(len(apart.source)):
        found = apart.counterpart(range(number, number + 1))
        assert found is None or found.start <= number < found.end


@given(TEXTS, TEXTS)
def test_edits_are_as_many_the_other_way_round(source: str, heard: str) -> None:
    assert difference(source, heard).edits == difference(heard, source).edits


@given(TEXTS, TEXTS)
def test_the_line_is_one_line_and_only_our_marks_look_like_marks(source: str, heard: str) -> None:
    apart = difference(source, heard)
    changed = sum(run.kind is not Kind.EQUAL for run in apart.runs)
    assert apart.shown.count("[") == apart.shown.count("]") == changed
    assert not set("<>\n\r\x1b\u2028\u202e") & set(apart.shown)


@given(TEXTS, TEXTS, st.integers(0, 14), st.integers(1, 14))
def test_a_counterpart_lies_in_the_heard_text_and_agrees_between_none_and_all(a: str, b: str, at: int, length: int) -> None:
    apart = difference(a, b)
    found = apart.counterpart(range(at, at + length))
    if found is not None:
        assert 0 <= found.start < found.end <= len(apart.heard)
        assert 0 <= found.agreement <= 1
