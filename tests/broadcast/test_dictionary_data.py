"""The keyword dictionaries as data: form, closed lists, size, precision on neutral sentences, coverage of real speech."""

import csv
import json
import re
import unicodedata
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

from climate_assets.broadcast.dictionaries import dictionary_from_csv
from climate_assets.broadcast.records import Subject, Theme

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "climate_assets" / "reference" / "dictionaries"
REAL_CHUNKS = REPOSITORY.parent / "shared" / "data" / "broadcast" / "fr_chunks.json"

LANGUAGES = ("french", "english", "german", "spanish", "portuguese", "polish", "dutch")
COLUMNS = ["keyword", "theme", "category", "hrfp", "rationale"]
CATEGORIES = {
    *(
        "",
        "general",
        "agriculture",
        "transport",
        "batiments",
        "energie",
        "industrie",
        "eau",
        "ecosysteme",
        "economie_ressources",
    )
}
DISTINCT = {"french": 450}
IN_EACH_THEME = {"french": 20}

# What is asked of the real chunks. They were chosen by a broader list than this one: some hold nothing but words that are
# ambiguous alone, and are found by those.
DIRECT_OF_60 = 54
ANY_OF_60 = 58

Row = dict[str, str]
Phrase = tuple[str, ...]


def tokens(text: str) -> Phrase:
    """Words without case, accents, hyphens, apostrophes and a final s or x: a matcher simpler than the real one."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))
    plain = plain.replace("œ", "oe").replace("ß", "ss").replace("ł", "l")
    return tuple(re.sub("[sx]$", "", word) if len(word) > 3 else word for word in re.findall("[a-z0-9]+", plain))


@cache
def rows(language: str) -> tuple[Row, ...]:
    with (FOLDER / f"{language}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def by_phrase(language: str) -> dict[Phrase, list[Row]]:
    phrases = defaultdict(list)
    for row in rows(language):
        phrases[tokens(row["keyword"])].append(row)
    return dict(phrases)


def said(text: str, language: str) -> list[Row]:
    """Rows whose keyword occurs in the text and is no part of a longer one there."""
    words, phrases = tokens(text), by_phrase(language)
    longest = max(map(len, phrases))
    spans = [
        (start, end)
        for start in range(len(words))
        for end in range(start + 1, min(start + longest, len(words)) + 1)
        if words[start:end] in phrases
    ]
    outer = [a for a in spans if not any(a != b and b[0] <= a[0] and a[1] <= b[1] for b in spans)]
    return [row for start, end in outer for row in phrases[words[start:end]]]


def direct(found: list[Row], subject: Subject | None = None) -> set[str]:
    """Direct keywords among the rows found, of one subject or of any."""
    return {r["keyword"] for r in found if r["hrfp"] == "false" and subject in (None, Theme(r["theme"]).subject)}


@pytest.mark.parametrize("language", LANGUAGES)
class TestEveryDictionary:
    def test_is_plain_csv(self, language: str) -> None:
        raw = (FOLDER / f"{language}.csv").read_bytes()
        lines = raw.decode("utf-8").split("\n")
        assert not raw.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in raw
        assert b'"' not in raw
        assert lines[0].split(",") == COLUMNS
        assert lines[-1] == "", "the last line ends with a line feed"
        assert [line for line in lines[1:-1] if line.count(",") != 4] == []

    def test_is_read_by_the_loader(self, language: str) -> None:
        text = (FOLDER / f"{language}.csv").read_text(encoding="utf-8")
        assert len(dictionary_from_csv(text, language, f"{language}.csv").entries) == len(rows(language))

    def test_uses_the_closed_lists(self, language: str) -> None:
        assert {row["theme"] for row in rows(language)} == {theme.value for theme in Theme}
        assert {row["category"] for row in rows(language)} <= CATEGORIES
        assert {row["hrfp"] for row in rows(language)} == {"true", "false"}

    def test_has_clean_cells(self, language: str) -> None:
        for row in rows(language):
            keyword = row["keyword"]
            assert all(cell == " ".join(cell.split()) for cell in row.values()), row
            assert keyword == unicodedata.normalize("NFC", keyword.lower()), row
            assert len(keyword) >= 3, row
            assert re.fullmatch(r"[^\W_]+(?:[ '-][^\W_]+)*", keyword), row
            assert len(row["rationale"]) >= 5, row

    def test_has_no_keyword_twice_in_a_theme(self, language: str) -> None:
        seen = Counter((tokens(row["keyword"]), row["theme"]) for row in rows(language))
        assert [key for key, times in seen.items() if times > 1] == []

    def test_is_sorted(self, language: str) -> None:
        order = [theme.value for theme in Theme]
        places = [(order.index(row["theme"]), tokens(row["keyword"])) for row in rows(language)]
        assert places == sorted(places)

    def test_is_large_enough(self, language: str) -> None:
        in_theme = Counter(row["theme"] for row in rows(language))
        assert len(by_phrase(language)) >= DISTINCT.get(language, 115)
        assert min(in_theme[theme.value] for theme in Theme) >= IN_EACH_THEME.get(language, 5)


# Words that every news programme says of other things: they may be HRFP, they must not be direct.
AMBIGUOUS = {
    "french": "climat|transition|réchauffement|sécheresse|canicule|inondation|tempête|nucléaire|centrale nucléaire"
    "|panneau solaire|pompe à chaleur"
    "|bonus écologique|maprimerénov|covoiturer|sobriété|résilience|écosystème|pollution|pesticide|glacier"
    "|pétrole|hydrogène|écologie|co2|consigne|recycler|déchet|digue|électricité|énergie|environnement|planète|forêt",
    "english": "climate|transition|drought|flood|heatwave|hurricane|nuclear power|solar panel|heat pump|pollution|resilience"
    "|ecosystem|poaching|recycle|energy|environment|weather",
    "german": "klima|hochwasser|hitzewelle|dürre|atomkraftwerk|wärmepumpe|solaranlage|lebensraum|nachhaltigkeit|wetter|energie",
    "spanish": "clima|sequía|inundación|ola de calor|dana|central nuclear|placa solar|resiliencia|ecosistema|energía|agua",
    "portuguese": "clima|seca|enchente|onda de calor|usina nuclear|painel solar|pantanal|cerrado|ecossistema|energia|chuva",
    "polish": "klimat|susza|powódź|upał|elektrownia jądrowa|pompa ciepła|ekosystem|węgiel|atom|wiatrak|pogoda|energia",
    "dutch": "klimaat|droogte|overstroming|hittegolf|kerncentrale|zonnepaneel|warmtepomp|ecosysteem|energie|weer|windmolen",
}


@pytest.mark.parametrize(("language", "word"), [(k, word) for k, words in AMBIGUOUS.items() for word in words.split("|")])
def test_an_ambiguous_word_alone_is_never_direct(language: str, word: str) -> None:
    assert direct(said(word, language)) == set()


NEUTRAL = {
    "french": [
        "le climat social reste tendu et le climat des affaires se dégrade malgré un climat de confiance entre les partis",
        "les conditions climatiques du match étaient bonnes et notre technicien en génie climatique répare le chauffage",
        "la transition politique commence et le nucléaire iranien inquiète après la frappe près de la centrale nucléaire",
        "offre du mois profitez du bonus écologique et de votre pompe à chaleur avec nos panneaux solaires à petit prix",
        "la tempête a fait deux blessés les inondations se poursuivent et la canicule arrive après des mois de sécheresse",
        "pensez à covoiturer une semaine sans émission et la pollution de l' air augmente dans l' agglomération",
        "on assiste à un réchauffement des relations et à un gaspillage d' argent dans cet écosystème de jeunes entreprises",
    ],
    "english": [
        "in this political climate the business climate is poor and the strikers goal drought goes on",
        "iran wants to be a nuclear power and the heatwave brings record temperatures to the south of the country",
    ],
    "german": [
        "das klima in der mannschaft ist gut und das hochwasser geht zurück während das atomkraftwerk beschossen wird",
    ],
    "spanish": [
        "el clima político empeora y la ola de calor sigue mientras la dana deja inundaciones",
    ],
    "portuguese": [
        "o clima no estádio é de festa e a enchente deixou a cidade sem luz enquanto a novela pantanal volta ao ar",
    ],
    "polish": [
        "w drużynie panuje dobry klimat a powódź i upał dały się we znaki mieszkańcom którzy liczą na niższe ceny węgla",
    ],
    "dutch": [
        "het politieke klimaat is slecht en hij wilde bij ons blijven ondanks de hittegolf en de droogte in het zuiden",
    ],
}


@pytest.mark.parametrize(("language", "sentence"), [(k, text) for k, texts in NEUTRAL.items() for text in texts])
def test_a_neutral_sentence_has_no_direct_keyword(language: str, sentence: str) -> None:
    assert direct(said(sentence, language)) == set()


TELLING = {
    ("french", Subject.CLIMATE): [
        "le giec rappelle que les émissions de gaz à effet de serre aggravent le dérèglement climatique",
        "face aux négociations climatiques les régions misent sur l' éolien en mer et la sobriété énergétique",
        "l' adaptation au changement climatique passe par la désimperméabilisation des cours d' école",
        "les ventes de voitures électriques repartent et les bornes de recharge se multiplient",
    ],
    ("french", Subject.BIODIVERSITY): [
        "les aires marines protégées n' empêchent pas le déclin des populations d' espèces menacées",
    ],
    ("french", Subject.RESOURCES): [
        "le niveau des nappes phréatiques baisse et l' économie circulaire progresse lentement",
    ],
    ("english", Subject.CLIMATE): [
        "greenhouse gas emissions keep rising and sea level rise threatens the coast",
    ],
    ("english", Subject.BIODIVERSITY): [
        "ministers discussed nature restoration and endangered species",
    ],
    ("english", Subject.RESOURCES): [
        "water scarcity and food waste were on the agenda",
    ],
    ("german", Subject.CLIMATE): [
        "der klimawandel lässt die gletscherschmelze schneller werden sagt der weltklimarat",
    ],
    ("german", Subject.BIODIVERSITY): [
        "das artensterben geht weiter und der naturschutz fehlt",
    ],
    ("german", Subject.RESOURCES): [
        "mehr kreislaufwirtschaft gegen die wasserknappheit",
    ],
    ("spanish", Subject.CLIMATE): [
        "el cambio climático acelera la subida del nivel del mar y crecen las energías renovables",
    ],
    ("spanish", Subject.BIODIVERSITY): [
        "la pérdida de biodiversidad amenaza al humedal",
    ],
    ("spanish", Subject.RESOURCES): [
        "la escasez de agua obliga a una economía circular",
    ],
    ("portuguese", Subject.CLIMATE): [
        "as mudanças climáticas e o desmatamento serão tema da conferência do clima",
        "o governo português quer combater as alterações climáticas com energia eólica",
    ],
    ("portuguese", Subject.BIODIVERSITY): [
        "a perda de biodiversidade atinge todos os biomas",
    ],
    ("portuguese", Subject.RESOURCES): [
        "a crise hídrica e a reciclagem preocupam a prefeitura",
    ],
    ("polish", Subject.CLIMATE): [
        "zmiany klimatu przyspieszają a odnawialne źródła energii są tańsze od paliw kopalnych",
    ],
    ("polish", Subject.BIODIVERSITY): [
        "utrata bioróżnorodności i ochrona przyrody to temat dnia",
    ],
    ("polish", Subject.RESOURCES): [
        "recykling i marnowanie żywności w centrum debaty",
    ],
    ("dutch", Subject.CLIMATE): [
        "de opwarming van de aarde en de zeespiegelstijging vragen om klimaatbeleid",
    ],
    ("dutch", Subject.BIODIVERSITY): [
        "natuurherstel moet het verlies van biodiversiteit keren",
    ],
    ("dutch", Subject.RESOURCES): [
        "de circulaire economie helpt tegen waterschaarste",
    ],
}


@pytest.mark.parametrize(
    ("language", "subject", "sentence"), [(*key, text) for key, texts in TELLING.items() for text in texts]
)
def test_a_telling_sentence_has_a_direct_keyword_of_its_subject(language: str, subject: Subject, sentence: str) -> None:
    assert direct(said(sentence, language), subject)


def test_a_number_as_speech_to_text_writes_it_is_found() -> None:
    found = said("la cop trente veut réduire les émissions de co deux dans chaque z f e", "french")
    assert {"cop trente", "émission de co deux", "z f e"} <= direct(found, Subject.CLIMATE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_french_covers_both_flags_in_each_theme_and_others_in_each_subject(language: str) -> None:
    kinds = {(row["theme"] if language == "french" else Theme(row["theme"]).subject, row["hrfp"]) for row in rows(language)}
    groups = [theme.value for theme in Theme] if language == "french" else list(Subject)
    assert kinds == {(group, flag) for group in groups for flag in ("true", "false")}


def test_real_french_speech_is_covered(capsys: pytest.CaptureFixture[str]) -> None:
    if not REAL_CHUNKS.exists():
        pytest.skip(f"no {REAL_CHUNKS.name} beside the repository: coverage of real speech is not measured")
    texts = [chunk["plaintext"].replace("<unk>", " ") for chunk in json.loads(REAL_CHUNKS.read_text(encoding="utf-8"))]
    found = [[row for row in said(text, "french") if Theme(row["theme"]).subject == Subject.CLIMATE] for text in texts]
    certain = sum(bool(direct(hits)) for hits in found)
    any_hit = sum(bool(hits) for hits in found)
    with capsys.disabled():
        print(f"\ncoverage: {certain} direct, {any_hit - certain} HRFP only, of {len(texts)} chunks")
    assert len(texts) == 60
    assert certain >= DIRECT_OF_60
    assert any_hit >= ANY_OF_60
