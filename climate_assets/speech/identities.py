"""Who a speaker of a clip is taken for: `unknown`, unless one enrolled voice is near enough and clearly nearer than others.

Belongs here: the comparison, one name per speaker, and that a person's word stands above it. Does not: what one voice
sounds like (`voiceprints.py`), how a vector is measured, how a bank is kept (`resources/voice_bank.py`).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np

from climate_assets.speech.records import UNKNOWN, Clip, Decision, Identity, SpeakerName, Voice, VoiceVector
from climate_assets.speech.voiceprints import VOTING_SECONDS, Vector, mean_voice, weight_of

THRESHOLD: Final = 0.5
"""Least cosine similarity of a match: what the public pipeline runs with (facts on speech, sections 5 and 10). Its plan asks
for a distance under 0.4, which is stricter, and calls 0.3 to 0.4 doubtful at the same time, so the plan is not followed.
Measured with CAM++ on stretches of 3 s: one voice 0.64 to 0.87, two voices 0.43 at most; to be calibrated on labelled pairs."""
MARGIN: Final = 0.05
"""Least lead over the second best (facts, section 8, where the plan subtracts in the wrong order): best minus second."""
DOMINANCE: Final = 0.6
"""More than this share of the stretches that may vote must each be nearest to the best (facts, section 8)."""
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Matching:
    """How near, and how much nearer than the next, a voice must be."""

    threshold: float = THRESHOLD
    margin: float = MARGIN
    dominance: float = DOMINANCE


@dataclass(frozen=True, slots=True)
class Measured:
    """How one speaker of a clip sounds, stretch by stretch; of the run alone, it is never stored."""

    speaker: str
    vectors: tuple[tuple[float, ...], ...] = ()
    seconds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Gallery:
    """The enrolled voices that may be compared on one day by one encoder: one unit vector a person."""

    model: str
    persons: Mapping[str, Voice]
    """Everybody of the bank, for the names that people gave; also those whose voice may not be compared."""
    ids: tuple[str, ...]
    vectors: Vector
    version: str


def gallery(
    voices: Iterable[Voice], vectors: Iterable[VoiceVector], *, model: str, dimensions: int, on: date, version: str
) -> Gallery:
    """The bank as one encoder may use it on one day: expired voices and vectors of other encoders are left out."""
    persons = {voice.person_id: voice for voice in voices}
    mine: dict[str, list[VoiceVector]] = {}
    for vector in vectors:
        voice = persons.get(vector.person_id)
        fits = vector.model == model and vector.dimensions == dimensions == len(vector.vector)
        if fits and voice is not None and voice.expires_on >= on:
            mine.setdefault(vector.person_id, []).append(vector)
    means = {person: mean_voice([v.vector for v in of], [v.quality for v in of]) for person, of in sorted(mine.items())}
    known = [(person, mean) for person, mean in means.items() if mean is not None]
    stacked = np.stack([mean for _, mean in known]) if known else np.zeros((0, dimensions))
    return Gallery(model, persons, tuple(person for person, _ in known), stacked, version)


def identities(
    clip: Clip, speakers: Iterable[Measured], known: Gallery, said: Iterable[SpeakerName] = (), matching: Matching | None = None
) -> list[Identity]:
    """One row for each speaker of a clip, by label: nobody is named twice by a model, and never against a person's word."""
    rule = matching or Matching()
    words = {s.speaker: s for s in said if s.clip_id == clip.clip_id}
    rows = [_compared(clip, speaker, known, rule) for speaker in sorted(speakers, key=lambda s: s.speaker)]
    rows = [_as_said(row, words[row.speaker], known) if row.speaker in words else row for row in rows]
    taken = {row.person_id for row in rows if row.decision == Decision.HUMAN and row.person_id}
    return [_alone(row, rows, taken, rule) for row in rows]


def _compared(clip: Clip, speaker: Measured, known: Gallery, rule: Matching) -> Identity:
    weights = [weight_of(seconds) for seconds in speaker.seconds]
    nobody = Identity(
        clip_id=clip.clip_id,
        country=clip.country,
        day=clip.day,
        speaker=speaker.speaker,
        person_id=None,
        name=UNKNOWN,
        role="",
        score=None,
        second_score=None,
        margin=None,
        segments=len(speaker.vectors),
        seconds_used=round(math.fsum(speaker.seconds), 3),
        decision=Decision.UNKNOWN.value,
        reason="",
        model=known.model,
        bank=known.version,
    )
    voice = mean_voice(speaker.vectors, weights)
    if voice is None:
        return replace(nobody, reason="no stretch in which this speaker alone is heard is long enough to be measured")
    if not known.ids:
        return replace(nobody, reason=f"nobody enrolled can be compared by {known.model} today")
    if len(voice) != known.vectors.shape[1]:
        raise ValueError(
            f"{clip.clip_id} {speaker.speaker}: {len(voice)} dimensions, {known.model} has {known.vectors.shape[1]}"
        )
    scores = {person: _cosine(voice, vector) for person, vector in zip(known.ids, known.vectors, strict=True)}
    # Equal scores are told apart by the id, so that the row does not hang on the order of the bank.
    ranked = sorted(scores, key=lambda person: (-scores[person], person))
    best, score = ranked[0], scores[ranked[0]]
    second = scores[ranked[1]] if len(ranked) > 1 else None
    margin = None if second is None else round(score - second, _DIGITS)
    row = replace(nobody, score=score, second_score=second, margin=margin)
    if row.seconds_used < VOTING_SECONDS:
        return replace(row, reason=f"only {row.seconds_used:.1f} s of clean speech; {VOTING_SECONDS} s are needed for a name")
    if score < rule.threshold:
        return replace(row, reason=f"the nearest voice is at {score:.2f}, below {rule.threshold:.2f}")
    if margin is not None and margin < rule.margin:
        # Ids and not names: a name in a reason would outlive the person's entry.
        return _ambiguous(row, f"{best} at {score:.2f} and {ranked[1]} at {second:.2f} are closer than {rule.margin:.2f}")
    share = _share(speaker, known, best)
    if share is not None and share <= rule.dominance:
        return _ambiguous(row, f"only {share:.0%} of its stretches are nearest to {best}: perhaps two people under one label")
    return _named(row, known.persons[best], Decision.AUTO, f"at {score:.2f} on {row.seconds_used:.1f} s")


def _share(speaker: Measured, known: Gallery, best: str) -> float | None:
    """Seconds of the stretches that are nearest to `best`, of all that may vote; none if none may."""
    votes = [(s, v) for s, v in zip(speaker.seconds, speaker.vectors, strict=True) if s >= VOTING_SECONDS]
    units = [(s, u) for s, v in votes if (u := mean_voice([v], [1.0])) is not None]
    if not units:
        return None
    place = known.ids.index(best)
    for_it = [s for s, u in units if (known.vectors @ u).max() <= known.vectors[place] @ u + 1e-9]
    return math.fsum(for_it) / math.fsum(s for s, _ in units)


def _as_said(row: Identity, said: SpeakerName, known: Gallery) -> Identity:
    voice = known.persons.get(said.person_id) if said.person_id is not None else None
    if said.person_id is not None and voice is None:
        reason = "whom a person named here is no longer in the voice bank"
        return replace(row, person_id=None, name=UNKNOWN, role="", decision=Decision.UNKNOWN.value, reason=reason)
    if voice is not None:
        return _named(row, voice, Decision.HUMAN, f"said by {said.said_by}")
    reason = f"nobody of the bank, said by {said.said_by}"
    return replace(row, person_id=None, name=UNKNOWN, role="", decision=Decision.HUMAN.value, reason=reason)


def _alone(row: Identity, rows: Sequence[Identity], taken: set[str], rule: Matching) -> Identity:
    """The row, unless another speaker of the clip has a better or as good a claim to its person."""
    if row.decision != Decision.AUTO:
        return row
    if row.person_id in taken:
        return _ambiguous(row, f"{row.person_id} is another speaker of this clip, as a person said")
    rivals = [r for r in rows if r.decision == Decision.AUTO and r.person_id == row.person_id and r.speaker != row.speaker]
    if not rivals:
        return row
    nearest = max(rivals, key=lambda r: (r.score or 0.0, r.speaker))
    lead = (row.score or 0.0) - (nearest.score or 0.0)
    if lead >= rule.margin:
        return row
    which = "as near" if abs(lead) < rule.margin else "nearer"
    return _ambiguous(row, f"{nearest.speaker} is {which} to {row.person_id} (at {nearest.score:.2f}): one person, one speaker")


def _ambiguous(row: Identity, reason: str) -> Identity:
    return replace(row, person_id=None, name=UNKNOWN, role="", decision=Decision.AMBIGUOUS.value, reason=reason)


def _named(row: Identity, voice: Voice, decision: Decision, reason: str) -> Identity:
    return replace(row, person_id=voice.person_id, name=voice.name, role=voice.role, decision=decision.value, reason=reason)


def _cosine(one: Vector, other: Vector) -> float:
    """Of two unit vectors; six digits, so that two machines write the same row."""
    return round(max(-1.0, min(1.0, math.fsum(one * other))), _DIGITS)
