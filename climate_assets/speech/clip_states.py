"""Where each clip stands at one stage of speech, and what a try makes of it.

A state is written as soon as its clip is done, so that a killed run loses one clip at most. What a stage does with a clip is
the other joins' part; which chunk is a clip is `intake.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from climate_assets.failures import Permanent, Transient
from climate_assets.policies import SPEECH_ATTEMPTS
from climate_assets.states import StageState, State
from climate_assets.tables import bars
from resources.postgres import Barometre, Change


@dataclass(frozen=True, slots=True)
class Item:
    """What has a state: a chunk or a recording, with the slice it is kept in."""

    item_id: str
    country: str
    day: date


@dataclass
class ClipStates:
    """States of one stage: as they were, as they become, and what was written on the way."""

    stage: str
    barometre: Barometre
    before: dict[str, StageState]
    now: dict[str, StageState] = field(default_factory=dict)
    changes: dict[tuple[str, date], Change] = field(default_factory=lambda: defaultdict(Change))

    @classmethod
    def of(cls, stage: str, items: Iterable[Item], barometre: Barometre) -> "ClipStates":
        """The states of these items as they stand."""
        ids = [i.item_id for i in items]
        found = barometre.read(StageState, stage=stage, item_id=ids) if ids else []
        return cls(stage, barometre, {s.item_id: s for s in found})

    def is_dead(self, item: Item) -> bool:
        """Whether only a person can help it."""
        state = self.before.get(item.item_id)
        return state is not None and state.state == State.DEAD

    def is_marked(self, item: Item) -> bool:
        """Whether it waits to be made again."""
        state = self.before.get(item.item_id)
        return state is not None and state.state in (State.PENDING, State.FAILED)

    def keep(self, item: Item) -> None:
        """It stays as it is."""
        self.now[item.item_id] = self.before[item.item_id]

    def ok(self, item: Item) -> None:
        """It is done."""
        self._set(item, State.OK, "", 0)

    def skipped(self, item: Item, reason: str) -> None:
        """There is nothing to do for it here, and why."""
        self._set(item, State.SKIPPED, reason, 0)

    def waiting(self, item: Item, reason: str) -> None:
        """It cannot be tried now; that is no failure of its own."""
        before = self.before.get(item.item_id)
        self._set(item, State.PENDING, reason, before.attempts if before else 0)

    def failed(self, item: Item, trouble: Exception) -> None:
        """A try failed: it is tried again, or a person has to look."""
        before = self.before.get(item.item_id)
        attempts = (before.attempts if before else 0) + 1
        over = isinstance(trouble, Permanent) or attempts >= SPEECH_ATTEMPTS
        self._set(item, State.DEAD if over else State.FAILED, str(trouble), attempts)

    def wrote(self, item: Item, change: Change) -> None:
        """Rows of an item were written."""
        self.changes[item.country, item.day] += change

    def told(self, country: str, day: date) -> dict[str, Any]:
        """What a run says of one slice: where its clips stand, and why those that are not done are not."""
        here = [s for s in self.now.values() if (s.country, s.day) == (country, day)]
        reasons = Counter(s.reason for s in here if s.reason)
        return {
            "clips_by_state": bars(Counter(s.state for s in here), "clips"),
            "waiting": sum(s.state in (State.PENDING, State.FAILED) for s in here),
            "dead": sum(s.state == State.DEAD for s in here),
            "reasons": bars(reasons, "clips") if reasons else None,
        }

    def raise_trouble(self) -> None:
        """Fail the step if a clip failed or waits: for a recording there is nobody else to hear of it."""
        stuck = [s for s in self.now.values() if s.state in (State.FAILED, State.DEAD, State.PENDING)]
        if stuck:
            kind = Permanent if all(s.state == State.DEAD for s in stuck) else Transient
            raise kind("; ".join(f"{s.item_id[:16]}: {s.reason}" for s in stuck[:5]))

    def _set(self, item: Item, state: State, reason: str, attempts: int) -> None:
        made = StageState(self.stage, item.item_id, item.country, item.day, state.value, reason, attempts)
        self.now[item.item_id] = made
        if made != self.before.get(item.item_id):
            self.wrote(item, self.barometre.upsert([made], StageState))
