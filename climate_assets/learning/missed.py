"""How many cases the model passed over, estimated from the random slice below its threshold, and the recall that follows.

Nobody reads what the model passes over, save the slice of `claims/sampling.py`: each chunk there has a known chance of being
picked. The estimate adds up, over strata of channel and score band, the share of cases among labelled picks times the chunks
of the stratum (Horvitz and Thompson, JASA 1952, with weights brought to the known size of each stratum, so that a pick nobody
has answered yet is not taken for a chunk without a case).

The interval is Fay and Feuer's gamma interval for a weighted sum of counts (Statistics in Medicine 1997): it is Garwood's
exact Poisson interval where all weights are equal. A bootstrap is not used: a slice without a case resamples to nothing but
zeros and would claim to be certain. Clopper and Pearson's exact interval (Biometrika 1934) is given for each stratum alone;
adding their limits up would count the bad luck of every stratum at once. A case labelled by chance counts for certain.

Belongs here: what was not seen. Does not belong here: what was (`metrics.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from climate_assets.failures import Permanent
from climate_assets.learning.intervals import LEVEL

BAND: Final = 2
"""Score points of a band, as in `claims/sampling.py`."""
LEAST_LABELS: Final = 5
"""Labels that a stratum needs to stand alone: with one or two, its weight is luck, and the heaviest weight sets the limit."""


@dataclass(frozen=True, slots=True)
class Below:
    """One chunk below the threshold, whether anybody looked or not."""

    channel: Annotated[str, "Channel of the chunk."]
    score: Annotated[int, "Score of the model in use when it was picked from, 0..10."]
    chance: Annotated[float, "Chance of being picked with which it was in the slice's lot, above 0."]
    case: Annotated[bool | None, "Gold of a pick: a case or none; None if it was not picked, or not answered yet."]


@dataclass(frozen=True, slots=True)
class Stratum:
    """Chunks of one channel, score band and chance: how many there are, were labelled, and are cases."""

    channel: Annotated[str, "Channel, `*` where channels were joined for want of labels."]
    band: Annotated[int, "Lowest score of the band."]
    chance: Annotated[float, "Chance of being picked."]
    chunks: Annotated[int, "All chunks of the stratum."]
    labelled: Annotated[int, "Chunks with gold."]
    cases: Annotated[int, "Cases among them."]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number or a share with its interval; all None where it is not defined, and `reason` says why."""

    value: float | None
    low: float | None
    high: float | None
    level: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Missed:
    """What the model passed over, and the recall that follows from it."""

    cases: Annotated[Estimate, "Cases among all chunks below the threshold, those that the slice has found included."]
    recall: Annotated[Estimate, "Share of all cases that lie at or above the threshold."]
    by_chance: Annotated[float, "Sum of inverse chances of the cases found: the same on average, if every pick is answered."]
    strata: Annotated[list[tuple[Stratum, Estimate]], "Each stratum with the number of its cases."]


def strata_of(chunks: Iterable[Below]) -> list[Stratum]:
    """Chunks counted by channel, score band and chance, in that order. Raises `ValueError` for a chance outside 0..1."""
    counted: dict[tuple[str, int, float], list[int]] = {}
    for chunk in chunks:
        if not 0 < chunk.chance <= 1:
            raise ValueError(f"chance {chunk.chance} of {chunk.channel} is not above 0 and at most 1")
        row = counted.setdefault((chunk.channel, chunk.score // BAND * BAND, chunk.chance), [0, 0, 0])
        row[0] += 1
        row[1] += chunk.case is not None
        row[2] += chunk.case is True
    return [Stratum(*key, *row) for key, row in sorted(counted.items())]


def missed_cases(strata: Iterable[Stratum], found: int, *, known: int = 0, level: float = LEVEL) -> Missed:
    """Cases below the threshold, and recall; `found` are the gold cases at or above it, where every chunk is labelled.

    `known`: cases below the threshold that are known without the slice, since an earlier model had flagged them; they are
    added. Where a channel has under `LEAST_LABELS` labels in a band, all channels of that band and chance are one stratum; a
    band that nobody looked at is one with the nearest band that somebody did. A stratum without a case still has an upper
    limit. Without any label nothing is estimated. Raises `Permanent` for counts that contradict each other.
    """
    if not 0 < level < 1:
        raise ValueError(f"level {level} is not within 0..1; write 0.95 for 95 %")
    rows = _joined([_sound(s) for s in strata])
    if found < 0:
        raise Permanent(f"{found} cases found at or above the threshold; count gold_labels again")
    each = [(s, _alone(s, level)) for s in rows]
    by_chance = sum(s.cases / s.chance for s in rows)
    if rows and not any(s.labelled for s in rows):
        reason = (
            f"nobody has labelled any of {sum(s.chunks for s in rows)} chunks below the threshold: ask about the random slice"
        )
        nothing = Estimate(None, None, None, level, reason)
        return Missed(nothing, nothing, by_chance, each)
    cases = _with_known(_total(rows, level), known)
    return Missed(cases, _recall(found, cases), by_chance, each)


def clopper_pearson(found: int, trials: int, level: float = LEVEL) -> tuple[float, float]:
    """Exact limits of a share of independent trials (Biometrika 1934); 0 and 1 without a trial."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(found, trials - found + 1, tail)) if found else 0.0
    high = float(betaincinv(found + 1, trials - found, 1 - tail)) if found < trials else 1.0
    return low, high


def gamma_limits(counts: Sequence[tuple[int, float]], most: float, level: float = LEVEL) -> tuple[float, float]:
    """Limits of a sum of counts times weights, `(count, weight)` each; `most` is the largest weight of all strata.

    With y the sum, v the sum of count x weight^2 and G(p; k, s) the quantile of a gamma of shape k and scale s, they are
    G(a/2; y^2/v, v/y) and G(1-a/2; (y+most)^2/(v+most^2), (v+most^2)/(y+most)); the lower one is 0 without a count.
    """
    from scipy.special import gammaincinv

    tail = (1 - level) / 2
    y = sum(count * weight for count, weight in counts)
    v = sum(count * weight**2 for count, weight in counts)
    low = float(gammaincinv(y * y / v, tail)) * v / y if y > 0 else 0.0
    above, spread = y + most, v + most**2
    return low, float(gammaincinv(above * above / spread, 1 - tail)) * spread / above if above > 0 else 0.0


def _sound(stratum: Stratum) -> Stratum:
    if not 0 <= stratum.cases <= stratum.labelled <= stratum.chunks or not 0 < stratum.chance <= 1:
        raise Permanent(f"{stratum} counts more cases than labels, or labels than chunks, or has no chance; count them again")
    return stratum


def _joined(strata: Sequence[Stratum]) -> list[Stratum]:
    """Strata as they are where each of a band's has labels enough, or all, else joined until they have."""
    bands: dict[tuple[int, float], list[Stratum]] = {}
    for stratum in strata:
        bands.setdefault((stratum.band, stratum.chance), []).append(stratum)
    looked_at = {key: sum(s.labelled for s in members) for key, members in bands.items()}
    for band, chance in [key for key, labels in sorted(looked_at.items()) if not labels]:
        near = [key for key, labels in sorted(looked_at.items()) if labels]
        if near:
            # Of two bands as near the upper one is taken: cases grow with the score, so it is the cautious one.
            nearest = min(near, key=lambda key: (abs(key[0] - band), -key[0], abs(key[1] - chance)))
            bands[nearest] += bands.pop((band, chance))
    joined: list[Stratum] = []
    for (band, chance), members in sorted(bands.items()):
        if len(members) == 1 or all(s.labelled >= min(LEAST_LABELS, s.chunks) for s in members):
            joined += members
        else:
            totals = (sum(getattr(s, name) for s in members) for name in ("chunks", "labelled", "cases"))
            joined.append(Stratum("*", band, chance, *totals))
    return joined


def _alone(stratum: Stratum, level: float) -> Estimate:
    if not stratum.labelled:
        return Estimate(None, None, None, level, "nobody has labelled any of it")
    unseen = stratum.chunks - stratum.labelled
    low, high = clopper_pearson(stratum.cases, stratum.labelled, level)
    value = stratum.cases * stratum.chunks / stratum.labelled
    if not unseen:
        return Estimate(value, value, value, level)
    return Estimate(value, max(stratum.cases, low * stratum.chunks), min(stratum.cases + unseen, high * stratum.chunks), level)


def _total(strata: Sequence[Stratum], level: float) -> Estimate:
    """Strata that were labelled to the last chunk are known; the others are estimated."""
    known = sum(s.cases for s in strata if s.labelled == s.chunks)
    sampled = [s for s in strata if s.labelled < s.chunks]
    weighted = [(s.cases, s.chunks / s.labelled) for s in sampled]
    value = sum(count * weight for count, weight in weighted)
    low, high = gamma_limits(weighted, max((weight for _, weight in weighted), default=0.0), level)
    seen = sum(s.cases for s in sampled)
    unseen = sum(s.chunks - s.labelled for s in sampled)
    return Estimate(known + value, known + max(low, seen), known + min(high, seen + unseen), level)


def _with_known(cases: Estimate, known: int) -> Estimate:
    """The estimate and what is known for certain, together."""
    if known < 0 or cases.value is None or cases.low is None or cases.high is None:
        return cases
    return Estimate(cases.value + known, cases.low + known, cases.high + known, cases.level, cases.reason)


def _recall(found: int, cases: Estimate) -> Estimate:
    """found / (found + missed), which falls as the missed ones rise, so that the limits change places."""
    if cases.value is None or cases.low is None or cases.high is None:
        return Estimate(None, None, None, cases.level, cases.reason)
    if found + cases.value <= 0:
        return Estimate(None, None, None, cases.level, "no case was found on either side of the threshold")
    low = found / (found + cases.high) if found + cases.high > 0 else None
    high = found / (found + cases.low) if found + cases.low > 0 else None
    return Estimate(found / (found + cases.value), low, high, cases.level)
