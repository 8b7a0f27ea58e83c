"""One model, loaded once, over many clips: every clip ends ok or failed, whatever happens to the model.

Belongs here: this loop. What the model is asked is `hearing.py` and `speaking.py`; loading and releasing are resources.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, TypeVar

from climate_assets.failures import Permanent, Transient
from climate_assets.speech.clip_states import ClipStates, Item
from climate_assets.speech.decoding import decoded_clips
from climate_assets.speech.records import Clip
from resources.s3 import Lake

M = TypeVar("M")
# A clip that kills its model is one clip; a model that dies again and again is a machine in trouble.
LOADS: Final = 3


def item_of(clip: Clip) -> Item:
    """A clip as what has a state."""
    return Item(clip.clip_id, clip.country, clip.day)


def over_clips(
    due: Sequence[Clip],
    states: ClipStates,
    lake: Lake,
    loaded: Callable[[], AbstractContextManager[M]],
    make: Callable[[M, Clip, Path], None],
) -> None:
    """Give each clip's PCM to `make` under one load; a clip that ends the model is failed and the model loaded again."""
    left, trouble = list(due), ""
    for _ in range(LOADS):
        if not left:
            return
        try:
            with loaded() as model:
                left, trouble = _while_it_lives(model, left, states, lake, make)
        except (Permanent, Transient) as refusal:
            # Another model, another card or another address of the hub may cure it: tried again, a few times.
            for clip in left:
                states.failed(item_of(clip), Transient(str(refusal)))
            return
    for clip in left:
        states.waiting(item_of(clip), f"the model ended {LOADS} times in this run, at last: {trouble}")


def _while_it_lives(
    model: M, clips: list[Clip], states: ClipStates, lake: Lake, make: Callable[[M, Clip, Path], None]
) -> tuple[list[Clip], str]:
    """Clips that are left when the model ended, and how it ended."""
    for number, (clip, found) in enumerate(decoded_clips(clips, lake)):
        try:
            if not isinstance(found, Path):
                raise found
            make(model, clip, found)
            states.ok(item_of(clip))
        except Permanent as trouble:
            states.failed(item_of(clip), trouble)
        except Transient as trouble:
            states.failed(item_of(clip), trouble)
            if isinstance(found, Path):
                return clips[number + 1 :], str(trouble)
    return [], ""
