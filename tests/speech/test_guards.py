"""What is not believed, and why; what people do say is."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.speech.guards import guarded, is_doubtful, loops, phrases_from_yaml
from climate_assets.speech.records import Segment
from resources.reference import ReferenceFiles
from tests.speech.hearings import heard, segment

PHRASES = ReferenceFiles().invented_phrases()
CREDITS = [
    "Sous-titrage Société Radio-Canada",
    "Sous-titres réalisés para la communauté d'Amara.org",
    "SOUS-TITRAGE ST' 501.",
    "Thanks for watching!",
    "Untertitelung des ZDF, 2019",
    "Subtítulos realizados por la comunidad de Amara.org",
    "Legendas pela comunidade Amara.org",
    "Napisy stworzone przez społeczność Amara.org",
    "Ondertiteling TV Gelderland 2023",
]


def _gate(one: Segment, speech: tuple[tuple[float, float], ...] = ((0.0, 60.0),)) -> str:
    return guarded(heard(one, speech=speech), PHRASES).segments[0].gate


@pytest.mark.parametrize(
    ("one", "gate"),
    [
        (segment("La température monte partout en France."), ""),
        (segment("La température monte", no_speech_prob=0.9), ""),
        (segment("La température monte", avg_logprob=-1.2), ""),
        (segment("La température monte", avg_logprob=-1.2, probability=0.3), "unsure words"),
        (segment("La température monte", no_speech_prob=0.7, avg_logprob=-1.1), "no speech"),
        (segment("La température monte", compression_ratio=2.5), "repeats itself"),
        (segment("non non non"), ""),
        (segment("et puis " * 4), "runs in a loop"),
        (segment("je le dis je le redis et je le dis encore"), ""),
        (segment("..."), "no words"),
        (segment("♪ ♪"), "no words"),
        (segment("un deux trois quatre cinq", end=0.4), "faster than speech"),
        (segment("un deux trois quatre cinq", end=0.0), "faster than speech"),
        (segment("oui", end=0.0), ""),
        (segment("Merci."), ""),
        (segment("Merci.", no_speech_prob=0.4), "courtesy over doubtful sound"),
        (segment("Merci.", avg_logprob=-0.8), "courtesy over doubtful sound"),
        (segment("Merci.", avg_logprob=-0.8, language="de"), ""),
    ],
)
def test_a_segment_says_why_it_is_not_believed(one: Segment, gate: str) -> None:
    assert _gate(one) == gate


@pytest.mark.parametrize("text", CREDITS)
@pytest.mark.parametrize("language", ["fr", "ja"])
def test_a_credit_alone_is_not_believed_in_any_language(text: str, language: str) -> None:
    assert _gate(segment(text, language=language)) == "subtitle credit"


@pytest.mark.parametrize("text", [*CREDITS, "Merci."])
def test_inside_a_sentence_no_phrase_is_suspicious(text: str) -> None:
    assert _gate(segment(f"Il a lu : {text} à la fin du film", no_speech_prob=0.4)) == ""


@pytest.mark.parametrize(
    ("speech", "gate"),
    [
        (((0.0, 9.0),), ""),
        ((), "no voice activity"),
        (((5.0, 9.0),), "no voice activity"),
        (((0.75, 9.0),), ""),
        (((0.95, 9.0),), "no voice activity"),
    ],
)
def test_words_without_voice_are_not_believed(speech: tuple[tuple[float, float], ...], gate: str) -> None:
    assert _gate(segment("La température monte", end=1.0), speech) == gate


def test_a_loop_over_many_sentences_is_found_and_what_stands_around_it_is_believed() -> None:
    texts = ["Bonsoir à tous.", *["Je vous remercie."] * 6, "Passons à la météo."]
    found = guarded(heard(*(segment(text, start=3.0 * n) for n, text in enumerate(texts))), PHRASES)
    assert [s.gate for s in found.segments] == ["", *["runs in a loop"] * 6, ""]


def test_a_reason_given_before_stands() -> None:
    assert _gate(segment("La température monte", gate="said so")) == "said so"


@given(
    st.lists(st.sampled_from(["Merci.", "oui oui oui oui oui oui oui oui", "...", "Il pleut.", "Sous-titrage FR"]), max_size=6)
)
def test_nothing_is_dropped_or_changed_and_a_second_pass_says_the_same(texts: list[str]) -> None:
    before = heard(*(segment(text, start=5.0 * n) for n, text in enumerate(texts)))
    once = guarded(before, PHRASES)
    assert [(s.text, s.words, s.start) for s in once.segments] == [(s.text, s.words, s.start) for s in before.segments]
    assert guarded(once, PHRASES) == once


@given(st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=60))
def test_loops_lie_in_the_words_and_do_not_overlap(words: list[bytes]) -> None:
    found = loops(words)
    assert all(0 <= each.start < each.stop <= len(words) and len(each) >= 8 for each in found)
    assert all(a.stop <= b.start for a, b in pairwise(found))


@pytest.mark.parametrize("size", [1, 3, 12])
def test_a_loop_of_any_length_is_found_whole(size: int) -> None:
    once = [f"w{n}".encode() for n in range(size)]
    assert loops([b"x", *once * 8, b"y"]) == [range(1, 1 + 8 * size)]


def test_a_failed_decoding_is_doubtful() -> None:
    assert not is_doubtful("Il pleut.", -0.3, 1.2)
    assert is_doubtful("Il pleut.", -1.1, 1.2)
    assert is_doubtful("Il pleut.", -0.3, 2.5)
    assert is_doubtful("il pleut " * 4, -0.3, 1.2)


def test_every_language_has_both_lists_and_other_text_is_another_version() -> None:
    assert set(PHRASES.courtesies) == {"fr", "en", "de", "es", "pt", "pl", "nl"}
    text = "fr: {credits: [Fin], courtesies: [Bon]}"
    assert phrases_from_yaml(text, "x").version != PHRASES.version
    assert phrases_from_yaml(text, "x") == phrases_from_yaml(text, "y")


@pytest.mark.parametrize(
    "text", ["", "fr: [", "fr: {credits: [a]}", "fr: {credits: a, courtesies: []}", "fr: {credits: [1], courtesies: []}", "- a"]
)
def test_another_shape_is_refused(text: str) -> None:
    with pytest.raises(Permanent, match=r"mine\.yaml"):
        phrases_from_yaml(text, "mine.yaml")
