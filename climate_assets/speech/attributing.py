"""Joining words with speakers, clip by clip, and keeping what is written of it: files first, then the rows that name them.

Everything is made again on each run from what is stored; the same input writes the same bytes, so nothing changes. The steps
are `attribution.py`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from climate_assets.broadcast.records import CleanChunk
from climate_assets.claims.in_use import in_use
from climate_assets.claims.records import Verdict
from climate_assets.failures import Permanent, Transient
from climate_assets.speech.attribution import Attribution, attributed
from climate_assets.speech.clip_states import ClipStates
from climate_assets.speech.model_runs import item_of
from climate_assets.speech.records import AttributedClip, Clip, Identity, Transcript, Turn, Utterance
from climate_assets.speech.transcripts import heard_of
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.s3 import LAKE, Lake


def attribute(stage: str, clips: Sequence[Clip], barometre: Barometre, lake: Lake, reference: ReferenceFiles) -> ClipStates:
    """Join words and speakers of every clip that was heard."""
    states = ClipStates.of(stage, map(item_of, clips), barometre)
    ids = [c.clip_id for c in clips]
    transcripts = {t.clip_id: t for t in barometre.read(Transcript, clip_id=ids)} if ids else {}
    verdicts = _verdicts(ids, barometre)
    turns: dict[str, list[Turn]] = defaultdict(list)
    names: dict[str, list[Identity]] = defaultdict(list)
    for turn in barometre.read(Turn, clip_id=ids) if ids else []:
        turns[turn.clip_id].append(turn)
    for identity in barometre.read(Identity, clip_id=ids) if ids else []:
        names[identity.clip_id].append(identity)
    cues, fonts = reference.contradictions(), reference.fonts()
    for clip in clips:
        item, transcript = item_of(clip), transcripts.get(clip.clip_id)
        if transcript is None:
            states.skipped(item, "nobody has heard the clip: see whisper_transcripts")
            continue
        try:
            heard = heard_of(lake.get(LAKE, transcript.object_key))
            made = attributed(
                clip, heard, transcript, turns[clip.clip_id], names[clip.clip_id], verdicts.get(clip.clip_id), cues, fonts
            )
            _store(clip, made, states, lake)
        except (Permanent, Transient) as trouble:
            states.failed(item, trouble)
            continue
        states.ok(item)
    return states


def _store(clip: Clip, made: Attribution, states: ClipStates, lake: Lake) -> None:
    for name, content in made.files.items():
        lake.put(LAKE, made.row.folder + name, content)
    states.wrote(item_of(clip), states.barometre.replace(made.utterances, Utterance, clip_id=clip.clip_id))
    states.wrote(item_of(clip), states.barometre.upsert([made.row], AttributedClip))


def _verdicts(ids: Sequence[str], barometre: Barometre) -> Mapping[str, Verdict]:
    """The standing verdict of each clip that is of a chunk."""
    clean = {c.chunk_id: c for c in barometre.read(CleanChunk, chunk_id=list(ids))} if ids else {}
    found = barometre.read(Verdict, chunk_id=list(clean)) if clean else []
    return {v.chunk_id: v for v in in_use(barometre).standing(found, clean)}
