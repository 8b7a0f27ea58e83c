"""Chunks, verdicts and picks of a fictional country, to build tasks from."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

from climate_assets.broadcast.records import Chunk, CleanChunk, ProgrammeLabel
from climate_assets.claims.records import Category, Verdict
from climate_assets.countries import Channel, Country, countries_from
from climate_assets.labelling.labelling_config import guideline, guideline_version, labelling_config
from climate_assets.labelling.queue import Picked
from climate_assets.labelling.tasks import task_json

COUNTRY: Country = countries_from(
    """
countries:
  borealie:
    iso3: BRL
    language: french
    zone: Europe/Paris
    bucket: climateguard-borealie
    project: Boréalie, labelling
    channels:
      - {name: canal-un, title: Canal Un}
      - {name: radio-nord, title: Radio Nord, radio: true, aliases: [{service: player, name: rnord, valid_from: 2026-07-01}]}
""",
    "cases",
)["borealie"]
CHANNEL: Channel = COUNTRY.channel("canal-un")
DAY = date(2026, 11, 20)
TEXT = (
    "bonsoir et bienvenue dans le grand débat ce soir nous parlons de la sécheresse qui touche le sud du pays et des "
    "restrictions d eau décidées hier par le préfet vous n êtes pas d accord écoutez il faut arrêter de faire peur aux gens "
    "le climat a toujours changé et l homme n y est pour rien ce sont des cycles naturels le soleil commande et personne n y "
    "peut rien voilà ce que l on ne dit jamais à la télévision on va marquer une pause dans un instant la météo des plages"
)
QUOTE = "le climat a toujours changé et l homme n y est pour rien"


def chunk(text: str = TEXT, minute: int = 4, channel: str = "canal-un") -> Chunk:
    start = datetime(2026, 11, 20, 18, 0, tzinfo=UTC) + timedelta(minutes=minute)
    words = text.split(" ")
    times = [round(index * 12_000 / len(words)) for index in range(len(words))]
    chunk_id = f"borealie/{channel}/{start:%Y-%m-%dT%H:%M:%SZ}"
    return Chunk(chunk_id, "borealie", DAY, channel, start, text, times, "asr", 0.0, 120.0, "dump-1")


def clean(of: Chunk, kept: list[int] | None = None) -> CleanChunk:
    words = of.text.split(" ")
    kept = list(range(len(words))) if kept is None else kept
    text = " ".join("|" if index < 0 else words[index] for index in kept)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return CleanChunk(of.chunk_id, of.country, of.day, of.channel, text, kept, 0.0, 2, 2, 0, digest, "dict-1", "adverts-1")


def verdict(
    of: CleanChunk,
    score: int = 9,
    quote: str = QUOTE,
    category: Category = Category.NOT_US,
    rationale: str = "Presents warming as a natural cycle and denies the human cause.",
    span: tuple[int, int] | None = None,
) -> Verdict:
    words = of.text.split(" ")
    wanted = quote.split(" ") if quote else []
    places = [i for i in range(len(words) - len(wanted) + 1) if words[i : i + len(wanted)] == wanted] if wanted else []
    first, length = span or ((places[0], len(wanted)) if places else (-1, 0))
    return Verdict(
        chunk_id=of.chunk_id,
        country=of.country,
        day=of.day,
        channel=of.channel,
        model="student-2",
        prompt="training-7",
        engine="student",
        score=score,
        category=category.value,
        quote=" ".join(words[first : first + length]) if length else "",
        quote_word=first,
        quote_words=length,
        quote_seconds=None if first < 0 else first * 120.0 / len(words),
        challenged=False,
        rationale=rationale,
        text_sha256=of.text_sha256,
        sampling="only",
    )


def programme(of: Chunk, name: str = "Le grand débat") -> ProgrammeLabel:
    return ProgrammeLabel(of.chunk_id, of.country, of.day, of.channel, name, "Débat", "grid-1")


def picked(of: Chunk, sampling: str = "score", probability: float = 1.0, priority: float = 0.8) -> Picked:
    return Picked(of.chunk_id, sampling, probability, priority)


def task(text: str = TEXT, minute: int = 4, priority: float = 0.8, **changes: Any) -> dict[str, Any]:
    """A whole task; `changes` are for `verdict`."""
    source = chunk(text, minute)
    cleaned = clean(source)
    version = guideline_version(labelling_config(), guideline())
    return task_json(
        verdict(cleaned, **changes),
        source,
        cleaned,
        programme(source),
        COUNTRY,
        CHANNEL,
        picked(source, priority=priority),
        "a" * 64,
        version,
    )
