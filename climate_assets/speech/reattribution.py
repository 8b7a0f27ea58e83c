"""What a change of the voice bank means for the past: which clips are looked at again, and what proves that a voice is gone.

Belongs here: versions and hashes of a bank, and the rule. Does not: vectors of unknown voices - none is kept, a clip is
looked at again by measuring its stored audio anew - nor where clips are marked (`resources/voice_bank.py`).

The rule. Enrolled, or heard in new samples: clips with an unknown or ambiguous speaker. Renamed or given another role: clips
with that person. Expired: clips in which a model named that person; what a person said stays. Forgotten: all clips with
that person. Nothing else is touched.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from climate_assets.speech.records import Decision, Voice, VoiceVector

OPEN: Final = (Decision.UNKNOWN.value, Decision.AMBIGUOUS.value)
"""Decisions that a newly enrolled voice may change."""

Fingerprints = Mapping[str, tuple[str, str]]
"""Person -> hash of its vectors (empty while it may not be compared), hash of its name and role."""


@dataclass(frozen=True, slots=True)
class Look:
    """Which clips to look at again: those that have one of these."""

    persons: frozenset[str] = frozenset()
    """People, however they were named."""
    matched: frozenset[str] = frozenset()
    """People whom a model named."""
    decisions: frozenset[str] = frozenset()
    """Decisions on a speaker."""
    why: str = ""

    def __bool__(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self.persons or self.matched or self.decisions)


def vector_hash(vector: Sequence[float]) -> str:
    """SHA-256 of a vector as the database keeps it: 32-bit floats, little endian."""
    return hashlib.sha256(np.asarray(vector, dtype="<f4").tobytes()).hexdigest()


def bank_version(voices: Iterable[Voice], vectors: Iterable[VoiceVector]) -> str:
    """Sixteen hex digits that change when a person, vector, name, role or expiry does; empty for an empty bank."""
    people = sorted([v.person_id, v.name, v.role, v.expires_on.isoformat()] for v in voices)
    prints = sorted([v.person_id, v.model, vector_hash(v.vector), f"{v.quality:.6f}"] for v in vectors)
    return _digest([people, prints])[:16] if people else ""


def fingerprints(voices: Iterable[Voice], vectors: Iterable[VoiceVector], on: date) -> dict[str, tuple[str, str]]:
    """The bank on one day, person by person, without a name or a vector: what a change is told by."""
    prints: dict[str, list[list[str]]] = {}
    for vector in vectors:
        prints.setdefault(vector.person_id, []).append([vector.model, vector_hash(vector.vector)])
    found = {}
    for voice in voices:
        own = sorted(prints.get(voice.person_id, [])) if voice.expires_on >= on else []
        # The instant of enrolment salts the name's hash: it goes with the entry, and no list of names finds it again.
        label = _digest([voice.name, voice.role, voice.created_at.isoformat()])
        found[voice.person_id] = (_digest(own)[:16] if own else "", label[:16])
    return found


def look_again(
    before: Fingerprints, after: Fingerprints, carried: Iterable[tuple[str, str]], *, comparing: bool = True
) -> Look:
    """What the past must be searched for, now that the bank is `after`; `carried`: people in past rows, and how named.

    While nobody is compared (`comparing` false: the bank is off) a new voice changes nothing; who goes, goes all the same.

    Who is gone or expired is told by what the past still carries and not by `before`, so a restart, a lost memory or a run
    that wrote too late cannot keep a name alive.
    """
    heard = {p for p, (voice, _) in after.items() if comparing and voice and voice != before.get(p, ("", ""))[0]}
    renamed = {p for p, (_, label) in after.items() if p in before and before[p][1] != label}
    listed = set(carried)
    forgotten = {person for person, _ in listed if person not in after}
    expired = {p for p, how in listed if how == Decision.AUTO and p in after and not after[p][0]}
    said = {"enrolled or heard in new samples": heard, "renamed": renamed, "forgotten": forgotten, "expired": expired}
    why = ", ".join(f"{len(people)} {what}" for what, people in said.items() if people)
    return Look(
        persons=frozenset(renamed | forgotten),
        matched=frozenset(expired),
        decisions=frozenset(OPEN if heard else ()),
        why=f"voice bank changed: {why}" if why else "",
    )


def unheard(before: Fingerprints, after: Fingerprints) -> dict[str, tuple[str, str]]:
    """`after` with the voices of `before`: what to remember while nobody is compared, so that they are heard later."""
    return {person: (before.get(person, ("", ""))[0], label) for person, (_, label) in after.items()}


def to_text(prints: Fingerprints) -> str:
    """Fingerprints as one line, for whoever has to remember them."""
    return json.dumps({person: list(both) for person, both in sorted(prints.items())}, separators=(",", ":"))


def from_text(text: str | None) -> dict[str, tuple[str, str]]:
    """What was remembered; nothing, if that cannot be read: then the whole bank counts as newly enrolled."""
    try:
        found = json.loads(text or "{}")
        return {str(person): (str(voice), str(label)) for person, (voice, label) in found.items()}
    except (ValueError, AttributeError, TypeError):
        return {}


def erasure_proof(samples: Iterable[str], vectors: Iterable[str]) -> str:
    """SHA-256 over the hashes of all removed samples, then vectors, each in order, one a line."""
    return hashlib.sha256("\n".join([*sorted(samples), *sorted(vectors)]).encode()).hexdigest()


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()
