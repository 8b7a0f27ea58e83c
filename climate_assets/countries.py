"""Countries as data: what is monitored, when, in which zone and language, and where its results go.

Typed and validated here; the values are in `countries.yaml` (or the file that `CLIMATE_COUNTRIES` names).
A wrong value is refused with file, line, value and remedy. No stage reads the YAML itself.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from climate_assets.failures import Permanent

# What to do about a mistake that the validator only names.
_REMEDIES = {
    "missing": "; add it",
    "extra_forbidden": "; remove it, or correct its spelling",
    "string_type": "; put it in quotes",
    "string_pattern_mismatch": "; use letters, digits and hyphens, or HH:MM for a time",
}
LANGUAGES = ("french", "english", "german", "spanish", "portuguese", "polish", "dutch")
DEFAULT_FILE = Path(__file__).with_name("countries.yaml")


def _known_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"{value!r} is not an IANA time zone; write one such as Europe/Brussels")
    return value


def _known_language(value: str) -> str:
    if value not in LANGUAGES:
        raise ValueError(f"{value!r} has no dictionary; choose one of {', '.join(LANGUAGES)}")
    return value


Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$", max_length=40)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Alias(_Strict):
    """Another name of a channel at one service, from a day on."""

    service: Literal["subtitle", "export", "player", "media"]
    name: Slug
    valid_from: date


class Hours(_Strict):
    """Hours of the local day that are monitored; 24:00 is the end of the day."""

    start: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "06:00"
    end: Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")] = "23:00"

    @model_validator(mode="after")
    def _ordered(self) -> "Hours":
        if self.end <= self.start:
            raise ValueError(f"monitored hours {self.start}-{self.end} end before they start; write the later time as end")
        return self


class Channel(_Strict):
    """A television or radio station of a country."""

    name: Slug
    title: str
    radio: bool = False
    audio: bool = True
    hours: Hours | None = None
    aliases: tuple[Alias, ...] = ()

    def name_at(self, service: str, day: date) -> str:
        """The name under which `service` knows the channel on that day."""
        valid = [a for a in self.aliases if a.service == service and a.valid_from <= day]
        return max(valid, key=lambda a: a.valid_from).name if valid else self.name


class LlmChoice(_Strict):
    """Which model judges, beside the student."""

    model: str | None = None
    prompt: str = "v1"


class SpeechChoice(_Strict):
    """What is heard again, and how much around it."""

    clips_per_day: Annotated[int, Field(ge=0)] | None = None  # none: every chunk that a verdict makes interesting
    seconds_before: Annotated[int, Field(ge=0, le=60)] = 5
    seconds_after: Annotated[int, Field(ge=0, le=60)] = 5
    min_speakers: Annotated[int, Field(ge=1, le=20)] | None = None
    max_speakers: Annotated[int, Field(ge=1, le=20)] | None = None


class Overlap(_Strict):
    """Which share of the tasks several people answer, each blind to the others."""

    share: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    people: Annotated[int, Field(ge=2, le=10)] = 2


class Workload(_Strict):
    """How many answers the people of a country give in a day; without it, nothing is held back."""

    people: Annotated[int, Field(ge=1, le=1000)]
    per_person_and_day: Annotated[int, Field(ge=1, le=10_000)]
    days_waiting: Annotated[int, Field(ge=1, le=365)] = 14

    @property
    def answers_a_day(self) -> int:
        """Answers that all of them give in a day; a task for two people costs two."""
        return self.people * self.per_person_and_day


class PostSourceChoice(_Strict):
    """Where posts come from: files of JSON lines in the bucket, or a server that speaks Mastodon's protocol."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,49}$")]
    kind: Literal["files", "mastodon"]
    url: Annotated[str, Field(max_length=300)] = ""

    @model_validator(mode="after")
    def _addressed(self) -> "PostSourceChoice":
        if self.kind == "files" and self.url:
            raise ValueError(f"source {self.name!r} reads files of the bucket; remove `url`")
        if self.kind == "mastodon" and not _is_server(self.url):
            raise ValueError(f"source {self.name!r} needs the `url` of its server alone, such as https://mastodon.example")
        return self


class PostsChoice(_Strict):
    """Which posts are read: from where, by which keywords (none: all), and the project in which people mark them."""

    project: Annotated[str, Field(min_length=3, max_length=50)]
    keywords: Annotated[tuple[Annotated[str, Field(min_length=2, max_length=60)], ...], Field(max_length=200)] = ()
    sources: Annotated[tuple[PostSourceChoice, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _askable(self) -> "PostsChoice":
        for keyword in self.keywords:
            if sum(letter.isalnum() for letter in keyword) < 2:
                raise ValueError(f"keyword {keyword!r} has fewer than two letters or digits; write a word")
        if not self.keywords and any(source.kind == "mastodon" for source in self.sources):
            raise ValueError("a source of kind mastodon is asked by keyword; list some under `keywords`")
        return self


class Country(_Strict):
    """One monitored country."""

    code: Slug
    iso3: str
    language: Annotated[str, AfterValidator(_known_language)]
    zone: Annotated[str, AfterValidator(_known_zone)]
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")]
    project: Annotated[str, Field(min_length=3, max_length=50)]
    delivery: Literal["push", "storage"] = "push"
    hours: Hours = Hours()
    llm: LlmChoice = LlmChoice()
    speech: SpeechChoice = SpeechChoice()
    posts: PostsChoice | None = None
    threshold: Annotated[int, Field(ge=0, le=10)] = 6
    audit_share: Annotated[float, Field(ge=0.0, le=1.0)] = 0.05
    overlap: Overlap = Overlap()
    hidden_gold: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0  # share of open tasks whose answer is known
    workload: Workload | None = None
    second_look: bool = False  # a missed case that one person finds waits for a second, and a third if they differ
    blind: bool = False  # the verdict is neither sent nor shown
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]

    @property
    def tz(self) -> ZoneInfo:
        """The zone that days are counted in."""
        return ZoneInfo(self.zone)

    @model_validator(mode="after")
    def _channels_once(self) -> "Country":
        seen: set[str] = set()
        for channel in self.channels:
            if channel.name in seen:
                raise ValueError(f"channel {channel.name!r} is listed twice; remove one")
            seen.add(channel.name)
        return self

    @model_validator(mode="after")
    def _capped_by_push(self) -> "Country":
        if self.workload is not None and self.delivery == "storage":
            raise ValueError("a storage hands over whatever is in the bucket; write delivery: push, or remove workload")
        return self

    def channel(self, name: str) -> Channel:
        """The channel of that name."""
        for channel in self.channels:
            if channel.name == name:
                return channel
        raise Permanent(f"country {self.code} has no channel {name!r}; it has {', '.join(c.name for c in self.channels)}")

    def hours_of(self, channel: Channel) -> Hours:
        """Monitored hours of a channel: its own, else the country's."""
        return channel.hours or self.hours

    def day_bounds(self, day: date) -> tuple[datetime, datetime]:
        """First instant of the local day and of the next one, UTC: 23, 24 or 25 hours apart."""
        return _instant(day, "00:00", self.tz), _instant(day, "24:00", self.tz)

    def monitored(self, channel: Channel, day: date) -> tuple[datetime, datetime]:
        """First monitored instant of a channel's local day and the first one after it, UTC."""
        hours = self.hours_of(channel)
        return _instant(day, hours.start, self.tz), _instant(day, hours.end, self.tz)


def _is_server(url: str) -> bool:
    """Whether an address names a server and nothing else: https, or http on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    bare = not (parts.path.strip("/") or parts.query or parts.fragment) and parts.username is None
    return bool(host) and url.isascii() and bare and (parts.scheme == "https" or (parts.scheme == "http" and is_here(host)))


def is_here(host: str) -> bool:
    """Whether a host is this machine by its own word."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _instant(day: date, clock: str, zone: ZoneInfo) -> datetime:
    hour, minute = map(int, clock.split(":"))
    local = datetime.combine(day + timedelta(days=hour // 24), time(hour % 24, minute), tzinfo=zone)
    return local.astimezone(ZoneInfo("UTC"))


@dataclass(frozen=True)
class Countries:
    """All monitored countries, by code."""

    by_code: dict[str, Country]

    def __getitem__(self, code: str) -> Country:
        """The country of that code."""
        if code not in self.by_code:
            raise Permanent(f"no country {code!r} is configured; there are {', '.join(sorted(self.by_code))}")
        return self.by_code[code]

    @property
    def codes(self) -> list[str]:
        """Codes in the order of the file."""
        return list(self.by_code)


def read_countries(path: Path = DEFAULT_FILE) -> Countries:
    """The countries of a YAML file; raises `Permanent` naming file, line, value and remedy."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Permanent(f"{path}: cannot be read ({error.strerror}); set CLIMATE_COUNTRIES to a countries file") from error
    return countries_from(text, str(path))


def countries_from(text: str, source: str) -> Countries:
    """The countries of a YAML text; `source` is the name errors carry."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _keys_once(node, source)
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Permanent(f"{source}: not YAML: {error}") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("countries"), dict) or not raw["countries"]:
        raise Permanent(f"{source}:1: expected a mapping `countries:` with one block a country")
    by_code = {}
    for code, block in raw["countries"].items():
        if not isinstance(block, dict):
            line = _line_of(node, ("countries", code))
            raise Permanent(f"{source}:{line}: {code} is {block!r:.60}; write a block with zone, language, channels and so on")
        try:
            by_code[code] = Country.model_validate({"code": code, **block})
        except ValidationError as error:
            raise Permanent(_located(error, node, code, source)) from error
    _once(by_code, source)
    return Countries(by_code)


def _keys_once(node: Any, source: str) -> None:
    """YAML keeps the last of two equal keys; a country that is lost this way would vanish without a word."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise Permanent(f"{source}:{line}: {key.value!r} is written twice; merge the two or rename one")
            seen.add(key.value)
            _keys_once(value, source)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _keys_once(item, source)


def _once(by_code: dict[str, Country], source: str) -> None:
    """What two countries would take from each other is each one's own."""
    owners: dict[tuple[str, str], str] = {}
    for code, country in by_code.items():
        posts = country.posts
        owned = [("bucket", country.bucket), ("project", country.project)]
        # A post is known by its source's name and its own id.
        owned += [("project", posts.project), *(("source", one.name) for one in posts.sources)] if posts else []
        for what in owned:
            if what in owners:
                whose = f"is in {code} twice" if owners[what] == code else f"belongs to both {owners[what]} and {code}"
                raise Permanent(f"{source}: {what[0]} {what[1]!r} {whose}; give each its own")
            owners[what] = code


def _located(error: ValidationError, node: Any, code: str, source: str) -> str:
    lines = []
    for problem in error.errors():
        line = _line_of(node, ("countries", code, *problem["loc"]))
        where = ".".join(str(part) for part in (code, *problem["loc"]))
        remedy = _REMEDIES.get(problem["type"], "")
        said = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{source}:{line}: {where}: {said}{remedy} (got {problem['input']!r:.80})")
    return "\n".join(lines)


def _line_of(node: Any, path: tuple[Any, ...]) -> int:
    """Line of the deepest node of `path` that the file has."""
    line = 1
    for part in path:
        found = None
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = (node.value[part], node.value[part])
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line
