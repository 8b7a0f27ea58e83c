"""When a project's answers are to be read again: what Label Studio says of it against what was read and told.

A decision from values, with no clock: the sensor that carries it is `sensors/annotations.py`, the reading is `collecting.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from climate_assets.labelling.records import ReadMark

# What changes leave no trace in a project's pulse is found by a full read; once a day costs little and misses nothing for long.
FULL_EVERY: Final = timedelta(hours=24)
# A run takes seconds to minutes; one that failed, or never started, is asked for again after this.
TELL_AGAIN: Final = timedelta(minutes=10)
_FULL: Final = "full"


@dataclass(frozen=True, slots=True)
class Told:
    """What was last reported of a project."""

    pulse: Annotated[str, "Pulse at that time; `full` if a full read was due."]
    at: Annotated[datetime, "When."]


def why_to_read(pulse: str, mark: ReadMark | None, told: Told | None, now: datetime) -> str:
    """Why a project is to be read now, for a person; empty if it is not.

    What was told stays told for `TELL_AGAIN`, unless it has changed since: a tick repeats nothing while a run works on it.
    """
    if mark is None:
        why, state = "it was never read", pulse
    elif mark.pulse != pulse:
        why, state = "people answered, changed or removed something", pulse
    elif now - mark.fully_read_at >= FULL_EVERY:
        why, state = f"it was last read as a whole at {mark.fully_read_at:%Y-%m-%d %H:%M} UTC", _FULL
    else:
        return ""
    return "" if told and told.pulse == state and now - told.at < TELL_AGAIN else why


def told_after(pulse: str, mark: ReadMark | None, now: datetime) -> Told:
    """What to remember once a project was reported."""
    due_in_full = mark is not None and mark.pulse == pulse
    return Told(_FULL if due_in_full else pulse, now)


def whole_read_is_due(mark: ReadMark | None, now: datetime) -> bool:
    """Whether all tasks are to be read, and not the changed ones only."""
    return mark is None or now - mark.fully_read_at >= FULL_EVERY


def in_turn(projects: Iterable[int], first: int) -> list[int]:
    """Projects in the order of one look: from number `first` on, then those before it.

    A look that a slow server cuts short is taken up where it stopped, so that every project has its turn.
    """
    return sorted(projects, key=lambda project: (project < first, project))


def told_from(remembered: Mapping[str, Mapping[str, str]]) -> dict[int, Told]:
    """What was told of each project, as a cursor keeps it."""
    return {int(number): Told(one["pulse"], datetime.fromisoformat(one["at"])) for number, one in remembered.items()}


def remembered(told: Mapping[int, Told]) -> dict[str, dict[str, str]]:
    """The same for a cursor."""
    return {str(number): {"pulse": one.pulse, "at": one.at.isoformat()} for number, one in sorted(told.items())}
