"""Words joined with speakers: who says each word, who speaks at the same time, and where one utterance ends.

Belongs here: overlap of words with turns, the nearest turn, crosstalk, cutting into utterances a person can read and play.
Does not belong here: times of words (`spoken.py`), who a label is (`identities`), the files (`legacy_files.py` and others).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from climate_assets.speech.records import UNKNOWN, Clip, Heard, Identity, Turn, Utterance
from climate_assets.speech.spoken import TimedWord, ends_a_sentence, timed_words, written

NEAR_SECONDS: Final = 0.5
"""A word that no turn overlaps is given to the nearest turn within this: edges of words and of turns are off by some
tenths of a second each; beyond it silence lies between, and the words are nobody's."""
SIMULTANEOUS_SECONDS: Final = 0.05
"""Two speak at once from here on: three frames of a segmentation model (17 ms each); less is the edge of a turn."""
LONGEST_SECONDS: Final = 30.0
"""An utterance of a monologue: what a person takes in at once on the labelling screen."""
SHORTEST_CUT_SECONDS: Final = 10.0
"""A monologue is not cut before this."""
PAUSE_SECONDS: Final = 2.0
"""Silence that ends an utterance although the same speaker goes on."""
_INSTANT: Final = 1e-6
"""Shorter overlap is an error of floating point."""

Seconds = npt.NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """One written word and who says it."""

    start: float
    end: float
    text: str
    segment: int
    speaker: str
    seconds: float = 0.0
    """Of it within the speaker's turns; 0 for the nearest turn and for nobody."""
    rivals: tuple[tuple[str, float], ...] = ()
    """Others whose turns it overlaps in the division that assigns, with seconds."""
    others: tuple[str, ...] = ()
    """Who speaks at the same time as the speaker, where overlap is kept."""


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance with its words."""

    utterance: Utterance
    words: tuple[SpokenWord, ...]


def fused(clip: Clip, heard: Heard, turns: Sequence[Turn], identities: Sequence[Identity]) -> list[Said]:
    """Utterances of a clip by time, each believed word in exactly one of them; one a segment when nobody divided the clip."""
    words = spoken_words(timed_words(heard, clip.seconds), turns)
    known = {identity.speaker: identity for identity in identities}
    stretches = _stretches(words) if turns else [list(group) for _, group in groupby(words, lambda w: w.segment)]
    return [Said(_utterance(clip, n, stretch, known), tuple(stretch)) for n, stretch in enumerate(stretches)]


def spoken_words(words: Sequence[TimedWord], turns: Sequence[Turn]) -> list[SpokenWord]:
    """Each word with its speaker: most overlap summed over a speaker's turns, else the nearest turn, else `unknown`.

    The division in which one speaks at a time assigns; the one that keeps overlap says who else speaks. Either stands for
    the other where it is missing. Equal overlap goes to who speaks first in the clip.
    """
    dividing = _voices([t for t in turns if t.exclusive] or turns)
    labels = list(dividing)
    if not words or not labels:
        return [SpokenWord(w.start, w.end, w.text, w.segment, UNKNOWN) for w in words]
    starts, ends = np.array([w.start for w in words]), np.array([w.end for w in words])
    shared = np.stack([_covered(voice, starts, ends) for voice in dividing.values()])
    gaps = np.stack([_gap(voice, starts, ends) for voice in dividing.values()])
    overlapped, nearest = shared.argmax(axis=0), gaps.argmin(axis=0)
    every = np.arange(len(words))
    inside = shared[overlapped, every] > 0
    chosen = np.where(inside, overlapped, np.where(gaps[nearest, every] <= NEAR_SECONDS, nearest, -1))
    speakers = [labels[c] if c >= 0 else UNKNOWN for c in chosen.tolist()]
    others = _others(speakers, starts, ends, crosstalk([t for t in turns if not t.exclusive]))
    return [
        SpokenWord(
            word.start,
            word.end,
            word.text,
            word.segment,
            speaker,
            seconds=float(shared[choice, n]) if choice >= 0 else 0.0,
            rivals=tuple((labels[r], float(shared[r, n])) for r in np.flatnonzero(shared[:, n]).tolist() if r != choice),
            others=others.get(n, ()),
        )
        for n, (word, choice, speaker) in enumerate(zip(words, chosen.tolist(), speakers, strict=True))
    ]


def united(intervals: Sequence[Interval]) -> list[Interval]:
    """The same stretches of time, by start and apart from each other; nothing is counted twice."""
    apart: list[Interval] = []
    for start, end in sorted(i for i in intervals if i[0] < i[1]):
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(apart[-1][1], end))
        else:
            apart.append((start, end))
    return apart


def crosstalk(turns: Sequence[Turn]) -> dict[tuple[str, str], list[Interval]]:
    """When two speak at once, for each ordered pair of labels."""
    by_start = sorted(turns, key=lambda t: (t.start, t.end, t.speaker))
    both: defaultdict[tuple[str, str], list[Interval]] = defaultdict(list)
    active: list[Turn] = []
    for turn in by_start:
        active = [t for t in active if t.end > turn.start]
        for other in active:
            if other.speaker != turn.speaker:
                shared = (turn.start, min(turn.end, other.end))
                both[turn.speaker, other.speaker].append(shared)
                both[other.speaker, turn.speaker].append(shared)
        active.append(turn)
    return {pair: united(intervals) for pair, intervals in both.items()}


def talk_seconds(turns: Sequence[Turn]) -> dict[str, float]:
    """Seconds that each label speaks, crosstalk counted for everyone who speaks; in order of the first turn."""
    voices = _voices([t for t in turns if not t.exclusive] or turns)
    return {label: round(sum(end - start for start, end in voice), 3) for label, voice in voices.items()}


def _voices(turns: Sequence[Turn]) -> dict[str, list[Interval]]:
    """When each label speaks, in order of the first turn."""
    spoken: defaultdict[str, list[Interval]] = defaultdict(list)
    for turn in sorted(turns, key=lambda t: (t.start, t.end, t.speaker)):
        spoken[turn.speaker].append((turn.start, turn.end))
    voices = {label: united(intervals) for label, intervals in spoken.items()}
    return {label: voice for label, voice in voices.items() if voice}


def _covered(voice: Sequence[Interval], starts: Seconds, ends: Seconds) -> Seconds:
    """Seconds of each word that lie in the voice: the difference of how much it has spoken by the word's end and start."""
    edges = np.array(voice).ravel()
    spoken = np.repeat(np.cumsum([end - start for start, end in voice]), 2)
    by_edge = np.concatenate([[0.0], spoken[:-1]])
    overlap = (np.interp(ends, edges, by_edge) - np.interp(starts, edges, by_edge)).round(6)
    return np.where(overlap > _INSTANT, overlap, 0.0)


def _gap(voice: Sequence[Interval], starts: Seconds, ends: Seconds) -> Seconds:
    """Seconds between each word and the nearest stretch of the voice; 0 where they touch."""
    begin, end = np.array(voice).T
    before = np.searchsorted(begin, ends, side="right") - 1
    after = np.minimum(before + 1, len(begin) - 1)
    since = np.where(before >= 0, np.maximum(starts - end[np.maximum(before, 0)], 0.0), np.inf)
    until = np.where(begin[after] >= ends, begin[after] - ends, np.inf)
    nearest: Seconds = np.minimum(since, until).round(6)
    return nearest


def _others(
    speakers: Sequence[str], starts: Seconds, ends: Seconds, both: Mapping[tuple[str, str], Sequence[Interval]]
) -> dict[int, tuple[str, ...]]:
    """For words in crosstalk, by place: the labels of who speaks besides."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, speaker in enumerate(speakers):
        places[speaker].append(place)
    found: defaultdict[int, list[str]] = defaultdict(list)
    for (speaker, other), intervals in sorted(both.items()):
        at = np.array(places.get(speaker, ()), dtype=np.int64)
        if len(at) and intervals:
            for place in at[_covered(intervals, starts[at], ends[at]) >= SIMULTANEOUS_SECONDS].tolist():
                found[place].append(other)
    return {place: tuple(labels) for place, labels in found.items()}


def _stretches(words: Sequence[SpokenWord]) -> Iterator[Sequence[SpokenWord]]:
    """Words of one speaker without a long pause, cut to a length that is read at once."""
    first = 0
    for at, (word, after) in enumerate(pairwise(words), start=1):
        if word.speaker != after.speaker or after.start - word.end > PAUSE_SECONDS:
            yield from _cut(words, first, at)
            first = at
    if words:
        yield from _cut(words, first, len(words))


def _cut(words: Sequence[SpokenWord], first: int, stop: int) -> Iterator[Sequence[SpokenWord]]:
    """Pieces of at most 30 s: cut after the last sentence that fits, else at the widest pause."""
    while stop - first > 1 and words[stop - 1].end - words[first].start > LONGEST_SECONDS:
        begin = words[first].start
        fits = next(n for n in range(first, stop) if words[n].end - begin > LONGEST_SECONDS)
        late = [n for n in range(first + 1, fits + 1) if words[n - 1].end - begin >= SHORTEST_CUT_SECONDS]
        sentences = [n for n in late if ends_a_sentence(words[n - 1].text)]
        if sentences:
            at = sentences[-1]
        else:
            at = max(late or [max(fits, first + 1)], key=lambda n: (words[n].start - words[n - 1].end, n))
        yield words[first:at]
        first = at
    yield words[first:stop]


def _utterance(clip: Clip, number: int, words: Sequence[SpokenWord], known: Mapping[str, Identity]) -> Utterance:
    speaker = words[0].speaker
    identity = known.get(speaker)
    named = identity is not None and identity.person_id is not None
    rivals: defaultdict[str, float] = defaultdict(float)
    for word in words:
        for label, seconds in word.rivals:
            rivals[label] += seconds
    own = sum(word.seconds for word in words)
    others = sorted({label for word in words for label in word.others})
    return Utterance(
        clip_id=clip.clip_id,
        country=clip.country,
        day=clip.day,
        channel=clip.channel,
        number=number,
        start=round(words[0].start, 3),
        end=round(words[-1].end, 3),
        speaker=speaker,
        person_id=identity.person_id if identity else None,
        name=(written(identity.name) if identity and named else "") or speaker,
        role=identity.role if identity and named else "",
        text=" ".join(word.text for word in words),
        words=len(words),
        overlap=bool(others),
        others=others,
        overlap_seconds=round(own, 3),
        margin=round(own - max(rivals.values(), default=0.0), 3),
    )
