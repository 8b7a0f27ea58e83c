"""What a task shows of its sound: where to listen, who says what, and what became of the quote in what was heard.

Words are shown as heard only if they were: without a transcript of this very audio there is a reason instead. The rest of a
task is `tasks.py`; taking a name out of it again is `erasure.py`.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from climate_assets.claims.records import Verdict
from climate_assets.failures import Permanent
from climate_assets.labelling.shown import shown
from climate_assets.speech.records import UNKNOWN, AttributedClip, Clip, Origin, Transcript, Utterance

SECONDS_BEFORE_QUOTE: Final = 5
PHRASE_SECONDS: Final = 15.0
"""Of the dialogue: longer than most sentences, short enough to be played again."""
PAUSE_SECONDS: Final = 2.0
# Stages of speech in the order in which a chunk passes them.
STAGES: Final = ("audio_clips", "whisper_transcripts", "speaker_turns", "named_speakers", "attributed_transcripts")
_OVERLAP: Final = " [somebody else speaks at the same time]"


@dataclass(frozen=True, slots=True)
class Speech:
    """All that the speech stage knows of one chunk; `reasons`, by stage, say why something is missing."""

    clip: Clip | None = None
    transcript: Transcript | None = None
    utterances: Sequence[Utterance] = ()
    attributed: AttributedClip | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)

    def of_this_audio(self) -> "Speech":
        """The same without what was made of other audio: a clip that was fetched again has to be heard again."""
        sha256 = self.clip.sha256 if self.clip else ""
        transcript = self.transcript if self.transcript and self.transcript.audio_sha256 == sha256 else None
        transcript = transcript if transcript and transcript.origin == Origin.ASR else None
        attributed = self.attributed if self.attributed and self.attributed.audio_sha256 == sha256 else None
        utterances = tuple(sorted(self.utterances, key=lambda u: u.number)) if transcript and attributed else ()
        return Speech(self.clip, transcript, utterances, attributed, self.reasons)


SILENT: Final = Speech()


def heard_item(speech: Speech, verdict: Verdict) -> dict[str, Any]:
    """The fields of a task's `item` that come from its sound; all are there, and empty, without one."""
    now = speech.of_this_audio()
    ids = {row.clip_id for row in (now.clip, now.transcript, now.attributed, *now.utterances) if row is not None}
    if ids - {verdict.chunk_id}:
        raise Permanent(f"a task on {verdict.chunk_id} was asked with speech of {', '.join(sorted(ids))}")
    clip, transcript, attributed = now.clip, now.transcript, now.attributed
    item: dict[str, Any] = {
        "media": address(clip) if clip else "",
        "plaintext_whisper": shown(transcript.text) if transcript else "",
        # One entry, the second at which the player starts: the screen repeats its player over them, so none makes none.
        "sounds": [first_second(now, verdict)] if clip else [],
        "sound_note": _sound_note(now, verdict),
        "dialogue": _dialogue(now) if clip else [],
        "heard_note": _heard_note(now),
        "difference": shown(transcript.difference) if transcript else "",
        "word_error_rate": transcript.word_error_rate if transcript else None,
        "quote_heard": shown(attributed.quote_heard) if attributed else "",
        "quote_seconds": attributed.quote_start if attributed else None,
        "quote_speaker": shown(attributed.quote_speaker) if attributed else "",
        "challenged_hint": bool(attributed and attributed.challenged_hint),
        "answered_by": shown(attributed.answered_by) if attributed else "",
        "challenge_cue": shown(attributed.challenge_cue) if attributed else "",
    }
    return {**item, **named_labels(item)}


def named_labels(item: Mapping[str, Any]) -> dict[str, str]:
    """The sentences of an item that name a speaker, from its other fields; made again when a name is taken out."""
    names = {phrase["label"]: phrase["speaker"] for phrase in item["dialogue"]}
    if not item["quote_speaker"]:
        return {"quote_speaker_label": "", "challenged_hint_label": ""}
    answering = names.get(item["answered_by"], item["answered_by"])
    answer = "contradicts" if item["challenged_hint"] else "does not contradict, by the words alone"
    cue = f": “{item['challenge_cue']}”" if item["challenged_hint"] else ""
    return {
        "quote_speaker_label": f"{names.get(item['quote_speaker'], item['quote_speaker'])} says the quote.",
        "challenged_hint_label": f"{answering} answers and {answer}{cue}." if answering else "Nobody answers the quote.",
    }


def quote_region(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """Where the quote as heard stands in the dialogue: phrases and offsets in characters, the end exclusive; None: nowhere.

    The words of the phrases, in their order, are the words heard; of several places the one nearest the quote's second.
    """
    wanted = item["quote_heard"].split()
    places = [
        (number, offset, word)
        for number, phrase in enumerate(item["dialogue"])
        for offset, word in _words(phrase["text"].removesuffix(_OVERLAP))
    ]
    words = [word for _, _, word in places]
    found = [i for i in range(len(words) - len(wanted) + 1) if wanted and words[i : i + len(wanted)] == wanted]
    if not found:
        return None
    second = item["quote_seconds"] or 0.0
    at = min(found, key=lambda i: abs(item["dialogue"][places[i][0]]["start"] - second))
    (first, start, _), (last, offset, word) = places[at], places[at + len(wanted) - 1]
    return {
        "start": str(first),
        "end": str(last),
        "startOffset": start,
        "endOffset": offset + len(word),
        "text": " ".join(wanted),
    }


def first_second(speech: Speech, verdict: Verdict) -> int:
    """Second of the clip at which the player starts: 5 s before the quote, or where the chunk starts without one."""
    if speech.clip is None:
        return 0
    quote = speech.attributed.quote_start if speech.attributed else None
    if quote is None and verdict.quote_seconds is not None:
        quote = speech.clip.chunk_offset + verdict.quote_seconds
    start = speech.clip.chunk_offset if quote is None else quote - SECONDS_BEFORE_QUOTE
    return int(max(0.0, min(start, speech.clip.seconds - 1)))


def address(clip: Clip) -> str:
    """Where the sound lies, as Label Studio resolves it through a storage of the project."""
    return f"s3://{clip.bucket}/{clip.object_key}"


def with_player(task: dict[str, Any], project_id: int) -> dict[str, Any]:
    """The task as it is sent to a project: its sound through that project, from the right second.

    Label Studio resolves an `s3://` address to one of its own that says no second to start at. Written out here, the address
    of the same proxy keeps its media fragment; being relative, it is right whatever the server's name is.
    """
    item = task["data"]["item"]
    if not item.get("sounds"):
        return task
    encoded = base64.urlsafe_b64encode(item["media"].encode()).decode()
    sound = f"/projects/{project_id}/resolve/?fileuri={encoded}#t={item['sounds'][0]}"
    return {**task, "data": {**task["data"], "sound": sound}}


def clock(seconds: float) -> str:
    """Minutes and seconds, such as 1:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _dialogue(speech: Speech) -> list[dict[str, Any]]:
    """What is said, phrase by phrase; never empty, as the player of an empty dialogue breaks the screen."""
    if speech.utterances:
        return [_phrase(said) for said in _joined(speech.utterances)]
    if speech.transcript is None:
        speaker, text = "Sound", f"Not transcribed: {_reason(speech, STAGES[1:2])}"
    elif speech.transcript.text:
        speaker, text = "Heard, not divided by speaker", shown(speech.transcript.text)
    else:
        speaker, text = "Sound", "Nobody was heard to speak."
    seconds = speech.clip.seconds if speech.clip else 0.0
    phrase = {"start": 0.0, "end": round(seconds, 2), "speaker": speaker, "label": "", "person_id": None, "text": text}
    return [{**phrase, "overlap": False}]


def _joined(utterances: Sequence[Utterance]) -> list[list[Utterance]]:
    """Neighbours of one speaker together, as long as a person reads and plays at once."""
    phrases: list[list[Utterance]] = []
    for said in utterances:
        if phrases:
            first, last = phrases[-1][0], phrases[-1][-1]
            same = (last.speaker, last.person_id, last.overlap) == (said.speaker, said.person_id, said.overlap)
            if same and said.end - first.start <= PHRASE_SECONDS and said.start - last.end <= PAUSE_SECONDS:
                phrases[-1].append(said)
                continue
        phrases.append([said])
    return phrases


def _phrase(utterances: Sequence[Utterance]) -> dict[str, Any]:
    said = utterances[0]
    label = shown(said.speaker)
    role = f" ({shown(said.role)})" if said.role else ""
    text = " ".join(shown(" ".join(u.text for u in utterances)).split())
    return {
        "start": round(said.start, 2),
        "end": round(utterances[-1].end, 2),
        "speaker": f"{shown(said.name)}{role}" if said.person_id else unnamed(label),
        "label": label,
        "person_id": said.person_id,
        "text": text + (_OVERLAP if said.overlap else ""),
        "overlap": said.overlap,
    }


def unnamed(label: str) -> str:
    """How a speaker is called whom nobody is known by."""
    return "Speaker not known" if label == UNKNOWN else label


def _sound_note(speech: Speech, verdict: Verdict) -> str:
    if speech.clip is None:
        return f"No sound: {_reason(speech, STAGES[:1])}"
    at = f"The player starts at {clock(first_second(speech, verdict))}"
    if speech.attributed and speech.attributed.quote_start is not None:
        return f"{at}, 5 s before the quote."
    if verdict.quote_seconds is None:
        return f"{at}, where the passage starts."
    missing = "The quote was not found in what was heard" if speech.attributed else "The quote was not looked for in the sound"
    return f"{at}, 5 s before the quote by the times of the source. {missing}."


def _heard_note(speech: Speech) -> str:
    """How far what was heard can be relied on; why there is nothing, if there is nothing."""
    transcript = speech.transcript
    if transcript is None:
        return f"Not transcribed: {_reason(speech, STAGES[1:2])}" if speech.clip else ""
    notes = [f"Heard by {shown(transcript.model)}"]
    if transcript.word_error_rate is not None:
        notes.append(f"{transcript.word_error_rate:.0%} of the source's words differ")
    if transcript.gated:
        notes.append(f"left out as possibly invented: {transcript.gated} ({shown(transcript.gate_reasons)})")
    if not speech.utterances or speech.attributed is None or not speech.attributed.speakers:
        notes.append(f"speakers not told apart: {_reason(speech, STAGES[2:])}")
    return "; ".join(notes) + "."


def _reason(speech: Speech, stages: Sequence[str]) -> str:
    told = [shown(speech.reasons[stage]) for stage in stages if speech.reasons.get(stage)]
    return (told or ["nobody has asked for it"])[0].rstrip(".")


def _words(text: str) -> list[tuple[int, str]]:
    """Offset and letters of each word of a text."""
    found, position = [], 0
    for word in text.split(" "):
        if word:
            found.append((position, word))
        position += len(word) + 1
    return found
