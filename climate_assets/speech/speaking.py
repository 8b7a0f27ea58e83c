"""Dividing clips by speaker, and naming the speakers: one model load each for all of a run's clips.

A division is kept; how an unknown voice sounds is not: vectors are measured again from stored sound whenever names are to be
made, compared, and forgotten with the process. Rules are in `turns.py` and `identities.py`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from climate_assets.countries import SpeechChoice
from climate_assets.speech.clip_states import ClipStates
from climate_assets.speech.identities import Gallery, Measured, identities
from climate_assets.speech.model_runs import item_of, over_clips
from climate_assets.speech.records import Clip, Division, Identity, SpeakerName, Turn
from climate_assets.speech.turns import measurable, turns, union
from resources.diarizer import Diarizer, Divider, Encoder
from resources.postgres import Barometre
from resources.s3 import Lake
from resources.voice_bank import VoiceBank

ANY: Final = SpeechChoice()


def divide(
    stage: str, clips: Sequence[Clip], barometre: Barometre, lake: Lake, diarizer: Diarizer, hints: Mapping[str, SpeechChoice]
) -> ClipStates:
    """Divide every clip that has no division of this sound by these settings; hints are by country."""
    states = ClipStates.of(stage, map(item_of, clips), barometre)
    ids = [c.clip_id for c in clips]
    stored = {d.clip_id: (d.audio_sha256, d.settings) for d in barometre.read(Division, clip_id=ids)} if ids else {}
    due = []
    for clip in clips:
        wanted = (clip.sha256, _settings(diarizer, hints.get(clip.country, ANY)))
        if stored.get(clip.clip_id) == wanted or (diarizer.missing and clip.clip_id in stored):
            states.ok(item_of(clip))
        elif diarizer.missing:
            states.skipped(item_of(clip), diarizer.missing)
        elif states.is_dead(item_of(clip)):
            states.keep(item_of(clip))
        else:
            due.append(clip)

    def part(divider: Divider, clip: Clip, pcm: Path) -> None:
        hint = hints.get(clip.country, ANY)
        rows = turns(clip, divider.divide(pcm, hint.min_speakers, hint.max_speakers), divider.model)
        states.wrote(item_of(clip), barometre.replace(rows, Turn, clip_id=clip.clip_id))
        # Last, since it says that the turns are all there.
        division = _division(clip, rows, divider.model, _settings(diarizer, hint))
        states.wrote(item_of(clip), barometre.upsert([division], Division))

    over_clips(due, states, lake, partial(diarizer.loaded, barometre, stage), part)
    return states


def _settings(diarizer: Diarizer, hint: SpeechChoice) -> str:
    """What turns hang on beside the sound; a folder is named by its last part."""
    speakers = f"{hint.min_speakers or 1}-{hint.max_speakers or 'any'}"
    return (
        f"{Path(diarizer.model).name} speakers {speakers} window {diarizer.window_seconds:g} link {diarizer.link_similarity:g}"
    )


def _division(clip: Clip, rows: Sequence[Turn], model: str, settings: str) -> Division:
    spoken = [t for t in rows if not t.exclusive]
    seconds = sum(end - start for start, end in union((t.start, t.end) for t in spoken))
    return Division(
        clip_id=clip.clip_id,
        country=clip.country,
        day=clip.day,
        audio_sha256=clip.sha256,
        model=model,
        settings=settings,
        speakers=len({t.speaker for t in spoken}),
        spoken_seconds=round(seconds, 3),
        overlap_seconds=round(sum(t.end - t.start for t in spoken) - seconds, 3),
    )


def name(
    stage: str, clips: Sequence[Clip], barometre: Barometre, lake: Lake, diarizer: Diarizer, voices: VoiceBank
) -> ClipStates:
    """Name the speakers of every clip that has none named yet, or that a change of the voice bank has marked."""
    states = ClipStates.of(stage, map(item_of, clips), barometre)
    ids = [c.clip_id for c in clips]
    divided = {d.clip_id for d in barometre.read(Division, clip_id=ids)} if ids else set()
    spoken, before = defaultdict(list), defaultdict(list)
    for turn in barometre.read(Turn, clip_id=ids) if ids else []:
        spoken[turn.clip_id].append(turn)
    for row in barometre.read(Identity, clip_id=ids) if ids else []:
        before[row.clip_id].append(row)
    said = barometre.read(SpeakerName, clip_id=ids) if ids else []
    due = []
    for clip in clips:
        speakers = {t.speaker for t in spoken[clip.clip_id]}
        if clip.clip_id not in divided:
            states.skipped(item_of(clip), "nobody has divided the clip by speaker: see speaker_turns")
        elif states.is_dead(item_of(clip)):
            states.keep(item_of(clip))
        elif {i.speaker for i in before[clip.clip_id]} == speakers and not states.is_marked(item_of(clip)):
            states.ok(item_of(clip))
        else:
            due.append(clip)

    def write(clip: Clip, measured: Sequence[Measured], known: Gallery) -> None:
        rows = identities(clip, measured, known, said)
        kept = {i.speaker: i for i in before[clip.clip_id]}
        rows = [_as_before(row, kept.get(row.speaker)) for row in rows]
        states.wrote(item_of(clip), barometre.replace(rows, Identity, clip_id=clip.clip_id))

    if voices.off or diarizer.missing:
        # Without measuring, what people said of speakers still stands, and everybody else is unknown.
        for clip in due:
            write(clip, [Measured(s) for s in _speakers(spoken[clip.clip_id])], voices.names())
            states.ok(item_of(clip))
        return states

    galleries: dict[str, Gallery] = {}

    def measure(encoder: Encoder, clip: Clip, pcm: Path) -> None:
        # A voice may be used until it expires, whatever day the sound is of.
        known = galleries.get(encoder.model) or voices.gallery(encoder.model, encoder.dimensions, date.today(), stage)
        galleries[encoder.model] = known
        write(clip, [_measured(encoder, pcm, spoken[clip.clip_id], s) for s in _speakers(spoken[clip.clip_id])], known)

    over_clips(due, states, lake, partial(diarizer.encoder, barometre, stage), measure)
    return states


def _speakers(rows: Sequence[Turn]) -> list[str]:
    return sorted({t.speaker for t in rows})


def _measured(encoder: Encoder, pcm: Path, rows: Sequence[Turn], speaker: str) -> Measured:
    """How one speaker sounds where nobody else speaks; lives as long as the comparison."""
    stretches = measurable(rows, speaker)
    vectors = zip(encoder.embed(pcm, stretches), stretches, strict=True)
    found = [(vector, end - start) for vector, (start, end) in vectors if vector is not None]
    return Measured(speaker, tuple(tuple(v) for v, _ in found), tuple(seconds for _, seconds in found))


def _as_before(row: Identity, before: Identity | None) -> Identity:
    """The row as it was where the answer is the same: a voice that was not enrolled changes nothing for the others."""
    if before is None:
        return row
    same = ("speaker", "person_id", "name", "role", "decision")
    unchanged = all(getattr(row, field) == getattr(before, field) for field in same)
    return before if unchanged else row
