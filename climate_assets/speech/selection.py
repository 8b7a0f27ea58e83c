"""Which judged chunks are heard again: those that people will be asked about, as far as the day's limit goes.

The slice below the threshold is the one that people are asked about (`claims/sampling.py`), and it is cut by a limit in the
same proportion as the rest, so that the presence of sound does not tell a fact-checker what the model thought.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from climate_assets.claims.records import Verdict
from climate_assets.claims.sampling import audit_slice, uniform


@dataclass(frozen=True, slots=True)
class Selection:
    """Verdicts of one day whose chunks are heard again, and those that only the limit keeps out."""

    chosen: tuple[Verdict, ...]
    over: tuple[Verdict, ...]


def selection(
    verdicts: Iterable[Verdict],
    threshold: int,
    audit_share: float,
    limit: int | None,
    *,
    own: Mapping[str, int] = MappingProxyType({}),
) -> Selection:
    """The chunks to hear, most severe first; `limit`: clips a day, none for all; `own`: thresholds of models that have one."""
    ordered = sorted(verdicts, key=lambda v: (-v.score, v.chunk_id))
    severe = [v for v in ordered if v.score >= own.get(v.model, threshold)]
    below = sorted((v for v in ordered if v.score < own.get(v.model, threshold)), key=lambda v: v.chunk_id)
    audit = sorted(audit_slice(below, audit_share), key=lambda v: uniform("heard", v.chunk_id))
    wanted = len(severe) + len(audit)
    if limit is None or wanted <= limit:
        return Selection((*severe, *audit), ())
    audited = round(limit * len(audit) / wanted)
    scored = limit - audited
    return Selection((*severe[:scored], *audit[:audited]), (*severe[scored:], *audit[audited:]))
