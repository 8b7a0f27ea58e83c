"""Hearing clips again: one model load for all of a run's clips; a file, a row and a state for each, written as it is done.

What is heard already, on the same sound with the same settings, is not heard again. The model is `resources/whisper.py`,
what is believed of its words `guards.py`, how far they are from the source's text `differences.py`.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from climate_assets.broadcast.records import Chunk
from climate_assets.speech.clip_states import ClipStates
from climate_assets.speech.guards import guarded
from climate_assets.speech.model_runs import item_of, over_clips
from climate_assets.speech.records import Clip, Transcript
from climate_assets.speech.transcripts import heard_bytes, settings, transcript
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.s3 import LAKE, Lake
from resources.whisper import Recogniser, Whisper


def transcribe(
    stage: str, clips: Sequence[Clip], barometre: Barometre, lake: Lake, whisper: Whisper, reference: ReferenceFiles
) -> ClipStates:
    """Hear every clip that has no transcript of this sound by these settings."""
    states = ClipStates.of(stage, map(item_of, clips), barometre)
    phrases = reference.invented_phrases()
    names = {language: reference.glossary(language).hotwords for language in {c.language for c in clips}}
    decoding = f"{Path(whisper.model).name or 'default'}+{whisper.decoding}"
    wanted = {language: settings(decoding, hotwords, phrases) for language, hotwords in names.items()}
    ids = [c.clip_id for c in clips]
    stored = {t.clip_id: (t.audio_sha256, t.settings) for t in barometre.read(Transcript, clip_id=ids)} if ids else {}
    texts = {c.chunk_id: c.text for c in barometre.read(Chunk, chunk_id=ids)} if ids else {}
    due = []
    for clip in clips:
        if stored.get(clip.clip_id) == (clip.sha256, wanted[clip.language]):
            states.ok(item_of(clip))
        elif states.is_dead(item_of(clip)):
            states.keep(item_of(clip))
        else:
            due.append(clip)

    def hear(recogniser: Recogniser, clip: Clip, pcm: Path) -> None:
        heard = guarded(recogniser.hear(pcm, clip.language, names[clip.language]), phrases)
        key = f"transcripts/sha256={clip.sha256}/{recogniser.model}.json"
        # The file is there before the row that names it.
        lake.put(LAKE, key, heard_bytes(heard))
        row = transcript(
            clip,
            heard,
            texts.get(clip.clip_id, ""),
            model=recogniser.model,
            settings=wanted[clip.language],
            object_key=key,
        )
        states.wrote(item_of(clip), barometre.upsert([row], Transcript))

    over_clips(due, states, lake, partial(whisper.loaded, barometre, stage), hear)
    return states
