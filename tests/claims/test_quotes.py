"""Where a quote stands: word by word, never across a hole, never in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.claims.quotes import locate

TEXT = "alors l' eau monte c'est vrai mais ¶ le peut-être 20 % des Œuvres coûtent cher l'État paie"


@pytest.mark.parametrize(
    ("quote", "place"),
    [
        ("l' eau monte", (1, 3)),
        ("l’eau monte", (1, 3)),
        ("L'EAU MONTE,", (1, 3)),
        ("« l eau monte »", (1, 3)),
        ("c'est vrai mais", (4, 3)),
        ("C EST VRAI", (4, 2)),
        ("le peut être 20", (8, 3)),
        ("peut-être 20% des œuvres", (9, 5)),
        ("des oeuvres coutent cher", (12, 4)),
        ("cher l'etat paie", (15, 3)),
        ("so\u200bit vr\u00adai mais", None),
        ("l'e\u200bau mo\u00adnte", (1, 3)),
        ("vrai mais le peut-être", None),
        ("vrai mais ¶ le", None),
        ("alors l'eau ... c'est vrai", None),
        ("alors l'eau […] monte", (0, 4)),
        ("l'eau monte beaucoup", None),
        ("eau monte", None),
        ("eau mont", None),
        ("", None),
        ("...", None),
        ("¶", None),
        ("monte l'eau c'est", None),
    ],
)
def test_place_of_a_quote(quote: str, place: tuple[int, int] | None) -> None:
    assert locate(quote, TEXT) == place


@pytest.mark.parametrize(("text", "place"), [("il ment", (0, 2)), ("il ment toujours", None), ("¶ il ment", None)])
def test_a_short_quote_counts_only_as_the_whole_text(text: str, place: tuple[int, int] | None) -> None:
    assert locate("Il ment !", text) == place


def test_the_first_of_two_places_is_taken() -> None:
    assert locate("le soleil explique", "oui le soleil explique non le soleil explique") == (1, 3)


def test_a_part_of_a_word_is_not_a_word() -> None:
    assert locate("art de vivre", "le départ de vivre ailleurs") is None


_WORDS = st.lists(
    st.sampled_from(["l'", "eau", "l'eau", "peut-être", "été", "monte", "¶", "20", "%", "!", "cœur"]), min_size=4, max_size=40
)


@given(_WORDS, st.data())
def test_words_of_the_text_are_found_where_they_stand(words: list[str], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(words) - 3))
    last = data.draw(st.integers(first + 3, len(words)))
    quote = " ".join(words[first:last])
    place = locate(quote, " ".join(words))
    if place is None:
        assert "¶" in quote or sum(w not in "%!" for w in words[first:last]) < 3
    else:
        at, count = place
        assert at <= max(first, last)
        found = locate(" ".join(words[at : at + count]), " ".join(words))
        assert found == place
        assert "¶" not in words[at : at + count]


def test_a_long_text_of_one_word_takes_no_time() -> None:
    assert locate("la la la lo", "la " * 200_000 + "fin") is None
