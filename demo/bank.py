"""The text banks of the demo world, read and compiled: what can be said, by kind.

Belongs here: the shape of the files in `scripts/`. Does not: when something is said (`rundown.py`).
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from demo.grammar import Grammar, Node, number_slots, spoken

SCRIPTS = Path(__file__).with_name("scripts")


@dataclass(frozen=True, slots=True)
class Script:
    """One passage that can be planted: its identity, what it is about, its words."""

    passage: str
    label: str
    node: Node


@dataclass(frozen=True, slots=True)
class Advert:
    """One advert: always the same words in the same time."""

    brand: str
    centiseconds: int
    countries: frozenset[str]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rerun:
    """A programme that is aired twice on one day; local times."""

    name: str
    first: str
    again: str
    minutes: int
    genre: str


@dataclass(frozen=True, slots=True)
class Profile:
    """How one channel fills its hours."""

    breaks: tuple[int, ...]
    bulletins: tuple[int, ...]
    genres: tuple[str, ...]
    opening: tuple[str, ...]
    jingle: tuple[str, ...]
    rerun: Rerun | None


class Bank:
    """Everything the demo world can say."""

    def __init__(self, scripts: Path = SCRIPTS) -> None:
        """Reads `slots.yaml`, `channels.yaml` and the CSV files of `scripts`; raises `ValueError` for a broken template."""
        slots = yaml.safe_load((scripts / "slots.yaml").read_text(encoding="utf-8"))
        self.grammar = Grammar({**number_slots(), **slots})
        self.hesitation = self.grammar.template("<hesitation>")
        self.talk: dict[str, tuple[Node, ...]] = {}
        for row in _rows(scripts / "talk.csv"):
            self.talk[row["genre"]] = (*self.talk.get(row["genre"], ()), self.grammar.template(row["text"]))
        self.climate = self._scripts(scripts / "climate.csv", "theme")
        self.misinformation = self._scripts(scripts / "misinformation.csv", "category")
        self.rebutted = self._scripts(scripts / "rebutted.csv", "category")
        self.adverts = tuple(
            Advert(r["brand"], 100 * int(r["seconds"]), frozenset(r["countries"].split()), tuple(spoken(r["text"])))
            for r in _rows(scripts / "adverts.csv")
        )
        channels = yaml.safe_load((scripts / "channels.yaml").read_text(encoding="utf-8"))
        self._profiles: dict[str, dict[str, Any]] = channels["channels"]
        self._default: dict[str, Any] = channels["default"]

    def profile(self, channel: str, title: str) -> Profile:
        """How `channel` fills its hours: its own block of `channels.yaml`, else the default one."""
        block = {**self._default, **self._profiles.get(channel, {})}
        name = title.lower()
        return Profile(
            breaks=tuple(block["breaks"]),
            bulletins=tuple(block["bulletins"]),
            genres=tuple(block["genres"]),
            opening=tuple(spoken(block["opening"].replace("@", name))),
            jingle=tuple(spoken(block["jingle"].replace("@", name))),
            rerun=Rerun(**block["rerun"]) if block["rerun"] else None,
        )

    def _scripts(self, file: Path, label: str) -> tuple[Script, ...]:
        rows = enumerate(_rows(file), start=1)
        return tuple(Script(f"{file.stem}/{n}", row[label], self.grammar.template(row["text"])) for n, row in rows)


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)
