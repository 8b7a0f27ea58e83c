"""Joins what the speech stage has of chunks that people are asked about, and says which of them have to wait for it.

What a task shows of it is `heard.py`; nothing is written here.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping

from climate_assets.labelling.heard import STAGES, Speech
from climate_assets.speech.records import AttributedClip, Clip, Transcript, Utterance
from climate_assets.states import StageState, State
from resources.postgres import Barometre

_AGAIN = (State.PENDING, State.FAILED)


def speech_of(chunk_ids: Collection[str], barometre: Barometre) -> tuple[dict[str, Speech], set[str]]:
    """Speech by chunk, and the chunks of which a stage of it is still to be tried."""
    ids = list(chunk_ids)
    states: dict[str, dict[str, StageState]] = defaultdict(dict)
    for state in barometre.read(StageState, stage=list(STAGES), item_id=ids):
        states[state.item_id][state.stage] = state
    clips = {c.clip_id: c for c in barometre.read(Clip, clip_id=ids)}
    transcripts = {t.clip_id: t for t in barometre.read(Transcript, clip_id=ids)}
    attributed = {a.clip_id: a for a in barometre.read(AttributedClip, clip_id=ids)}
    utterances: dict[str, list[Utterance]] = defaultdict(list)
    for utterance in barometre.read(Utterance, clip_id=ids):
        utterances[utterance.clip_id].append(utterance)
    speech = {i: Speech(clips.get(i), transcripts.get(i), utterances[i], attributed.get(i), _reasons(states[i])) for i in ids}
    return speech, {i for i in ids if is_awaited(states[i])}


def is_awaited(states: Mapping[str, StageState]) -> bool:
    """Whether a chunk's sound or words may still come, by its state at each stage.

    What hangs on a stage that ended without a result is not waited for: it stays pending for as long as nobody helps that.
    """
    clip, words, turns, names, fusion = (states[stage].state if stage in states else None for stage in STAGES)
    if clip != State.OK or words != State.OK:
        return clip in _AGAIN or (clip == State.OK and words in _AGAIN)
    return turns in _AGAIN or fusion in _AGAIN or (turns == State.OK and names in _AGAIN)


def _reasons(states: Mapping[str, StageState]) -> dict[str, str]:
    return {stage: state.reason for stage, state in states.items() if state.state != State.OK}
