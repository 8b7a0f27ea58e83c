"""What it takes to enrol a voice: who it is, why it may be kept and until when, and enough speech to know it by.

Belongs here: the closed list of roles, the refusals, the stretches of a sample, and the two legacy layouts of a voice bank
read from file names. Does not: decoding, measuring, storing (`climate_assets/voice_commands.py`, `resources/voice_bank.py`).
"""

import json
import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import PurePosixPath
from typing import Final

import numpy as np
import numpy.typing as npt

from climate_assets.failures import Permanent
from climate_assets.speech.records import UNKNOWN, Voice
from climate_assets.speech.voiceprints import VOTING_SECONDS, Span, cut, mean_voice, weight_of

ROLES: Final = ("journalist", "commentator", "guest", "politician", "audience", "unknown")
"""What a voice may be: the answers that the labelling screen knows for a speaker (`labelling_config.SPEAKERS`)."""
NOBODY: Final = "nobody"
"""What a person writes for a speaker who is nobody of the bank."""
MOST_YEARS: Final = 3
"""Longest a voice is kept before a person looks at its legal basis again."""
LEAST_SECONDS: Final = 6.0
"""Clean speech an enrolment needs: two stretches of full confidence, since one alone is a mood (facts on speech, section 5
advises 10 to 15 s)."""
MOST_SAMPLE_SECONDS: Final = 600.0
"""Longest sample that is decoded."""
LEAST_LIKENESS: Final = 0.45
"""Cosine that any two stretches of a sample must have, and each sample to the others: below it there are two voices, or none.
Measured with CAM++ on stretches of 2.4 s and more: one voice 0.64 to 0.87, two voices 0.43 at most, 0.28 on the average."""

SAMPLE_RATE: Final = 16_000
_LONGEST: Final = {"name": 120, "organisation": 200, "legal_basis": 1000, "source": 1000}
_FRAME: Final = 480  # 30 ms
# Speech is at most so far below the loudest frames, and never below this level: what is softer is room or silence.
_BELOW_LOUDEST_DB: Final = 30.0
_FLOOR_DB: Final = -50.0
_PAUSE_SECONDS: Final = 0.3
_PROFILE_BYTES: Final = 65_536

Stretch = tuple[float, Sequence[float]]
"""Seconds of clean speech, and the vector that was measured on them."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a person states of a voice before it is kept."""

    name: str
    role: str
    organisation: str
    legal_basis: str
    source: str
    expires_on: date


@dataclass(frozen=True, slots=True)
class Candidate:
    """A voice of a legacy bank: its name and its samples; nothing there says why it may be kept."""

    name: str
    samples: tuple[str, ...]


def stated_of(voice: Voice) -> Enrolment:
    """What was stated of an enrolled voice."""
    return Enrolment(voice.name, voice.role, voice.organisation, voice.legal_basis, voice.source, voice.expires_on)


def refusals(asked: Enrolment, today: date) -> list[str]:
    """Why a voice may not be enrolled, each with its value and what to write instead; empty if it may."""
    found = []
    for field, option in (("name", "NAME"), ("legal_basis", "--legal-basis"), ("source", "--source")):
        if not getattr(asked, field).strip():
            found.append(f"{option} is empty: {_NEEDED[field]}")
    for field, most in _LONGEST.items():
        value = getattr(asked, field)
        if len(value) > most or any(unicodedata.category(c).startswith("C") for c in value):
            found.append(f"{field} {value[:40]!r}: write at most {most} printable characters")
    if asked.name.strip().casefold() in (NOBODY, UNKNOWN):
        found.append(f"name {asked.name!r} means that there is none: write a person's")
    if asked.role not in ROLES:
        found.append(f"--role {asked.role!r} is unknown: write one of {', '.join(ROLES)}")
    last = _years_later(today, MOST_YEARS)
    if asked.expires_on <= today:
        found.append(f"--expires {asked.expires_on} is not in the future: write a day after {today}, {last} at the latest")
    elif asked.expires_on > last:
        found.append(f"--expires {asked.expires_on} is more than {MOST_YEARS} years away: write {last} at the latest")
    return found


_NEEDED: Final = {
    "name": "write the name that is shown",
    "legal_basis": "write why the voice may be kept, e.g. 'GDPR art. 9(2)(e), assessment 2026-04'",
    "source": "write where the samples come from",
}


def accepted(asked: Enrolment, today: date) -> Enrolment:
    """The enrolment, if nothing speaks against it; raises `Permanent` with all that does."""
    if found := refusals(asked, today):
        raise Permanent(f"{asked.name[:40]!r} is not enrolled: " + "; ".join(found))
    return asked


def speech_stretches(pcm: npt.NDArray[np.int16]) -> list[Span]:
    """Stretches of a sample (16 kHz, mono) in which somebody speaks, by level: up to 5 s each, pauses left out.

    A frame of 30 ms is speech if it is within 30 dB of the loud ones (their 95th percentile) and above -50 dB of full scale.
    """
    frames = pcm[: len(pcm) // _FRAME * _FRAME].astype(np.float64).reshape(-1, _FRAME)
    if not len(frames):
        return []
    level = 10 * np.log10(np.maximum((frames / 32768.0) ** 2, 1e-12).mean(axis=1))
    loud = level >= max(_FLOOR_DB, float(np.percentile(level, 95)) - _BELOW_LOUDEST_DB)
    spans: list[Span] = []
    for place in map(int, np.flatnonzero(loud)):
        start, end = place * _FRAME / SAMPLE_RATE, (place + 1) * _FRAME / SAMPLE_RATE
        if spans and start - spans[-1][1] <= _PAUSE_SECONDS:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return cut(spans)


def measured_refusal(name: str, samples: Sequence[Sequence[Stretch]]) -> str:
    """Why what was measured of a voice, sample by sample, is no good to know it by; empty if it is good."""
    stretches = [stretch for sample in samples for stretch in sample]
    total = math.fsum(seconds for seconds, _ in stretches)
    if total < LEAST_SECONDS:
        return f"{name}: {total:.1f} s of clean speech in the samples, {LEAST_SECONDS:.0f} s are needed; add a longer sample"
    if len(stretches) < 2:
        return f"{name}: the samples could be measured in one stretch only; add another sample"
    within = [[v for seconds, v in sample if seconds >= VOTING_SECONDS] for sample in samples]
    means = [mean_voice([v for _, v in sample], [weight_of(seconds) for seconds, _ in sample]) for sample in samples]
    compared: list[list[Sequence[float]]] = [*within, [mean.tolist() for mean in means if mean is not None]]
    likeness = min((_cosine(one, other) for vectors in compared for one, other in combinations(vectors, 2)), default=1.0)
    if likeness < LEAST_LIKENESS:
        return (
            f"{name}: parts of the samples sound like two people ({likeness:.2f}, {LEAST_LIKENESS:.2f} is needed); "
            "give samples in which nobody else speaks and no music plays"
        )
    return ""


def legacy_candidates(paths: Iterable[str], profiles: Mapping[str, bytes]) -> tuple[list[Candidate], list[str]]:
    """The voices of a legacy bank by the paths in it (`/` between parts), and why each other file is left aside.

    Two layouts (facts on speech, section 5): `<Name>.wav`, and `<user>/<person>/voice/sample.wav` beside `profile.json`, whose
    content `profiles` gives by its path. A folder named `voice_bank` or `identity-bank` before them may be there or not.
    """
    found: dict[str, Candidate] = {}
    aside: list[str] = []
    for path in sorted(paths):
        parts = _inside(path)
        if parts[-1] == "profile.json" or "face" in parts[:-1]:
            continue
        try:
            name = _legacy_name(path, parts, profiles)
        except ValueError as error:
            aside.append(f"{path}: {error}")
            continue
        key = name.casefold()
        if key in found:
            aside.append(f"{path}: {name} comes from {found[key].samples[0]} already; enrol one of them under another name")
        else:
            found[key] = Candidate(name, (path,))
    return list(found.values()), aside


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    first, second = mean_voice([one], [1.0]), mean_voice([other], [1.0])
    return -1.0 if first is None or second is None else math.fsum(first * second)


def _legacy_name(path: str, parts: Sequence[str], profiles: Mapping[str, bytes]) -> str:
    if len(parts) == 1 and parts[0].lower().endswith(".wav"):
        return _clean_name(PurePosixPath(path).stem.replace("_", " "))
    if len(parts) == 4 and parts[2:] == ["voice", "sample.wav"]:
        profile = str(PurePosixPath(path).parent.parent / "profile.json")
        content = profiles.get(profile)
        if content is None:
            raise ValueError(f"{profile} is not there, and the name stands in it")
        if len(content) > _PROFILE_BYTES:
            raise ValueError(f"{profile} has more than {_PROFILE_BYTES} bytes")
        try:
            said = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{profile} is no JSON ({type(error).__name__})") from error
        if not isinstance(said, dict) or not isinstance(said.get("name"), str):
            raise ValueError(f"{profile} has no text under `name`")
        return _clean_name(said["name"])
    raise ValueError("neither <Name>.wav nor <user>/<person>/voice/sample.wav")


def _inside(path: str) -> list[str]:
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", ".")]
    return parts[1:] if len(parts) > 1 and parts[0] in ("voice_bank", "identity-bank") else parts or [path]


def _clean_name(text: str) -> str:
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise ValueError("the name is empty")
    return name


def _years_later(day: date, years: int) -> date:
    """The same day so many years later; 28 February for a 29th that is not there."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
