"""Pieces become written words, decodings become sentences; nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.speech.records import Word
from climate_assets.speech.stretches import sentences, written_words
from tests.speech.hearings import segment


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([" l", "'eau", " monte"], ["l'eau", "monte"]),
        ([" 1", ",5", " degré."], ["1,5", "degré."]),
        (["A", " b"], ["A", "b"]),
        ([" ", " a", "  "], ["a"]),
        ([" peut", "-être"], ["peut-être"]),
        ([" New York"], ["NewYork"]),
        ([], []),
    ],
)
def test_a_piece_without_a_space_goes_on_with_the_word_before(pieces: list[str], words: list[str]) -> None:
    timed = [Word(float(n), n + 0.9, piece, 1 - n / 10) for n, piece in enumerate(pieces)]
    assert [word.text for word in written_words(timed)] == words


def test_a_word_of_pieces_lasts_as_long_and_is_as_sure_as_its_least_sure() -> None:
    assert written_words([Word(1, 1.2, " l", 0.9), Word(1.2, 2, "'eau", 0.4)]) == (Word(1, 2, "l'eau", 0.4),)


def test_a_decoding_is_cut_at_ends_of_sentences() -> None:
    cut = list(sentences(segment("Il fait 1,5 degré. « Vraiment ? » Oui… La suite", avg_logprob=-0.4)))
    assert [s.text for s in cut] == ["Il fait 1,5 degré.", "« Vraiment ?", "» Oui…", "La suite"]
    assert all(s.avg_logprob == -0.4 and s.start == s.words[0].start and s.end == s.words[-1].end for s in cut)


def test_a_long_pause_ends_a_stretch() -> None:
    words = (Word(0, 0.5, "un", 1), Word(1.4, 2, "deux", 1), Word(3.1, 4, "trois", 1))
    one = segment("un deux trois")
    cut = sentences(type(one)(**{**{f: getattr(one, f) for f in one.__slots__}, "words": words}))
    assert [s.text for s in cut] == ["un deux", "trois"]


@given(st.lists(st.sampled_from(["un", "deux.", "trois !", "»", "…"]), max_size=20).map(" ".join))
def test_sentences_hold_every_word_once_in_order(text: str) -> None:
    one = segment(text)
    cut = list(sentences(one))
    assert [word for s in cut for word in s.words] == list(one.words)
    assert all(s.words and s.text == " ".join(word.text for word in s.words) for s in cut)
