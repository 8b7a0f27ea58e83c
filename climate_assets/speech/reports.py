"""A readable report of one clip: who speaks when and for how long, what is said, what is not believed, what is not known.

Belongs here: what a report says, and its Markdown. Every text from outside passes `escaped`, so none of it can be markup.
Does not belong here: pages and type (`report_pdf.py`), how any figure came to be.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from climate_assets.claims.plaintext import capped
from climate_assets.speech.fusion import Said, talk_seconds
from climate_assets.speech.records import RECORDINGS, UNKNOWN, AttributedClip, Clip, Heard, Identity, Transcript, Turn
from climate_assets.speech.spoken import written

TITLE_CHARACTERS: Final = 120
CELL_CHARACTERS: Final = 300
NOTHING_SAID: Final = "Nobody was heard to speak."
# Every character that CommonMark or its tables give a meaning anywhere in a line; all may be escaped by a backslash.
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>&|#~$^=!()@])|(?<=:)(//)|(?<=\bwww)(\.)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Talk:
    """How long one speaker speaks."""

    label: str
    name: str
    seconds: float
    share: float
    """Of the talk time of all, 0..1."""
    utterances: int
    words: int
    known_by: str
    """How the name came about, or why there is none."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One utterance as it is shown."""

    start: float
    end: float
    name: str
    text: str
    others: tuple[str, ...]
    """Names of who speaks at the same time."""
    quoted: bool
    """It holds words of the verdict's quote."""


@dataclass(frozen=True, slots=True)
class NotBelieved:
    """Words that the recogniser gave and the guards do not believe."""

    start: float
    end: float
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report says, as plain text; how it looks is up to the writer."""

    title: str
    facts: tuple[tuple[str, str], ...]
    talk: tuple[Talk, ...]
    talk_basis: str
    """What the talk time is measured on."""
    spoken: tuple[Spoken, ...]
    quote: tuple[tuple[str, str], ...]
    """What became of the verdict's quote; empty without a verdict."""
    source: tuple[str, ...]
    """How the heard text differs from the source's."""
    not_believed: tuple[NotBelieved, ...]
    not_known: tuple[str, ...]


def report(
    clip: Clip,
    heard: Heard,
    transcript: Transcript,
    turns: Sequence[Turn],
    identities: Sequence[Identity],
    said: Sequence[Said],
    attributed: AttributedClip,
    quote: str,
    quote_reason: str,
) -> Report:
    """The report of one clip; `quote`: the verdict's, empty without one; `quote_reason`: why it is not found."""
    names = {s.utterance.speaker: written(s.utterance.name) for s in said}
    gated = tuple(
        NotBelieved(s.start, s.end, written(s.gate), capped(s.text, CELL_CHARACTERS)) for s in heard.segments if s.gate
    )
    return Report(
        title=f"{capped(clip.channel, TITLE_CHARACTERS)}, {clip.start:%Y-%m-%d %H:%M} UTC",
        facts=tuple(_facts(clip, transcript, turns, identities)),
        talk=tuple(_talk(turns, identities, said, names)),
        talk_basis=_talk_basis(turns, transcript),
        spoken=tuple(_spoken(said, attributed, names)),
        quote=tuple(_quote(attributed, quote, quote_reason, names)),
        source=tuple(_source(transcript)),
        not_believed=gated,
        not_known=tuple(_not_known(clip, transcript, turns, identities, said, quote_reason if quote else "")),
    )


def markdown(report: Report) -> str:
    """The report as Markdown (CommonMark with tables)."""
    lines = [f"# {escaped(report.title)}", "", "| | |", "|---|---|"]
    lines += [f"| {escaped(name)} | {escaped(value)} |" for name, value in report.facts]
    lines += ["", "## Who speaks", ""]
    if report.talk:
        lines += ["| speaker | talk time | share | utterances | words | known by |", "|---|---:|---:|---:|---:|---|"]
        lines += [
            f"| {escaped(_both(t))} | {clock(t.seconds)} | {t.share:.0%} | {t.utterances} | {t.words} | {escaped(t.known_by)} |"
            for t in report.talk
        ]
        lines += ["", escaped(report.talk_basis)]
    else:
        lines.append(NOTHING_SAID)
    if report.quote:
        lines += ["", "## The quote", "", "| | |", "|---|---|"]
        lines += [f"| {escaped(name)} | {escaped(value)} |" for name, value in report.quote]
    lines += ["", "## What is said", ""]
    lines += [line for spoken in report.spoken for line in (_line(spoken), "")] or [NOTHING_SAID, ""]
    lines += ["## Beside the source's text", ""]
    lines += [line for text in report.source for line in (escaped(text), "")]
    if report.not_believed:
        lines += ["## Not believed", "", "| from | to | reason | words |", "|---:|---:|---|---|"]
        lines += [
            f"| {clock(g.start)} | {clock(g.end)} | {escaped(g.reason)} | {escaped(g.text)} |" for g in report.not_believed
        ]
        lines.append("")
    lines += ["## What is not known", ""]
    lines += [f"- {escaped(text)}" for text in report.not_known]
    return "\n".join(lines).rstrip() + "\n"


def escaped(text: str) -> str:
    """The text in one line in which nothing is Markdown: shown as it is, whoever wrote it."""
    return _MARKUP.sub(_escape, written(text))


def clock(seconds: float) -> str:
    """Seconds as `m:ss`, or `h:mm:ss` from an hour on."""
    minutes, rest = divmod(int(max(seconds, 0.0)) if abs(seconds) < 1e9 else 0, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _escape(found: re.Match[str]) -> str:
    return "".join("\\" + character for character in found.group())


def _both(talk: Talk) -> str:
    return talk.name if talk.name == talk.label else f"{talk.name} ({talk.label})"


def _line(spoken: Spoken) -> str:
    also = f" _(at the same time: {escaped(', '.join(spoken.others))})_" if spoken.others else ""
    mark = " **quote**" if spoken.quoted else ""
    return f"**{clock(spoken.start)}–{clock(spoken.end)} {escaped(spoken.name)}**{mark}{also}: {escaped(spoken.text)}"


def _facts(
    clip: Clip, transcript: Transcript, turns: Sequence[Turn], identities: Sequence[Identity]
) -> Iterator[tuple[str, str]]:
    kind = "recording" if clip.country == RECORDINGS else "clip"
    yield kind, clip.clip_id
    yield "channel" if kind == "clip" else "title", capped(clip.channel, TITLE_CHARACTERS)
    yield "audio begins", f"{clip.start:%Y-%m-%d %H:%M:%S} UTC"
    if clip.chunk_offset:
        yield "chunk begins", f"{clip.chunk_offset:.1f} s into the audio"
    yield "length", f"{clip.seconds:.1f} s, voice in {transcript.speech_seconds:.1f} s of it"
    yield "language heard", transcript.language or "none"
    yield "recogniser", f"{transcript.model} (settings {transcript.settings})"
    yield "diarizer", ", ".join(sorted({t.model for t in turns})) or "none"
    yield "voice encoder", ", ".join(sorted({i.model for i in identities} - {""})) or "none"
    yield "voice bank", ", ".join(sorted({i.bank for i in identities} - {""})) or "off"
    yield "SHA-256 of the audio", clip.sha256


def _talk(turns: Sequence[Turn], identities: Sequence[Identity], said: Sequence[Said], names: dict[str, str]) -> Iterator[Talk]:
    """By talk time, longest first; who only the words know has the time of these."""
    known = {i.speaker: i for i in identities}
    seconds = talk_seconds(turns)
    for speaker in names.keys() - seconds.keys():
        seconds[speaker] = sum(s.utterance.end - s.utterance.start for s in said if s.utterance.speaker == speaker)
    total = sum(seconds.values())
    for label, time in sorted(seconds.items(), key=lambda pair: (-pair[1], pair[0])):
        own = [s.utterance for s in said if s.utterance.speaker == label]
        identity = known.get(label)
        named = identity.name if identity and identity.person_id else label
        yield Talk(
            capped(label, TITLE_CHARACTERS),
            capped(named, TITLE_CHARACTERS),
            time,
            time / total if total else 0.0,
            len(own),
            sum(u.words for u in own),
            capped(f"{identity.decision}: {identity.reason}", CELL_CHARACTERS) if identity else "not asked",
        )


def _talk_basis(turns: Sequence[Turn], transcript: Transcript) -> str:
    if turns:
        return (
            "Talk time by turns; who speaks at the same time counts for each. Shares are of the talk time of all, "
            f"beside {transcript.speech_seconds:.1f} s with voice in {transcript.seconds:.1f} s of audio."
        )
    return f"Nobody divided the clip by speaker: talk time is that of the words, in {transcript.seconds:.1f} s of audio."


def _spoken(said: Sequence[Said], attributed: AttributedClip, names: dict[str, str]) -> Iterator[Spoken]:
    first, last = attributed.quote_start, attributed.quote_end
    for one in said:
        u = one.utterance
        quoted = first is not None and last is not None and u.speaker == attributed.quote_speaker
        quoted = quoted and any(round(w.start, 3) >= (first or 0) and round(w.end, 3) <= (last or 0) for w in one.words)
        yield Spoken(u.start, u.end, names[u.speaker], u.text, tuple(names.get(o, o) for o in u.others), quoted)


def _quote(attributed: AttributedClip, quote: str, reason: str, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    if not quote:
        return
    yield "in the source's text", quote
    if attributed.quote_start is None or attributed.quote_end is None:
        yield "as heard", f"not found: {reason}"
        return
    yield "as heard", attributed.quote_heard
    yield "when", f"{attributed.quote_start:.1f} s to {attributed.quote_end:.1f} s"
    yield "said by", names.get(attributed.quote_speaker, attributed.quote_speaker)
    answerer = names.get(attributed.answered_by, attributed.answered_by)
    yield "answered by", answerer or "nobody within 30 s, as far as speakers are known"
    if attributed.challenged_hint:
        yield "contradicted by the words", f"{attributed.challenge_cue} (a hint, no verdict)"


def _source(transcript: Transcript) -> Iterator[str]:
    if transcript.word_error_rate is None:
        yield "There is no text of the source to compare with."
        return
    yield f"Edits from the source's text: {transcript.word_error_rate:.0%} of its words."
    yield transcript.difference


def _not_known(
    clip: Clip,
    transcript: Transcript,
    turns: Sequence[Turn],
    identities: Sequence[Identity],
    said: Sequence[Said],
    quote_reason: str,
) -> Iterator[str]:
    words = sum(s.utterance.words for s in said)
    nobodys = sum(s.utterance.words for s in said if s.utterance.speaker == UNKNOWN)
    if not turns:
        yield "Who speaks: nobody divided the clip by speaker, so every word is of an unknown speaker."
    elif nobodys:
        yield f"Who says {nobodys} of {words} words: no turn is near them."
    nameless = sorted({t.speaker for t in turns} - {i.speaker for i in identities if i.person_id is not None})
    if nameless:
        yield f"Who these voices are: {', '.join(nameless)}."
    mixed = sum(bool(w.others) for s in said for w in s.words)
    if mixed:
        yield f"What others say meanwhile: {mixed} of {words} words are said while somebody else speaks."
    if transcript.gated:
        yield f"What is said where the words are not believed: stretches {transcript.gated} ({transcript.gate_reasons})."
    if not clip.language:
        yield "The language was not given: it was detected."
    if quote_reason:
        yield f"Where the quote is said: {quote_reason}."
    yield "How right the words are: a machine heard them, and nobody has listened yet."
