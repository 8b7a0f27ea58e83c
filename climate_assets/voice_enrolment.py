"""How a voice comes into the bank: samples are decoded, measured in stretches, and kept only if they are good to know it by.

Belongs here: this join of decoder, encoder, lake and bank, with all of them handed in. What an enrolment needs is
`speech/enrolment.py`; what is kept, and how it goes, `resources/voice_bank.py`; what a person types, `voice_commands.py`.
"""

import hashlib
import io
import math
import tempfile
import wave
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from climate_assets.failures import Permanent
from climate_assets.speech.enrolment import (
    MOST_SAMPLE_SECONDS,
    SAMPLE_RATE,
    Enrolment,
    Stretch,
    accepted,
    legacy_candidates,
    measured_refusal,
    speech_stretches,
)
from climate_assets.speech.identities import THRESHOLD
from climate_assets.speech.records import Clip, Turn, Voice
from climate_assets.speech.turns import measurable
from climate_assets.speech.voiceprints import FULL_CONFIDENCE_SECONDS, Span, mean_voice, weight_of
from resources.decoder import decoded
from resources.voice_bank import Sample, VoiceBank

MOST_SAMPLES: Final = 20
_MOST_FILES: Final = 5_000
_MOST_BYTES: Final = 200 * 1024 * 1024
_PROFILE_BYTES: Final = 65_537  # one more than is accepted, so that too long is seen
# A recording may last four hours.
_MOST_CLIP_BYTES: Final = 2 * 1024**3
_MOST_CLIP_SECONDS: Final = 5 * 3600.0
_PAUSE: Final = np.zeros(SAMPLE_RATE // 2, dtype="<i2")


class Encoder(Protocol):
    """What measures a voice."""

    @property
    def model(self) -> str:
        """Its name."""

    def embed(self, pcm: Path, spans: Sequence[Span]) -> list[list[float] | None]:
        """A vector for each span of a PCM file; none for one too short to measure."""


@dataclass(frozen=True, slots=True)
class Audio:
    """A sample before it is measured."""

    content: bytes
    extension: str
    place: str


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What became of one enrolment: the voice, or why there is none, and whom it sounds like."""

    name: str
    voice: Voice | None
    said: str


def enrol(
    bank: VoiceBank, encoder: Encoder, asked: Enrolment, audios: Sequence[Audio], who: str, action: str = "add"
) -> Enrolled:
    """Measure the samples and keep the voice; raises `Permanent` with the reason when they are no good, and keeps nothing."""
    samples = [_measured(encoder, audio) for audio in audios]
    new = {hashlib.sha256(sample.content).hexdigest() for sample, _ in samples}
    stretches = [list(zip(seconds, sample.vectors, strict=True)) for sample, seconds in samples]
    if refusal := measured_refusal(asked.name, [*_enrolled_before(bank, encoder.model, asked.name, new), *stretches]):
        raise Permanent(refusal)
    voice = bank.add(asked, [sample for sample, _ in samples], who, action)
    count = sum(len(sample.vectors) for sample, _ in samples)
    said = f"{count} stretches of {sum(math.fsum(spans) for _, spans in samples):.1f} s measured by {encoder.model}"
    return Enrolled(voice.name, voice, "; ".join([said, *_alike(bank, encoder.model, voice)]))


def imported(bank: VoiceBank, encoder: Encoder, folder: Path, stated: Enrolment, who: str) -> tuple[list[Enrolled], list[str]]:
    """Every voice of a legacy bank in a folder, under what is stated of all; what is left aside, with its reason."""
    paths = _listed(folder)
    profiles = {path: _head(folder / path) for path in paths if path.endswith("profile.json")}
    candidates, aside = legacy_candidates(paths, profiles)
    done = []
    for candidate in candidates:
        try:
            audios = [sample_file(folder / path) for path in candidate.samples]
            done.append(enrol(bank, encoder, replace(stated, name=candidate.name), audios, who, "import"))
        except Permanent as refusal:
            done.append(Enrolled(candidate.name, None, str(refusal)))
    return done, aside


def checked(bank: VoiceBank, asked: Enrolment) -> Enrolment:
    """The enrolment, if the bank is on and nothing speaks against it; asked before a model is loaded for it."""
    if bank.off:
        raise Permanent(bank.off)
    return accepted(asked, datetime.now(UTC).date())


def sample_file(path: Path) -> Audio:
    """A file a person gives as sample; raises `Permanent` when it cannot be read or is too large."""
    try:
        size = path.stat().st_size
        if not path.is_file() or size > _MOST_BYTES:
            raise Permanent(f"{path} is no file of at most {_MOST_BYTES // 2**20} MiB; give a sample of 10 to 60 s")
        extension = path.suffix.lstrip(".").lower()
        return Audio(path.read_bytes(), extension if extension.isalnum() and len(extension) <= 5 else "audio", str(path))
    except OSError as error:
        raise Permanent(f"{path} cannot be read ({error.strerror}); give a sample that is there") from error


def clip_sample(bank: VoiceBank, clip_id: str, speaker: str) -> Audio:
    """What one speaker of a stored clip says alone, as a WAV of the stretches with pauses between them."""
    clips = bank.barometre.read(Clip, clip_id=clip_id)
    turns = bank.barometre.read(Turn, clip_id=clip_id)
    if not clips:
        raise Permanent(f"there is no clip {clip_id!r}; an id is country/channel/start, or the hash of a recording")
    if speaker not in {turn.speaker for turn in turns}:
        labels = ", ".join(sorted({turn.speaker for turn in turns})) or "none, make speaker_turns first"
        raise Permanent(f"clip {clip_id} has no speaker {speaker!r}; it has {labels}")
    with tempfile.TemporaryDirectory(prefix="voice-") as folder:
        source, pcm = Path(folder) / "clip", Path(folder) / "clip.pcm"
        bank.lake.download(clips[0].bucket, clips[0].object_key, source, _MOST_CLIP_BYTES)
        decoded(source, pcm, max_seconds=_MOST_CLIP_SECONDS)
        sound = np.memmap(pcm, dtype="<i2", mode="r")
        pieces = [sound[int(s * SAMPLE_RATE) : int(e * SAMPLE_RATE)] for s, e in sorted(measurable(turns, speaker))]
        if not pieces:
            raise Permanent(f"{speaker} of clip {clip_id} is never heard alone long enough; choose another clip")
        return Audio(_wav(part for piece in pieces for part in (piece, _PAUSE)), "wav", f"{clip_id} {speaker}")


def _measured(encoder: Encoder, audio: Audio) -> tuple[Sample, list[float]]:
    """A sample with a vector for each stretch of speech that can be measured, and the seconds of these stretches."""
    with tempfile.TemporaryDirectory(prefix="voice-") as folder:
        source, pcm = Path(folder) / f"sample.{audio.extension}", Path(folder) / "sample.pcm"
        source.write_bytes(audio.content)
        try:
            info = decoded(source, pcm, max_seconds=MOST_SAMPLE_SECONDS)
        except Permanent as error:
            raise Permanent(f"{audio.place}: {error}") from error
        spans = speech_stretches(np.fromfile(pcm, dtype="<i2"))
        vectors = encoder.embed(pcm, spans) if spans else []
    found = [(end - start, vector) for (start, end), vector in zip(spans, vectors, strict=True) if vector is not None]
    seconds = [length for length, _ in found]
    measured = tuple(tuple(vector) for _, vector in found)
    return Sample(
        audio.content, audio.extension, info.seconds, encoder.model, measured, tuple(map(weight_of, seconds))
    ), seconds


def _enrolled_before(bank: VoiceBank, model: str, name: str, new: set[str]) -> list[list[Stretch]]:
    """What is measured already of the voice of that name, sample by sample, but for those that come again."""
    found: dict[str, list[Stretch]] = {}
    for voice in bank.voices():
        for vector in bank.vectors(voice.person_id, model) if voice.name.casefold() == name.casefold() else []:
            if vector.sha256 not in new:
                found.setdefault(vector.sha256, []).append((vector.quality * FULL_CONFIDENCE_SECONDS, vector.vector))
    return list(found.values())


def _alike(bank: VoiceBank, model: str, voice: Voice) -> Iterator[str]:
    """A sentence for each other enrolled voice that this one would be taken for."""
    means = {}
    for other in bank.voices():
        vectors = bank.vectors(other.person_id, model)
        means[other.person_id] = (other.name, mean_voice([v.vector for v in vectors], [v.quality for v in vectors]))
    _, own = means.pop(voice.person_id)
    for name, mean in means.values():
        if own is not None and mean is not None and (likeness := math.fsum(own * mean)) >= THRESHOLD:
            yield f"sounds like {name} ({likeness:.2f}): speakers of either may stay ambiguous; is it the same person?"


def _listed(folder: Path) -> list[str]:
    """Files below a folder, by relative path; links are not followed out of it."""
    if not folder.is_dir():
        raise Permanent(f"{folder} is no folder; give the voice bank's")
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            found.append(path.relative_to(folder).as_posix())
        if len(found) > _MOST_FILES:
            raise Permanent(f"{folder} has more than {_MOST_FILES} files; give the folder of the voice bank itself")
    return found


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_PROFILE_BYTES)


def _wav(pieces: Iterable[np.ndarray[tuple[int, ...], np.dtype[np.int16]]]) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        for piece in pieces:
            file.writeframes(piece.astype("<i2").tobytes())
    return content.getvalue()
