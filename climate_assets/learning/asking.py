"""What sensors ask of the loop: which rounds begin, which trainings are wanted, what a moved champion brings with it.

Tables of values in, requests out; no clock but what is passed in, no memory. Belongs here: decisions. Does not belong here:
carrying them out (`sensors/learning.py`), when a round is due (`rounds.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Final

from climate_assets.failures import Permanent
from climate_assets.learning.iterations import Move
from climate_assets.learning.lines import Line, line_of
from climate_assets.learning.records import Round

EVALUATION: Final = "evaluation"
TRAINING: Final = "training"
PATIENCE: Final = timedelta(minutes=20)
"""How long something that was asked for may take to show in the tables before it is asked for again."""
MOST_TRIES: Final = 3
A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Open:
    """Something that a round still needs."""

    round: str
    wants: Annotated[str, "`evaluation` or `training`."]


@dataclass(frozen=True, slots=True)
class Asked:
    """How often something was asked for, and when last."""

    tries: int
    at: datetime


def rounds_opened(keys: Iterable[str], lines: Iterable[Line]) -> list[str]:
    """The newest round of each line that is still followed; a later round rests on the earlier ones, which are closed.

    A partition that somebody added by hand under another name is nobody's round.
    """
    newest: dict[Line, tuple[int, str]] = {}
    followed = set(lines)
    for key in keys:
        try:
            line, number = line_of(key)
        except Permanent:
            continue
        if line in followed and number >= newest.get(line, (0, ""))[0]:
            newest[line] = (number, key)
    return sorted(key for _, key in newest.values())


def unfinished(opened: Iterable[str], rounds: Sequence[Round], decided: Iterable[str]) -> list[Open]:
    """What rounds still need: `opened` are keys that were begun, `rounds` those measured, `decided` those decided on."""
    measured, done, keys = {r.round: r for r in rounds}, set(decided), set(opened)
    wants = [Open(key, EVALUATION) for key in sorted(keys) if key not in measured]
    return wants + [
        Open(r.round, TRAINING) for r in rounds if r.round in keys and r.move == Move.RETRAIN and r.round not in done
    ]


def asked_again(open_: Open, asked: Asked | None, now: datetime, running: bool) -> bool:
    """Whether something unfinished is asked for now: at once if it never was, then `MOST_TRIES` times after `PATIENCE` each.

    What is running is waited for. After that it is asked for once a day: an outage ends some time, and nothing is given up.
    """
    if running:
        return False
    return asked is None or now - asked.at >= (PATIENCE if asked.tries < MOST_TRIES else A_DAY)


def moved(champions: Mapping[str, str], told: Mapping[str, str]) -> dict[str, bool]:
    """Lines whose champion is another one than was told, and whether there was one before: then verdicts may be made again."""
    return {line: line in told for line, model in sorted(champions.items()) if told.get(line) != model}


def judged_again(days: Mapping[str, Iterable[date]], most: int) -> list[tuple[str, date]]:
    """Countries and days whose verdicts a new champion makes again: the last `most` days with any, newest first."""
    found = []
    for country, known in sorted(days.items()):
        ordered = sorted(known, reverse=True)
        found += [(country, day) for day in ordered if ordered[0] - day < timedelta(days=most)]
    return found
