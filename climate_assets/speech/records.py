"""What one row of the speech stage is: a clip, what was heard in it, who spoke when, who that is, and what each one said.

Only shapes and closed lists. A clip is the audio of a chunk or a recording that a person uploaded; everything after it has
the clip's id, country and day. Times are seconds from the clip's start unless said otherwise.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final

# Country under which recordings of people are kept: they belong to no broadcast day.
RECORDINGS: Final = "recordings"
# Name of a voice that nobody is known by.
UNKNOWN: Final = "unknown"


class Origin(StrEnum):
    """Where the words of a transcript come from; a copy is never passed off as heard."""

    ASR = "asr"


class Decision(StrEnum):
    """How a speaker got its name, or why it has none."""

    AUTO = "auto"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"
    HUMAN = "human"


class Residency(StrEnum):
    """What a model-owning process says of its model."""

    LOAD = "load"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Clip:
    """Audio of one chunk, or one recording, as it came (a row of `clips`)."""

    clip_id: Annotated[str, "Chunk id, or content hash of a recording."]
    country: Annotated[str, "Country code; `recordings` for what people upload."]
    day: Annotated[date, "Day of the chunk; for a recording the day it was recorded, or added."]
    channel: Annotated[str, "Channel; for a recording its title."]
    language: Annotated[str, "Language spoken, as in the countries file; empty: to be detected."]
    start: Annotated[datetime, "Instant at which the audio begins, UTC."]
    chunk_offset: Annotated[float, "Seconds from the audio's start to the chunk's start (the margin before it)."]
    seconds: Annotated[float, "Length of the decoded audio."]
    bucket: Annotated[str, "Bucket that holds the audio, untouched."]
    object_key: Annotated[str, "Its key, by content hash."]
    sha256: Annotated[str, "Hash of the bytes."]
    bytes: Annotated[int, "Size."]
    container: Annotated[str, "What the bytes are by their content, such as mp3 or ogg."]
    codec: Annotated[str, "Codec of the first audio stream."]
    sample_rate: Annotated[int, "Samples a second as it came."]
    audio_channels: Annotated[int, "Audio channels as it came."]
    source: Annotated[str, "`export`: asked from the broadcaster's archive; `recording`: uploaded by a person."]


@dataclass(frozen=True, slots=True)
class Word:
    """One word that was heard."""

    start: float
    end: float
    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of words as the recogniser cut it; `gate` says why it is not believed, empty if it is."""

    start: float
    end: float
    text: str
    words: tuple[Word, ...]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    temperature: float
    language: str
    gate: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """All that a recogniser says of one clip, before the guards read it."""

    segments: tuple[Segment, ...]
    language: str
    seconds: float
    speech_seconds: float
    """Seconds in which voice activity was found."""
    speech: tuple[tuple[float, float], ...] = ()
    """Where it was found: first and last second of each stretch, in order."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard in one clip, and how far it is from the source's text (a row of `transcripts`)."""

    clip_id: Annotated[str, "Clip."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day of the clip."]
    channel: Annotated[str, "Channel of the clip."]
    audio_sha256: Annotated[str, "Hash of the audio that was heard."]
    model: Annotated[str, "Recogniser, with its compute type."]
    settings: Annotated[str, "Version of guards, glossary and decoding settings: with audio and model, what the text hangs on."]
    language: Annotated[str, "Language heard, ISO 639-1; several are joined by +."]
    origin: Annotated[str, "`asr`: these words were heard; nothing else is stored here."]
    text: Annotated[str, "Words that are believed, joined by one space; empty when nobody speaks."]
    words: Annotated[int, "How many."]
    gated: Annotated[int, "Segments that are kept and not believed."]
    gate_reasons: Annotated[str, "Why, each reason once."]
    seconds: Annotated[float, "Length of the clip."]
    speech_seconds: Annotated[float, "Seconds with voice activity."]
    word_error_rate: Annotated[float | None, "Edits from the source's text per word of it; none without a source text."]
    difference: Annotated[str, "Both texts aligned, in one readable line; empty without a source text."]
    object_key: Annotated[str, "JSON of segments and words with times, in the lake."]
    sha256: Annotated[str, "Its hash."]


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker speaks without a pause that matters (a row of `speaker_turns`)."""

    clip_id: Annotated[str, "Clip."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day of the clip."]
    start: Annotated[float, "First second."]
    end: Annotated[float, "Last second."]
    speaker: Annotated[str, "Label within the clip, such as SPEAKER_00."]
    exclusive: Annotated[bool, "True: of the division in which one speaks at a time; False: overlap is kept."]
    overlap: Annotated[bool, "Somebody else speaks during it."]
    model: Annotated[str, "Diarizer."]
    audio_sha256: Annotated[str, "Hash of the audio that was divided."]


@dataclass(frozen=True, slots=True)
class Division:
    """That one clip was divided by speaker, and by what: nobody found is an answer too (a row of `divisions`)."""

    clip_id: Annotated[str, "Clip."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day of the clip."]
    audio_sha256: Annotated[str, "Hash of the audio that was divided."]
    model: Annotated[str, "Diarizer."]
    settings: Annotated[str, "Version of its settings: with the audio, what the turns hang on."]
    speakers: Annotated[int, "Speakers found."]
    spoken_seconds: Annotated[float, "Seconds in which somebody speaks."]
    overlap_seconds: Annotated[float, "Seconds in which several do."]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who one speaker of one clip is taken for (a row of `identities`)."""

    clip_id: Annotated[str, "Clip."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day of the clip."]
    speaker: Annotated[str, "Label within the clip."]
    person_id: Annotated[str | None, "Enrolled person; none if unknown or ambiguous."]
    name: Annotated[str, "Name shown; `unknown` without a person."]
    role: Annotated[str, "Role of the person, such as politician; empty without one."]
    score: Annotated[float | None, "Cosine similarity to the best candidate; none when no candidate was compared."]
    second_score: Annotated[float | None, "To the second best."]
    margin: Annotated[float | None, "Best minus second best."]
    segments: Annotated[int, "Stretches of clean speech that the voice was measured on."]
    seconds_used: Annotated[float, "Their length."]
    decision: Annotated[str, "auto, ambiguous, unknown or human."]
    reason: Annotated[str, "Why, for a person."]
    model: Annotated[str, "Encoder of voices; empty when none was asked."]
    bank: Annotated[str, "Version of the voice bank; empty when it is off."]


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words of one turn (a row of `utterances`)."""

    clip_id: Annotated[str, "Clip."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day of the clip."]
    channel: Annotated[str, "Channel of the clip."]
    number: Annotated[int, "Place within the clip, from 0."]
    start: Annotated[float, "Start of its first word."]
    end: Annotated[float, "End of its last word."]
    speaker: Annotated[str, "Label within the clip; `unknown` if no turn is near."]
    person_id: Annotated[str | None, "Enrolled person, if named."]
    name: Annotated[str, "Name shown: the person's, else the label."]
    role: Annotated[str, "Role of the person; empty without one."]
    text: Annotated[str, "Its words, joined by one space."]
    words: Annotated[int, "How many."]
    overlap: Annotated[bool, "Somebody else speaks during some of its words."]
    others: Annotated[list[str], "Labels of those who do."]
    overlap_seconds: Annotated[float, "Seconds of its words that lie in the speaker's turns."]
    margin: Annotated[float, "Those, less the same of the second speaker: how sure the assignment is."]


@dataclass(frozen=True, slots=True)
class AttributedClip:
    """Words and turns of one clip joined: what became of the quote, and where the files lie (a row of `attributed_clips`)."""

    clip_id: Annotated[str, "Clip."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day of the clip."]
    audio_sha256: Annotated[str, "Hash of the audio."]
    folder: Annotated[str, "Folder in the lake: results/YYYYMMDD/<id>/."]
    speakers: Annotated[int, "Speakers found; 0 when nobody divided the clip."]
    utterances: Annotated[int, "How many."]
    quote_start: Annotated[float | None, "When the verdict's quote starts, by the words heard; none if it is not found."]
    quote_end: Annotated[float | None, "When it ends."]
    quote_heard: Annotated[str, "The quote as heard; empty if it is not found."]
    quote_speaker: Annotated[str, "Label of who says most of it; empty if not found."]
    answered_by: Annotated[str, "Label of who answers it; empty if nobody does."]
    challenged_hint: Annotated[bool, "The answer contradicts, by its words; a hint, no verdict."]
    challenge_cue: Annotated[str, "The words that say so."]
    sha256: Annotated[str, "Hash over the files."]


@dataclass(frozen=True, slots=True)
class Recording:
    """A file that a person uploaded (a row of `recordings`)."""

    recording_id: Annotated[str, "Hash of its bytes (SHA-256): the partition."]
    filename: Annotated[str, "Name it came under."]
    title: Annotated[str, "Title shown."]
    language: Annotated[str, "Language spoken, as in the countries file; empty: to be detected, several are possible."]
    day: Annotated[date, "Day it was recorded, or added."]
    bucket: Annotated[str, "Bucket that holds it."]
    object_key: Annotated[str, "Its key."]
    bytes: Annotated[int, "Size."]
    added_at: Annotated[datetime, "When it was added, UTC."]


@dataclass(frozen=True, slots=True)
class Voice:
    """A public person whose voice may be recognised (a row of `voices`)."""

    person_id: Annotated[str, "Random id."]
    name: Annotated[str, "Name shown."]
    role: Annotated[str, "Role, one of the labelling screen's: journalist, commentator, guest, politician, ..."]
    organisation: Annotated[str, "Organisation; may be empty."]
    legal_basis: Annotated[str, "Why the voice may be kept, such as GDPR art. 9(2)(e), with the assessment's reference."]
    source: Annotated[str, "Where the samples come from."]
    expires_on: Annotated[date, "Last day on which it may be used."]
    created_at: Annotated[datetime, "When it was enrolled, UTC."]
    updated_at: Annotated[datetime, "When it was last changed, UTC."]


@dataclass(frozen=True, slots=True)
class VoiceSample:
    """Audio that a person was enrolled with (a row of `voice_samples`)."""

    person_id: Annotated[str, "Person."]
    sha256: Annotated[str, "Hash of the audio."]
    bucket: Annotated[str, "Bucket that holds it."]
    object_key: Annotated[str, "Its key."]
    seconds: Annotated[float, "Length."]


@dataclass(frozen=True, slots=True)
class VoiceVector:
    """How a voice sounds to one encoder, in one stretch of one sample (a row of `voice_vectors`)."""

    person_id: Annotated[str, "Person."]
    sha256: Annotated[str, "Sample it was measured on."]
    model: Annotated[str, "Encoder: vectors of two encoders are never compared."]
    number: Annotated[int, "Stretch within the sample."]
    dimensions: Annotated[int, "Length of the vector."]
    quality: Annotated[float, "Weight, 0..1: seconds of clean speech over those of full confidence."]
    vector: Annotated[list[float], "The vector, of length 1."]


@dataclass(frozen=True, slots=True)
class VoiceErasure:
    """Proof that a voice was forgotten; holds no name and no vector (a row of `voice_erasures`)."""

    person_id: Annotated[str, "Random id of who was forgotten."]
    erased_at: Annotated[datetime, "When, UTC."]
    samples: Annotated[int, "Samples removed."]
    objects: Annotated[int, "Objects removed from the lake."]
    vectors: Annotated[int, "Vectors removed."]
    clips: Annotated[list[str], "Clips whose names are to be made again."]
    proof: Annotated[str, "SHA-256 over the hashes of all that was removed, in order."]


@dataclass(frozen=True, slots=True)
class VoiceAccess:
    """Somebody, or some step, read or changed the voice bank (a row of `voice_access`)."""

    access_id: Annotated[str, "Random id."]
    at: Annotated[datetime, "When, UTC."]
    who: Annotated[str, "User of the command, or asset."]
    action: Annotated[str, "add, list, forget, match, import or name."]
    person_id: Annotated[str, "Person; empty if all."]


@dataclass(frozen=True, slots=True)
class SpeakerName:
    """What a person said of one speaker of one clip; stands above what a model says (a row of `speaker_names`)."""

    clip_id: Annotated[str, "Clip."]
    speaker: Annotated[str, "Label within the clip."]
    person_id: Annotated[str | None, "Enrolled person; none: this is nobody of the bank."]
    said_by: Annotated[str, "Who said so."]
    said_at: Annotated[datetime, "When, UTC."]


@dataclass(frozen=True, slots=True)
class ModelEvent:
    """A model came into memory, or left it (a row of `model_events`)."""

    event_id: Annotated[str, "Random id of the residency; load and release share it."]
    event: Annotated[str, "load or release."]
    at: Annotated[datetime, "When, UTC."]
    stage: Annotated[str, "Asset that owns it."]
    model: Annotated[str, "Model."]
    host: Annotated[str, "Machine."]
    pid: Annotated[int, "Process that holds it."]
    device: Annotated[str, "cpu or cuda."]
    memory_used: Annotated[float, "GiB resident in the process."]
    vram_used: Annotated[float, "GiB used on the device; 0 on a cpu."]
    vram_free: Annotated[float, "GiB free on the device; 0 on a cpu."]
    how: Annotated[str, "release: success, error, cancelled or crashed."]
