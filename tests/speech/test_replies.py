"""Who answers a quote, and which words contradict it; agreement that begins with a no is none."""

import pytest

from climate_assets.countries import LANGUAGES
from climate_assets.failures import Permanent
from climate_assets.speech.fusion import SpokenWord
from climate_assets.speech.replies import NOBODY, Cues, Reply, contradiction, cues_from_yaml, cues_of, reply
from resources.reference import ReferenceFiles

A, B, C = "SPEAKER_00", "SPEAKER_01", "SPEAKER_02"
CUES = ReferenceFiles().contradictions()


@pytest.mark.parametrize(
    ("language", "said", "cue"),
    [
        ("french", "Non, c'est faux.", "c'est faux."),
        ("french", "Je vous arrête tout de suite", "Je vous arrête"),
        ("french", "Non ! Regardez les mesures", "Non !"),
        ("french", "Non non regardez les mesures", "Non"),
        ("french", "C'est pas vrai du tout", "C'est pas vrai"),
        ("french", "je ne suis pas d'accord avec vous", "pas d'accord"),
        ("french", "Les mesures prouvent le contraire", "prouvent le contraire"),
        ("french", "Non, c'est vrai.", ""),
        ("french", "Non, non, vous avez raison", ""),
        ("french", "C'est pas faux", ""),
        ("french", "Non mais c'est pas faux", ""),
        ("french", "ce n'est pas faux, en effet", ""),
        ("french", "je ne dis pas que c'est faux", ""),
        ("french", "Non, c'est vrai, mais pour le reste, c'est faux.", "c'est faux."),
        ("french", "non seulement il fait chaud", ""),
        ("french", "oui je suis d'accord", ""),
        ("french", "Oui, non, enfin", ""),
        ("french", "faussement modeste", ""),
        ("english", "No, that's wrong, the data say so", "that's wrong,"),
        ("english", "No, you're right about that", ""),
        ("english", "no idea what you mean", ""),
        ("english", "That's not wrong", ""),
        ("english", "I don't disagree with that", ""),
        ("english", "I have to disagree here", "I have to disagree"),
        ("german", "Nein, das stimmt nicht.", "stimmt nicht."),
        ("german", "Nein, das stimmt.", ""),
        ("german", "Doch! Seit fünfzig Jahren", "Doch!"),
        ("german", "doch noch etwas anderes", ""),
        ("german", "da muss ich Ihnen widersprechen", "da muss ich Ihnen widersprechen"),
        ("german", "Das ist nicht falsch", ""),
        ("spanish", "No, eso no es cierto", "no es cierto"),
        ("spanish", "No, es verdad", ""),
        ("spanish", "no es falso lo que dice", ""),
        ("spanish", "no lo sé", ""),
        ("spanish", "Se equivoca usted", "Se equivoca"),
        ("portuguese", "Não, isso não é verdade", "não é verdade"),
        ("portuguese", "Não, é verdade", ""),
        ("portuguese", "Eu discordo totalmente", "Eu discordo"),
        ("portuguese", "não discordo de você", ""),
        ("polish", "Nie, to nieprawda", "to nieprawda"),
        ("polish", "Nie zgadzam się z panem", "Nie zgadzam się"),
        ("polish", "Nie, ma pan rację", ""),
        ("polish", "nie wiem co powiedzieć", ""),
        ("polish", "pan się nie myli", ""),
        ("dutch", "Nee, dat klopt niet.", "dat klopt niet."),
        ("dutch", "Nee, dat klopt.", ""),
        ("dutch", "daar ben ik het niet mee eens", "niet mee eens"),
        ("dutch", "dat is geen onzin", ""),
        ("french", "", ""),
        ("french", "... --> <b>", ""),
    ],
)
def test_words_that_contradict(language: str, said: str, cue: str) -> None:
    assert contradiction(said.split(), CUES[language]) == cue


def test_every_language_of_a_country_has_cues_and_every_cue_can_be_found() -> None:
    assert set(CUES) == set(LANGUAGES)
    for cues in CUES.values():
        assert cues.contradictions
        assert cues.openings
        assert cues.agreements
        for phrase in cues.contradictions:
            assert contradiction([token.decode() for token in phrase], cues), phrase
        for phrase in cues.agreements:
            assert not contradiction([token.decode() for token in phrase], cues), phrase
        for phrase in cues.openings:
            assert contradiction([*(token.decode() for token in phrase), ",", "je"], cues), phrase


def stream(*parts: tuple[float, str, str]) -> list[SpokenWord]:
    """Words of speakers, half a second each, from the given seconds on."""
    return [
        SpokenWord(start + n / 2, start + n / 2 + 0.5, text, 0, speaker)
        for start, speaker, said in parts
        for n, text in enumerate(said.split())
    ]


QUOTE = (0.0, A, "le climat n'a jamais changé par l'homme")  # until 3.5 s


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([QUOTE, (4, B, "Non, c'est faux.")], Reply(B, "c'est faux.")),
        ([QUOTE, (4, B, "merci pour votre réponse")], Reply(B)),
        # Listening is no answer; who says more is.
        ([QUOTE, (4, B, "oui oui"), (6, C, "je vous remercie")], Reply(C)),
        # A contradiction may be short.
        ([QUOTE, (4, B, "C'est faux.")], Reply(B, "C'est faux.")),
        # The same speaker going back on it, or contradicting somebody else, is no challenge.
        ([QUOTE, (4, A, "enfin non, c'est faux ce que je dis")], NOBODY),
        ([QUOTE, (4, A, "Non, c'est faux."), (6, B, "passons à la météo")], Reply(B)),
        # It interrupts the quote.
        ([(0, A, "le climat n'a"), (1.5, B, "C'est faux !"), (2.5, A, "jamais changé")], Reply(B, "C'est faux")),
        # Said before the quote, or more than 30 s after it.
        ([(-4, B, "Non, c'est faux."), QUOTE], NOBODY),
        ([QUOTE, (33, B, "Non, c'est faux.")], Reply(B, "c'est faux.")),
        ([QUOTE, (33.6, B, "Non, c'est faux.")], NOBODY),
        # The one who answers contradicts later; a third one does not speak for him.
        ([QUOTE, (4, B, "attendez une seconde"), (6, A, "oui"), (7, B, "C'est faux.")], Reply(B, "C'est faux.")),
        ([QUOTE, (4, B, "merci pour cela"), (6, C, "Non, c'est faux.")], Reply(B)),
        # Whom nobody knows may be the same speaker.
        ([QUOTE, (4, "unknown", "Non, c'est faux.")], NOBODY),
        ([QUOTE], NOBODY),
        ([], NOBODY),
    ],
)
def test_who_answers(parts: list[tuple[float, str, str]], expected: Reply) -> None:
    assert reply(stream(*parts), A, 0.0, 3.5, CUES["french"]) == expected


def test_nobody_answers_an_unknown_speaker() -> None:
    words = stream((0, "unknown", "le climat change"), (2, B, "Non, c'est faux."))
    assert reply(words, "unknown", 0.0, 1.5, CUES["french"]) == NOBODY


def test_two_languages_share_their_cues_and_an_unknown_one_has_none() -> None:
    both = cues_of(["french", "english"], CUES)
    assert contradiction(["that's", "wrong"], both)
    assert contradiction(["c'est", "faux"], both)
    assert cues_of(["klingon", ""], CUES) == Cues()
    assert reply(stream(QUOTE, (4, B, "Non, c'est faux.")), A, 0, 3.5, Cues()) == Reply(B)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: [", "no YAML"),
        ("", "no languages"),
        ("- a", "no languages"),
        ("french: 3", "expected only"),
        ("french: {shouts: [a]}", "expected only"),
        ("french: {openings: non}", "a list"),
        ("french: {openings: [no]}", "in quotes"),
        ("french: {openings: ['!']}", "1 to 8 words"),
        ("french: {openings: [a b c d e f g h i]}", "1 to 8 words"),
        ("french: {openings: [" + "a," * 301 + "]}", "at most 300"),
    ],
)
def test_a_mistake_in_the_file_is_refused_with_its_place(text: str, what: str) -> None:
    with pytest.raises(Permanent, match=what) as caught:
        cues_from_yaml(text, "cues.yaml")
    assert "cues.yaml" in str(caught.value)
