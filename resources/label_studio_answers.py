"""What is asked of Label Studio's data manager, and what its refusals mean: values in, values out.

Sending and receiving is `label_studio.py`. Nothing here quotes a task's text or a token.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from climate_assets.failures import Permanent, Transient

# Hours of one look-up: they travel in the address, of which many a proxy takes no more than 8 KiB.
_HOURS: Final = 240
# Letters of ids in one look-up, as they travel in the address, quoted twice: as JSON and as an address.
_ADDRESS: Final = 3_500
_CHUNK_ID: Final = re.compile(r"([\w-]+)/[\w-]+/(\d{4}-\d{2}-\d{2}T\d{2}):[\d:.]+Z", re.ASCII)
_POST_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}/[!-;=?-~]{1,200}", re.ASCII)
_COLUMNS: Final = (
    *("id", "inner_id", "completed_at", "total_annotations", "cancelled_annotations", "total_predictions", "annotators"),
    *("annotations_results", "annotations_ids", "predictions_score", "predictions_model_versions", "predictions_results"),
    *("file_upload", "storage_filename", "created_at", "updated_at", "updated_by", "avg_lead_time", "draft_exists"),
    *("data.item", "data.item.dialogue", "data.item.plaintext_whisper", "data.sound"),
    *("data.aired", "data.channel", "data.priority"),
)
_SHOWN: Final = frozenset(
    {"id", "data.aired", "data.channel", "data.priority", "completed_at", "total_annotations", "annotators"}
)


def trouble(url: str, kind: str, what: str, status: int, body: Any, headers: Mapping[str, str]) -> Permanent | Transient:
    """The failure that an HTTP status is; `kind` of API key: `legacy` or `personal`."""
    if status == 401:
        return Permanent(
            f"Label Studio at {url} refuses the {kind} token ({detail(body)}); set LABEL_STUDIO_API_KEY to a token of its "
            f"account page, and see that the organisation allows {kind} tokens"
        )
    if status in (408, 409, 425, 429) or status >= 500 or 200 <= status < 300:
        wait = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
        return Transient(
            f"Label Studio at {url} is out of order (HTTP {status}, {what}); the next delivery tries again",
            retry_after=float(wait) if wait.isdigit() else None,
        )
    remedies = {403: "give the token's user the right to it", 404: "make the project again with ensure_project"}
    remedy = remedies.get(status, "correct what it names")
    return Permanent(f"Label Studio at {url} refuses with HTTP {status} ({what}): {detail(body)}; {remedy}")


def detail(body: Any) -> str:
    """What Label Studio says is wrong, without the task's text, which its messages repeat after ` :: `."""
    if not isinstance(body, dict):
        return "no details"
    errors = body.get("validation_errors") or {}
    found = errors.get("non_field_errors", errors) if isinstance(errors, dict) else errors
    texts = (
        [entry for entry in found if isinstance(entry, str)] if isinstance(found, list) else [json.dumps(found)] * bool(found)
    )
    message = texts[0] if texts else str(body.get("detail", "no details"))
    return message.split(" :: ")[0][:300]


def last_line(trace: str | None) -> str:
    """The end of a traceback, which names the error."""
    return ((trace or "").strip().splitlines() or ["no reason given"])[-1][:300]


def hour_queries(chunk_ids: Sequence[str]) -> Iterator[str]:
    """Data manager filters for all tasks in the UTC hours of some chunks.

    Asked by hour, not by id: one short question with an empty answer for a new day, instead of one for each hundred ids.
    """
    hours = sorted({_country_and_hour(chunk_id) for chunk_id in chunk_ids})
    for start in range(0, len(hours), _HOURS):
        part = hours[start : start + _HOURS]
        countries = "|".join(sorted({country for country, _ in part}))
        pattern = f"^({countries})/[^/]+/({'|'.join(sorted({hour for _, hour in part}))}):"
        yield _filter("data.item__id", "regex", "String", pattern)


def item_queries(item_ids: Sequence[str]) -> Iterator[str]:
    """Data manager filters for the tasks about some items, whichever they are: chunks by their hours, posts by their ids."""
    chunks = [item_id for item_id in item_ids if _CHUNK_ID.fullmatch(item_id)]
    yield from hour_queries(chunks)
    posts = sorted(set(item_ids) - set(chunks))
    if strange := [item_id for item_id in posts if not _POST_ID.fullmatch(item_id)]:
        raise Permanent(
            f"{strange[0]!r:.80} is no chunk id (country/channel/start in UTC) and no post id (source/its own id); "
            "make the task again from its chunk or post"
        )
    # Post ids carry no hour, and they may hold what a pattern means something by.
    patterns = [re.escape(item_id) for item_id in posts]
    part: list[str] = []
    for pattern in patterns:
        if part and sum(len(quote(one)) + 3 for one in [*part, pattern]) > _ADDRESS:
            yield _filter("data.item__id", "regex", "String", f"^({'|'.join(part)})$")
            part = []
        part.append(pattern)
    if part:
        yield _filter("data.item__id", "regex", "String", f"^({'|'.join(part)})$")


def tasks_from(first: int) -> str:
    """Data manager filter for the tasks with this id and later ones; quick, however many tasks a project has."""
    return _filter("id", "greater_or_equal", "Number", first)


def _filter(field: str, operator: str, kind: str, value: Any) -> str:
    condition = {"filter": f"filter:tasks:{field}", "operator": operator, "type": kind, "value": value}
    return json.dumps({"filters": {"conjunction": "and", "items": [condition]}}, separators=(",", ":"))


def _country_and_hour(chunk_id: str) -> tuple[str, str]:
    parts = _CHUNK_ID.fullmatch(chunk_id)
    if parts is None:
        raise Permanent(f"{chunk_id!r} is no chunk id (country/channel/start in UTC); make the task again from its chunk")
    return parts[1], parts[2]


def html(markdown: str) -> str:
    """A Markdown text as HTML; markup in it is shown, not obeyed."""
    from markdown_it import MarkdownIt

    return str(MarkdownIt("commonmark", {"html": False}).render(markdown)).strip()


def queue_view() -> Any:
    """The tab a project opens with: most useful first, and nothing that gives the model's opinion away."""
    hidden = [f"tasks:{name}" for name in _COLUMNS if name not in _SHOWN]
    return {
        "title": "Most useful first",
        "ordering": ["-tasks:data.priority"],
        "columnsDisplayType": {"tasks:data.priority": "Number"},
        "hiddenColumns": {"explore": hidden, "labeling": hidden},
    }
