"""Keyword hits: worked cases, then properties against a slow reference that reads the rule word by word."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.broadcast import keywords
from climate_assets.broadcast.dictionaries import Dictionary, Entry, dictionary_of
from climate_assets.broadcast.folding import folded
from climate_assets.broadcast.inflection import variants
from climate_assets.broadcast.keywords import Matcher
from climate_assets.broadcast.records import Chunk, KeywordHit, Theme
from climate_assets.failures import Permanent
from tests.broadcast.spoken import chunk

CLIMATE = Theme.CLIMATE_STATEMENT


def matcher(*words: str, language: str = "french") -> Matcher:
    return Matcher(dictionary_of(language, (Entry(word, CLIMATE) for word in words)))


def said(hits: list[KeywordHit]) -> list[tuple[str, int, int]]:
    return [(hit.keyword, hit.word, hit.words) for hit in hits]


@pytest.mark.parametrize(
    ("words", "text", "expected"),
    [
        (["bus"], "propos abusifs des bus", [("bus", 3, 1)]),
        (["terre"], "de terre-neuve", []),
        (["terre"], "de terre neuve", [("terre", 1, 1)]),
        (["submersion"], "les vagues-submersion", [("submersion", 1, 1)]),
        (["terre-neuve"], "terre-neuve et terre neuve", [("terre-neuve", 0, 1), ("terre-neuve", 2, 2)]),
        (["l'eau"], "l' eau et l'eau ou l’EAU", [("l'eau", 0, 2), ("l'eau", 3, 1), ("l'eau", 5, 1)]),
        (["eau"], "l'eau et l' eau", [("eau", 0, 1), ("eau", 3, 1)]),
        (["gaz à effet de serre"], "des GAZ A EFFETS de serre", [("gaz à effet de serre", 1, 5)]),
        (["corail"], "les coraux", [("corail", 1, 1)]),
        (["journal"], "des journaux", [("journal", 1, 1)]),
        (["cœur", "œuf"], "coeur cœurs oeufs", [("cœur", 0, 1), ("cœur", 1, 1), ("œuf", 2, 1)]),
        (["climat"], "le climat, le (climat) « climat » climat.", [("climat", w, 1) for w in (1, 3, 5, 7)]),
        (["changement climatique"], "« changement » climatique", []),
        (["changement climatique"], "«changement» climatique", [("changement climatique", 0, 2)]),
        (["changement climatique"], "changement, climatique changement.climatique", []),
        (["changement climatique"], "changement ¶ climatique", []),
        (["l'eau"], "l ¶ eau l, eau", []),
        (["agro-écologie"], "agroécologie agro écologie", [("agro-écologie", 0, 1), ("agro-écologie", 1, 2)]),
        (["1,5 degré"], "15 degrés 1,5 degrés 1.5 degré 1 5 degrés", [("1,5 degré", 2, 2), ("1,5 degré", 4, 2)]),
        (["maïs"], "mais le maïs", [("maïs", 2, 1)]),
        (["énergie", "énergie solaire"], "énergie solaire et énergie", [("énergie solaire", 0, 2), ("énergie", 3, 1)]),
        (["énergie", "énergie solaire"], "énergie solaire-thermique", [("énergie", 0, 1)]),
        (["neuve", "terre-neuve"], "terre-neuve", [("terre-neuve", 0, 1)]),
        (["gaz à effet", "effet de serre"], "gaz à effet de serre", [("gaz à effet", 0, 3), ("effet de serre", 2, 3)]),
        (["agriculture", "agriculture industrielle", "agriculture biologique"],
         "agriculture industrielle agriculture biologique",
         [("agriculture industrielle", 0, 2), ("agriculture biologique", 2, 2)]),
        (["climat"], "climat climat climat", [("climat", 0, 1), ("climat", 1, 1), ("climat", 2, 1)]),
        (["énergie renouvelable", "énergies renouvelables"], "énergies renouvelables", [("énergies renouvelables", 0, 2)]),
        (["eau"], "eau,eau", [("eau", 0, 1)]),
        (["climat"], "", []),
    ],
)  # fmt: skip
def test_worked_cases(words: list[str], text: str, expected: list[tuple[str, int, int]]) -> None:
    assert said(matcher(*words).hits(chunk(text))) == expected


@pytest.mark.parametrize(
    ("language", "keyword", "text"),
    [
        ("english", "greenhouse gas", "greenhouse gases"),
        ("english", "climate", "the climate's end"),
        ("german", "erneuerbare Energie", "mit erneuerbaren Energien"),
        ("german", "Überschwemmung", "nach den Überschwemmungen"),
        ("spanish", "emisión", "las emisiones"),
        ("portuguese", "emissão", "das emissões"),
        ("polish", "zmiana klimatu", "o zmianach klimatu"),
        ("polish", "źródło energii", "źródło energii"),
        ("dutch", "overstroming", "de overstromingen"),
    ],
)
def test_inflected_entries_of_each_language(language: str, keyword: str, text: str) -> None:
    assert [hit.keyword for hit in matcher(keyword, language=language).hits(chunk(text))] == [keyword]


def test_a_hit_carries_where_when_and_what() -> None:
    entry = Entry("énergie solaire", Theme.CLIMATE_MITIGATION, "energie")
    dictionary = dictionary_of("french", [entry])
    one = chunk("de l' énergie solaire", times=[-40, 10, 4599, 4630])
    assert Matcher(dictionary).hits(one) == [
        KeywordHit(
            one.chunk_id, "france", one.day, "canal-un", "attenuation_climatique_solutions", "énergie solaire",
            2, 2, 45.99, 2, "climat", "energie", False, True, dictionary.version,
        )
    ]  # fmt: skip


@pytest.mark.parametrize(("time", "window"), [(-100, 0), (0, 0), (1999, 0), (2000, 1), (11_999, 5), (12_000, 5), (12_100, 5)])
def test_windows_are_clamped(time: int, window: int) -> None:
    (hit,) = matcher("climat").hits(chunk("climat", times=[time]))
    assert (hit.window, hit.seconds) == (window, time / 100)


def test_same_keyword_in_two_themes_gives_two_hits() -> None:
    both = Matcher(dictionary_of("french", [Entry("eau", Theme.RESOURCES), Entry("eau", Theme.BIODIVERSITY_CAUSES)]))
    assert [hit.theme for hit in both.hits(chunk("eau"))] == ["biodiversite_causes", "ressources"]


def test_longest_wins_across_themes_and_before_promotion() -> None:
    entries = [Entry("gaz", CLIMATE), Entry("gaz russe", Theme.RESOURCES), Entry("voiture", Theme.CLIMATE_CAUSES, hrfp=True)]
    hits = Matcher(dictionary_of("french", entries)).hits(chunk("gaz russe et voiture", times=[0, 10, 20, 30]))
    assert [(hit.keyword, hit.counts) for hit in hits] == [("gaz russe", True), ("voiture", False)]


def test_an_hrfp_hit_counts_near_a_direct_one() -> None:
    entries = [Entry("climat", CLIMATE), Entry("voiture", Theme.CLIMATE_CAUSES, hrfp=True)]
    hits = Matcher(dictionary_of("french", entries)).hits(chunk("climat voiture voiture voiture", times=[0, 2500, 7000, 9000]))
    assert [hit.counts for hit in hits] == [True, True, False, False]


def test_words_without_times_are_refused_by_name() -> None:
    with pytest.raises(Permanent, match=r"chunk france/canal-un/.*: 2 words but 1 word times; decode"):
        matcher("climat").hits(chunk("le climat", times=[0]))


def test_nothing_joins_across_chunks_of_a_batch() -> None:
    engine = matcher("l'eau", "changement climatique", "eau")
    chunks = [chunk("du changement"), chunk("climatique l"), chunk("eau"), chunk("l'"), chunk("eau")]
    assert said(engine.hits_of(chunks)) == [("eau", 0, 1), ("eau", 0, 1)]


def test_an_empty_dictionary_finds_nothing() -> None:
    assert Matcher(dictionary_of("french", [])).hits(chunk("le climat")) == []


def test_a_long_phrase_has_a_bounded_number_of_spellings() -> None:
    phrase = "odnawialna czysta zielona krajowa lokalna tania energia"
    marks, spellings = keywords._spellings(phrase, "polish")
    forms = list(spellings)
    assert (marks, forms[0]) == (0, f" {phrase} ".encode())
    assert 1 < len(forms) <= keywords.MOST_SPELLINGS


# What follows is generated: a small world of words that contain, overlap and inflect each other.

WORDS = [
    "eau",
    "eaux",
    "terre",
    "neuve",
    "gaz",
    "effet",
    "serre",
    "corail",
    "coraux",
    "mais",
    "l",
    "bus",
    "abus",
    "sol",
    "solaire",
]
KEYWORDS = st.builds(
    lambda words, joints: "".join(w + j for w, j in zip(words, joints, strict=False)).rstrip(" -'"),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
    st.lists(st.sampled_from([" ", " ", "-", "'"]), min_size=3, max_size=3),
)
ENTRIES = st.lists(
    st.builds(Entry, KEYWORDS, st.sampled_from([CLIMATE, Theme.CLIMATE_CAUSES, Theme.RESOURCES]), st.just(""), st.booleans()),
    min_size=1,
    max_size=8,
    unique_by=lambda entry: (folded(entry.keyword), entry.theme),
)
TOKENS = st.tuples(
    st.sampled_from([*WORDS, "terres", "effets", "GAZ", "zzz"]), st.sampled_from(["", "", "", ",", "'", "-", "."])
)
TEXTS = st.lists(st.one_of(TOKENS, st.just(("¶", ""))), min_size=1, max_size=14).flatmap(
    lambda tokens: st.lists(st.sampled_from([" ", " ", " ", ""]), min_size=len(tokens), max_size=len(tokens)).map(
        lambda gaps: _text(tokens, gaps)
    )
)


def _text(tokens: list[tuple[str, str]], gaps: list[str]) -> str:
    """Words with their border; a gap may be missing after a border, and a barrier always stands alone."""
    text = ""
    for (word, border), gap in zip(tokens, gaps, strict=True):
        alone = word == "¶" or not border
        text += (" " if word == "¶" else "") + word + border + (" " if alone else gap)
    return " ".join(text.split())


def times_of(text: str) -> list[int]:
    chance = random.Random(text)
    return sorted(chance.randrange(-100, 12_101) for _ in text.split(" "))


def reference(dictionary: Dictionary, one: Chunk) -> set[tuple[str, str, int, int, int, bool]]:
    """The rule, slowly: one regular expression an entry, all pairs of spans compared, promotion repeated until it rests."""
    text = folded(one.text).decode()
    spans: dict[tuple[int, int], dict[Theme, tuple[bool, str, Entry]]] = {}
    for entry in dictionary.entries:
        pieces = re.split(r"([ '-])", folded(entry.keyword).decode().strip())
        joints = {" ": "[ '-]", "-": "[ '-]?", "'": "[ '-]{1,2}"}
        pattern = "".join(joints.get(p) or "(?:" + "|".join(variants(p, dictionary.language)) + ")" for p in pieces)
        exact = "".join(joints.get(p) or p for p in pieces)
        for match in re.finditer(rf"(?=[ '.-]({pattern})[ '.])", text):
            candidate = (re.fullmatch(exact, match[1]) is None, entry.keyword, entry)
            themes = spans.setdefault(match.span(1), {})
            themes[entry.theme] = min(candidate, themes.get(entry.theme, candidate))
    outer = {a: t for a, t in spans.items() if not any(b != a and b[0] <= a[0] and a[1] <= b[1] for b in spans)}
    found = []
    for (start, end), themes in outer.items():
        word = text.count(" ", 0, start) - 1
        window = min(max(one.word_times[word] // 2000, 0), 5)
        found += [(entry, word, text.count(" ", start, end) + 1, window) for _, _, entry in themes.values()]
    counting = {hit for hit in found if not hit[0].hrfp}
    while (
        more := {h for h in found if any(h[0].theme.subject == c[0].theme.subject and abs(h[3] - c[3]) <= 1 for c in counting)}
        - counting
    ):
        counting |= more
    return {(h[0].theme.value, h[0].keyword, h[1], h[2], h[3], h in counting) for h in found}


@settings(deadline=None, max_examples=400)
@given(ENTRIES, TEXTS)
def test_equals_the_slow_reference(entries: list[Entry], text: str) -> None:
    dictionary = dictionary_of("french", entries)
    one = chunk(text, times=times_of(text))
    hits = Matcher(dictionary).hits(one)
    made = {(hit.theme, hit.keyword, hit.word, hit.words, hit.window, hit.counts) for hit in hits}
    assert made == reference(dictionary, one)
    assert len(made) == len(hits)
    assert all(hit.seconds == one.word_times[hit.word] / 100 and 0 <= hit.window <= 5 for hit in hits)


@settings(deadline=None)
@given(ENTRIES, TEXTS, st.randoms())
def test_order_of_entries_does_not_matter(entries: list[Entry], text: str, chance: random.Random) -> None:
    one = chunk(text, times=times_of(text))
    shuffled = list(entries)
    chance.shuffle(shuffled)
    unsorted = Dictionary("french", tuple(shuffled), dictionary_of("french", entries).version)
    assert sorted(Matcher(unsorted).hits(one), key=repr) == sorted(
        Matcher(dictionary_of("french", entries)).hits(one), key=repr
    )


@settings(deadline=None)
@given(ENTRIES, st.lists(TEXTS, max_size=70))
def test_a_batch_gives_what_single_chunks_give(entries: list[Entry], texts: list[str]) -> None:
    engine = Matcher(dictionary_of("french", entries))
    chunks = [chunk(text, times=times_of(text)) for text in texts]
    assert engine.hits_of(chunks) == [hit for one in chunks for hit in engine.hits(one)]


@settings(deadline=None)
@given(ENTRIES, TEXTS, st.integers(0, 20), st.data())
def test_a_planted_keyword_is_found_where_it_was_planted(
    entries: list[Entry], text: str, place: int, data: st.DataObject
) -> None:
    planted = data.draw(st.sampled_from(entries))
    words = text.split(" ")
    place = min(place, len(words))
    # Barriers on both sides keep any longer keyword from taking the planted one in.
    spoken = " ".join([*words[:place], "¶", planted.keyword.replace("'", "' "), "¶", *words[place:]])
    hits = Matcher(dictionary_of("french", entries)).hits(chunk(spoken, times=times_of(spoken)))
    length = len(planted.keyword.replace("'", "' ").split(" "))
    at = [hit for hit in hits if (hit.word, hit.words, hit.theme) == (place + 1, length, planted.theme)]
    # An entry of the theme that is spelt so takes the hit from one that is only inflected so.
    assert planted.keyword in [hit.keyword for hit in at] or any(_form(hit.keyword) == _form(planted.keyword) for hit in at)


def _form(keyword: str) -> str:
    return re.sub("[ '-]+", "", folded(keyword).decode())


@settings(deadline=None)
@given(ENTRIES, TEXTS)
def test_no_hit_spans_a_barrier(entries: list[Entry], text: str) -> None:
    words = text.split(" ")
    for hit in Matcher(dictionary_of("french", entries)).hits(chunk(text, times=times_of(text))):
        assert "¶" not in words[hit.word : hit.word + hit.words]
