"""What one row of the broadcast stage is: answers, dumps, chunks, hits, advert intervals, airtime.

Only shapes and the names of closed lists live here. How a row is made lives in the noun module that makes it;
which columns are keys and which table a record fills lives in `climate_assets/schema.py`.
Every instant is an aware UTC `datetime`; every duration is in seconds unless its name says otherwise.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

CHUNK_SECONDS = 120
WINDOW_SECONDS = 20
WINDOWS_PER_CHUNK = CHUNK_SECONDS // WINDOW_SECONDS


class Subject(StrEnum):
    """The three subjects a theme belongs to (legacy names, kept because dashboards use them)."""

    CLIMATE = "climat"
    BIODIVERSITY = "biodiversite"
    RESOURCES = "ressources"


class Theme(StrEnum):
    """The eleven direct themes; the value is the legacy name without its `_indirectes` suffix."""

    CLIMATE_STATEMENT = "changement_climatique_constat"
    CLIMATE_CAUSES = "changement_climatique_causes"
    CLIMATE_CONSEQUENCES = "changement_climatique_consequences"
    CLIMATE_MITIGATION = "attenuation_climatique_solutions"
    CLIMATE_ADAPTATION = "adaptation_climatique_solutions"
    BIODIVERSITY_GENERAL = "biodiversite_concepts_generaux"
    BIODIVERSITY_CAUSES = "biodiversite_causes"
    BIODIVERSITY_CONSEQUENCES = "biodiversite_consequences"
    BIODIVERSITY_SOLUTIONS = "biodiversite_solutions"
    RESOURCES = "ressources"
    RESOURCES_SOLUTIONS = "ressources_solutions"

    @property
    def subject(self) -> Subject:
        """The subject this theme counts for."""
        if "climatique" in self.value:
            return Subject.CLIMATE
        return Subject.BIODIVERSITY if self.value.startswith("biodiversite") else Subject.RESOURCES


class Repeat(StrEnum):
    """Why a passage is heard again; only `ADVERT` is cut."""

    ADVERT = "advert"
    RERUN = "rerun"
    BULLETIN = "bulletin"
    JINGLE = "jingle"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer of the Mediatree API, byte for byte, beside the question that it answers."""

    request: Annotated[str, "Question as canonical JSON; the token is never part of it."]
    fetched_at: Annotated[datetime, "When the answer was complete, UTC."]
    sha256: Annotated[str, "Hash of `payload`."]
    payload: Annotated[bytes, "Body of the answer, untouched."]


@dataclass(frozen=True, slots=True)
class Dump:
    """One stored version of what the API said of one country, channel and day (a row of `dumps`)."""

    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day in the country's own zone."]
    channel: Annotated[str, "Channel name."]
    version: Annotated[str, "SHA-256 over the distinct items of all answers, whatever their order or slicing."]
    object_key: Annotated[str, "Parquet object in bucket `mediatree` that holds the answers."]
    fetched_at: Annotated[datetime, "When the last answer of this version was complete, UTC."]
    answers: Annotated[int, "Answers stored."]
    items: Annotated[int, "Distinct items in the answers, margin included."]
    missing: Annotated[str, "What could not be fetched and why; empty if nothing is missing."]
    drift: Annotated[str, "What differs from the version before; empty for a first version."]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Two minutes of speech-to-text of one channel."""

    chunk_id: Annotated[str, "`country/channel/start` in UTC, stable across replays."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day in the country's own zone that the chunk starts on."]
    channel: Annotated[str, "Channel name."]
    start: Annotated[datetime, "First instant of the chunk, UTC."]
    text: Annotated[str, "Words joined by one space, in the order they were said; `<unk>` removed."]
    word_times: Annotated[list[int], "Centiseconds from `start`, one for each space-separated word of `text`; -100..12100."]
    timing: Annotated[str, "`asr`: times of the recogniser; `even`: spread evenly because none came."]
    unknown_seconds: Annotated[float, "Seconds the recogniser marked `<unk>`: no speech."]
    captured_seconds: Annotated[float, "Seconds of this chunk not covered by an earlier chunk of the channel, 0..120."]
    dump_version: Annotated[str, "Version of the dump the chunk was decoded from."]


@dataclass(frozen=True, slots=True)
class KeywordHit:
    """One occurrence of one keyword, in one theme, at a word time."""

    chunk_id: Annotated[str, "Chunk it was said in."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day of the chunk."]
    channel: Annotated[str, "Channel of the chunk."]
    theme: Annotated[str, "One of the eleven direct themes."]
    keyword: Annotated[str, "Dictionary entry, as the dictionary spells it."]
    word: Annotated[int, "Index of the first word in the chunk's text."]
    words: Annotated[int, "Number of words the occurrence spans."]
    seconds: Annotated[float, "Time of the first word from the chunk's start; may be slightly negative."]
    window: Annotated[int, "20-second window, 0..5."]
    subject: Annotated[str, "Subject of the theme."]
    category: Annotated[str, "Macro category of the keyword; empty if it has none."]
    hrfp: Annotated[bool, "The keyword has a high risk of false positive: it counts only near a direct one."]
    counts: Annotated[bool, "It is direct, or promoted by a direct keyword of its subject in a connected window."]
    dictionary: Annotated[str, "Version of the dictionary."]


@dataclass(frozen=True, slots=True)
class AdInterval:
    """A stretch of a channel's time that is heard again elsewhere, and what it is taken for."""

    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day the stretch starts on, in the country's own zone."]
    channel: Annotated[str, "Channel name."]
    start: Annotated[datetime, "First instant, UTC."]
    end: Annotated[datetime, "First instant after it, UTC."]
    kind: Annotated[str, "`advert` (cut), `rerun`, `bulletin` or `jingle` (marked only)."]
    source: Annotated[str, "`text-repeat`, `fingerprint` or `manual`."]
    passage: Annotated[str, "Identity of the repeated passage, the same for all its airings."]
    score: Annotated[float, "How alike this airing is to the passage's best airing, 0..1."]
    times_seen: Annotated[int, "Airings of the passage in the look-back."]
    channels_seen: Annotated[int, "Channels it was heard on."]
    days_seen: Annotated[int, "Days it was heard on."]
    first_seen: Annotated[datetime, "First airing in the look-back, UTC."]
    other_airings: Annotated[list[str], "Up to 20 other airings as `channel@instant`: the evidence."]
    vetoed: Annotated[bool, "A person said that this is no advert; it is kept and not cut."]
    method: Annotated[str, "Version of the finding method."]


@dataclass(frozen=True, slots=True)
class CleanChunk:
    """A chunk with a keyword hit, adverts cut: what is judged."""

    chunk_id: Annotated[str, "Chunk it comes from."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day of the chunk."]
    channel: Annotated[str, "Channel of the chunk."]
    text: Annotated[str, "Words kept; each hole is one barrier, so words beside it never join."]
    kept_words: Annotated[list[int], "Index in the chunk's text of each word of `text`; -1 for a barrier."]
    advert_seconds: Annotated[float, "Seconds cut."]
    hits: Annotated[int, "Hits of the chunk outside adverts that count."]
    climate_hits: Annotated[int, "Hits of subject climate outside adverts, counting or not: with one, the chunk is judged."]
    masked_hits: Annotated[int, "Counting hits inside adverts."]
    text_sha256: Annotated[str, "Hash of `text`: what a cached verdict is found by."]
    dictionary: Annotated[str, "Version of the dictionary behind the hits."]
    method: Annotated[str, "Version of the advert method."]


@dataclass(frozen=True, slots=True)
class Airtime:
    """Time one channel gave to one theme (or one whole subject) on one day, with its denominators."""

    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day in the country's own zone."]
    channel: Annotated[str, "Channel name."]
    subject: Annotated[str, "Subject."]
    theme: Annotated[str, "Theme, or `*` for windows with any theme of the subject (no window counted twice)."]
    seconds: Annotated[float, "Windows with a counting hit outside adverts x 20 s."]
    seconds_with_adverts: Annotated[float, "Windows with a counting hit, adverts included, x 20 s."]
    captured_seconds: Annotated[float, "Seconds of the channel's day that were captured, chunks without hits included."]
    advert_seconds: Annotated[float, "Captured seconds that are adverts."]
    monitored_seconds: Annotated[float, "Seconds of the day that are to be monitored."]
    dictionary: Annotated[str, "Version of the dictionary."]
    method: Annotated[str, "Version of the advert method."]


@dataclass(frozen=True, slots=True)
class Programme:
    """One row of the programme grid; local times, may cross midnight."""

    country: Annotated[str, "Country code."]
    channel: Annotated[str, "Channel name."]
    weekdays: Annotated[str, "Digits 1 (Monday) to 7 (Sunday) of the local day the programme starts on."]
    starts: Annotated[str, "Local start, `HH:MM`."]
    ends: Annotated[str, "Local end, `HH:MM`; not after `starts` means the next day."]
    name: Annotated[str, "Name of the programme."]
    type: Annotated[str, "Kind of programme."]
    valid_from: Annotated[date, "First day it holds."]
    valid_to: Annotated[date | None, "Last day it holds; none if it still does."]


@dataclass(frozen=True, slots=True)
class ProgrammeLabel:
    """Which programme a chunk belongs to, under one version of the grid (a row of `programme_labels`)."""

    chunk_id: Annotated[str, "Chunk."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day of the chunk."]
    channel: Annotated[str, "Channel."]
    programme: Annotated[str, "Name; empty if the grid has none at that time."]
    programme_type: Annotated[str, "Kind; empty if the grid has none."]
    grid: Annotated[str, "Version (hash) of the grid."]


@dataclass(frozen=True, slots=True)
class Completeness:
    """How much of one channel's monitored day arrived (a row of `channel_days`)."""

    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day in the country's own zone."]
    channel: Annotated[str, "Channel name."]
    expected: Annotated[int, "Two-minute slots in the monitored hours of this day (clock changes counted)."]
    received: Annotated[int, "Of these, slots with a chunk."]
    unreadable: Annotated[int, "Chunks that came but could not be decoded; each is a row of `stage_states`."]
    monitored_seconds: Annotated[float, "expected x 120."]
    captured_seconds: Annotated[float, "Seconds covered by chunks, each second once."]
    gaps: Annotated[list[str], "Missing stretches in UTC, `start/end`, joined where they touch."]
    missing: Annotated[str, "Why, if a call failed; empty when the gap is the source's own silence."]


@dataclass(frozen=True, slots=True)
class ChannelLabel:
    """What SQL needs to know of a channel of `countries.yaml` (a row of `channels`)."""

    country: Annotated[str, "Country code."]
    channel: Annotated[str, "Channel name."]
    title: Annotated[str, "Name for people."]
    radio: Annotated[bool, "Radio, not television."]
    zone: Annotated[str, "IANA zone of the country."]


@dataclass(frozen=True, slots=True)
class AdDecision:
    """What a person decided about adverts (a row of `ad_decisions`); it outlives every re-learning."""

    decision_id: Annotated[str, "Random id."]
    country: Annotated[str, "Country code."]
    action: Annotated[str, "`veto`: not an advert; `add`: is one."]
    passage: Annotated[str, "Passage that is vetoed; empty if the decision is about a stretch of time."]
    channel: Annotated[str, "Channel of the stretch; empty if it is about a passage."]
    start: Annotated[datetime | None, "First instant of the stretch, UTC."]
    end: Annotated[datetime | None, "First instant after it, UTC."]
    decided_by: Annotated[str, "Who."]
    reason: Annotated[str, "Why."]
    decided_at: Annotated[datetime, "When, UTC."]
