"""One clip put together: utterances, what became of the verdict's quote, and the files that are written of it.

Belongs here: the order of the steps, the folder's name, the hash over the files. The steps themselves are `fusion.py`,
`relocation.py`, `replies.py`, `captions.py`, `reports.py`, `report_pdf.py` and `legacy_files.py`.
The same input gives the same rows and the same bytes.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from climate_assets.claims.records import Verdict
from climate_assets.failures import Permanent
from climate_assets.speech import legacy_files
from climate_assets.speech.captions import cues as captions
from climate_assets.speech.captions import webvtt
from climate_assets.speech.fusion import Said, fused
from climate_assets.speech.languages import word as language_word
from climate_assets.speech.records import RECORDINGS, AttributedClip, Clip, Heard, Identity, Transcript, Turn, Utterance
from climate_assets.speech.relocation import Relocated, relocated
from climate_assets.speech.replies import NOBODY, Cues, cues_of, reply
from climate_assets.speech.report_pdf import Fonts, pdf
from climate_assets.speech.reports import markdown, report

_CHUNK: Final = re.compile(r"([\w-]+)/([\w-]+)/(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2}(?:\.\d+)?)Z", re.ASCII)
_RECORDING: Final = re.compile(r"[0-9a-f]{64}")
RECORDING_CHARACTERS: Final = 16


@dataclass(frozen=True, slots=True)
class Attribution:
    """All that is known of one clip once words and turns are joined."""

    utterances: tuple[Utterance, ...]
    row: AttributedClip
    files: dict[str, bytes]
    """By name within the row's folder."""


def attributed(
    clip: Clip,
    heard: Heard,
    transcript: Transcript,
    turns: Sequence[Turn],
    identities: Sequence[Identity],
    verdict: Verdict | None,
    cues: Mapping[str, Cues],
    fonts: Fonts,
) -> Attribution:
    """One clip with its words, speakers, quote and files; `turns` empty: nobody divided it; `cues` by language.

    Raises `Permanent` if the parts are of different clips or of different audio.
    """
    _require_same_clip(clip, transcript, turns, identities, verdict)
    said = fused(clip, heard, turns, identities)
    words = [word for one in said for word in one.words]
    place = Relocated(None, None, "", "", 0.0, "")
    answer = NOBODY
    if verdict is not None and verdict.quote:
        expected = None if verdict.quote_seconds is None else clip.chunk_offset + verdict.quote_seconds
        place = relocated(verdict.quote, expected, words)
        if place.start is not None and place.end is not None:
            answer = reply(words, place.speaker, place.start, place.end, cues_of(_languages(clip, heard), cues))
    row = AttributedClip(
        clip_id=clip.clip_id,
        country=clip.country,
        day=clip.day,
        audio_sha256=clip.sha256,
        folder=folder(clip),
        speakers=len({turn.speaker for turn in turns}),
        utterances=len(said),
        quote_start=place.start,
        quote_end=place.end,
        quote_heard=place.heard,
        quote_speaker=place.speaker,
        answered_by=answer.answered_by,
        challenged_hint=bool(answer.cue),
        challenge_cue=answer.cue,
        sha256="",
    )
    quote = verdict.quote if verdict else ""
    told = report(clip, heard, transcript, turns, identities, said, row, quote, place.reason)
    files = {
        "transcription.json": legacy_files.as_json(legacy_files.transcription(heard, said, clip.seconds)),
        "diarization.json": legacy_files.as_json(legacy_files.diarization(turns)),
        "fusion.json": legacy_files.as_json(legacy_files.fusion(heard, said, clip.seconds)),
        "captions.vtt": webvtt(captions(said)).encode(),
        "transcript.md": markdown(told).encode(),
        "transcript.pdf": pdf(told, fonts),
    }
    return Attribution(_utterances(said), replace(row, sha256=files_sha256(files)), files)


def folder(clip: Clip) -> str:
    """Folder of a clip's files in the lake: `results/YYYYMMDD/<id>/`."""
    return f"results/{clip.day:%Y%m%d}/{file_id(clip)}/"


def file_id(clip: Clip) -> str:
    """The clip's id as one part of a key: `france_canal-un_20261116T080400Z`; of a recording the first 16 of its hash."""
    if clip.country == RECORDINGS:
        if not _RECORDING.fullmatch(clip.clip_id):
            raise Permanent(f"recording {clip.clip_id!r:.80} is no SHA-256 in hex; add the file again")
        return clip.clip_id[:RECORDING_CHARACTERS]
    parts = _CHUNK.fullmatch(clip.clip_id)
    if not parts:
        raise Permanent(
            f"clip id {clip.clip_id!r:.80} is not country/channel/<start in UTC>; make the clip again from its chunk"
        )
    country, channel, year, month, day, hour, minute, second = parts.groups()
    return f"{country}_{channel}_{year}{month}{day}T{hour}{minute}{second}Z"


def files_sha256(files: Mapping[str, bytes]) -> str:
    """Hash over names and hashes of the files, in order of their names."""
    listed = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    return hashlib.sha256(listed.encode()).hexdigest()


def _utterances(said: Sequence[Said]) -> tuple[Utterance, ...]:
    return tuple(one.utterance for one in said)


def _languages(clip: Clip, heard: Heard) -> list[str]:
    """Languages of the countries file that are spoken: the clip's, else those heard."""
    return [clip.language] if clip.language else [language_word(code) for code in heard.language.split("+")]


def _require_same_clip(
    clip: Clip, transcript: Transcript, turns: Sequence[Turn], identities: Sequence[Identity], verdict: Verdict | None
) -> None:
    ids = {clip.clip_id, transcript.clip_id, *(t.clip_id for t in turns), *(i.clip_id for i in identities)}
    ids |= {verdict.chunk_id} if verdict else set()
    if len(ids) > 1:
        raise Permanent(f"an attribution was asked from parts of different clips: {', '.join(sorted(ids))}")
    if {transcript.audio_sha256, *(t.audio_sha256 for t in turns)} != {clip.sha256}:
        raise Permanent(f"words or turns of {clip.clip_id} are of other audio than the clip; hear and divide it again")
