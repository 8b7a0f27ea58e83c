"""What people answered in Label Studio, read task by task, and the webhook that rings when there is more.

Reading is by place and not by page: each question asks for what lies behind the last task met, so that a task that changes,
comes or goes meanwhile shifts no other out of sight. What an answer says is `climate_assets/labelling/answers.py`.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from climate_assets.failures import Permanent, Transient
from climate_assets.labelling.answers import TOO_LARGE
from resources.doorbell import HEADER

if TYPE_CHECKING:
    from label_studio_sdk import LabelStudio as Client
    from label_studio_sdk import Webhook

    from resources.label_studio import LabelStudio

PAGE: Final = 250
# A page of 250 tasks with three answers each has 2 MB; a task that alone is over this is told of and not read.
PAGE_BYTES: Final = 16 * 1024 * 1024
# A save is seen only when the server has committed it, and its time is from before: an action on many tasks takes that long.
OVERLAP: Final = timedelta(minutes=2)
ACTIONS: Final = ("ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED", "TASKS_DELETED")
_PAGE_SECONDS: Final = 300
# A sensor asks, and has a minute for all its projects.
_ASK_SECONDS: Final = 15
# A task that is deleted while its page is made fails the whole page once.
_WAITS: Final = (1.0, 2.0)
# Names of fields at every level; `created_username`, a person's name and address, is not among them.
_FIELDS: Final = (
    "id,data,project,updated_at,created_at,annotations,result,was_cancelled,completed_by,lead_time,task,"
    "parent_prediction,predictions,model_version,overlap"
)
_FEW_FIELDS: Final = "id,project,updated_at"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a project has, in figures; as text, its pulse."""

    tasks: int
    annotations: int
    """Without skipped ones."""
    newest: datetime | None
    """Newest change of a task or an answer, by the server's clock; none if there is no task."""

    def __str__(self) -> str:
        """The pulse."""
        return f"{self.tasks} tasks, {self.annotations} answers, changed {self.newest.isoformat() if self.newest else 'never'}"


def summary(label_studio: "LabelStudio", project_id: int) -> Summary:
    """What a project has now; one question, whatever its size.

    It differs after an answer is added, edited, skipped or deleted and after a task is: each moves on the task's time of
    change, or (copies that a lead makes of an answer, deleted tasks) a count.
    """
    page = (
        _received(label_studio, project_id, _parameters(project_id, [], "-tasks:updated_at", 1, _FEW_FIELDS), _ASK_SECONDS)
        or {}
    )
    tasks = _tasks(page, project_id)
    newest = _instant(tasks[0]) if tasks else None
    total, answers = page.get("total"), page.get("total_annotations")
    if not isinstance(total, int) or not isinstance(answers, int):
        raise Transient(f"Label Studio does not say how much project {project_id} has; look what stands before it")
    return Summary(total, answers, newest)


def tasks_changed(label_studio: "LabelStudio", project_id: int, since: datetime, page: int = PAGE) -> Iterator[dict[str, Any]]:
    """Tasks that changed from `OVERLAP` before that instant on, with their answers, skipped ones too; oldest change first.

    A task that changes again while this goes on comes again, in its new state; the same state comes once. Raises `Transient`
    when Label Studio does not answer; what was met by then need not be read again: go on from its last `updated_at`.
    Copies that a lead makes of an answer (`propagate_annotations`) and deleted tasks move no task's time: `all_tasks` finds
    them, and `summary` counts them.
    """
    at = max(since.astimezone(UTC) - OVERLAP, datetime(1970, 1, 2, tzinfo=UTC))
    operator, size, given = "greater_or_equal", page, set[tuple[int, str]]()
    while True:
        tasks, asked = _page(label_studio, project_id, [_changed(operator, at)], "tasks:updated_at", size)
        yield from (task for task in tasks if (task["id"], task["updated_at"]) not in given)
        if len(tasks) < asked:
            return
        size, last = min(page, 2 * asked), _instant(tasks[-1])
        given = {(task["id"], task["updated_at"]) for task in tasks if _instant(task) == last}
        operator = "greater_or_equal"
        if len(given) == len(tasks):
            # One action on many tasks gives all of them one time: they are told apart by their number.
            for task in _by_number(label_studio, project_id, [_changed("equal", last)], 0, page):
                if (task["id"], task["updated_at"]) not in given:
                    yield task
            operator, given = "greater", set()
        at = last


def all_tasks(label_studio: "LabelStudio", project_id: int, after: int = 0, page: int = PAGE) -> Iterator[dict[str, Any]]:
    """Every task of a project with its answers, skipped ones too, by number; each once, and those added meanwhile too.

    Raises `Transient` when Label Studio does not answer; the next call goes on `after` the last task met.
    """
    return _by_number(label_studio, project_id, [], after, page)


def ensure_webhook(label_studio: "LabelStudio", project_id: int, url: str, secret: str) -> bool:
    """Let Label Studio tell `url` of answers given, changed and deleted, with the secret in a header; whether that is new.

    One webhook of that address is active then, whatever was there before. Label Studio shows the secret to who may change
    the project. Raises `Permanent` for an address or a secret that cannot be used.
    """
    _require_sound(url, secret)
    wanted: dict[str, Any] = {"send_payload": False, "send_for_all_actions": False, "is_active": True}
    wanted |= {"headers": {HEADER: secret}, "actions": list(ACTIONS)}
    with label_studio.asking(f"webhook of project {project_id}") as client:
        own = [hook for hook in client.webhooks.list(project=str(project_id)) if hook.project == project_id]
        same = [hook for hook in own if hook.url == url]
        # A bell that hung elsewhere would go on showing the secret to whoever has that address now.
        elsewhere = [hook for hook in own if hook.url != url and HEADER in (hook.headers or {})]
        for hook in [*same[1:], *elsewhere]:
            if hook.is_active:
                client.webhooks.update(id=_id(hook), url=hook.url, is_active=False, actions=list(hook.actions or []))
        if not same:
            client.webhooks.create(url=url, project=project_id, request_options={"max_retries": 0}, **wanted)
            return True
        known = {name: getattr(same[0], name) for name in wanted} | {"actions": sorted(map(str, same[0].actions or []))}
        if known == wanted | {"actions": sorted(ACTIONS)}:
            return False
        client.webhooks.update(id=_id(same[0]), url=url, **wanted)
        return True


def webhook_active(label_studio: "LabelStudio", project_id: int, url: str) -> bool | None:
    """Whether the project's webhook of that address is switched on; none if it has no such webhook."""
    with label_studio.asking(f"webhook of project {project_id}") as client:
        states = [bool(hook.is_active) for hook in _hooks(client, project_id, url)]
    return any(states) if states else None


def _by_number(
    label_studio: "LabelStudio", project_id: int, conditions: Sequence[dict[str, Any]], after: int, page: int
) -> Iterator[dict[str, Any]]:
    size = page
    while True:
        behind = _condition("id", "greater", "Number", after)
        tasks, asked = _page(label_studio, project_id, [*conditions, behind], "tasks:id", size)
        yield from tasks
        if len(tasks) < asked:
            return
        after, size = int(tasks[-1]["id"]), min(page, 2 * asked)


def _page(
    label_studio: "LabelStudio", project_id: int, conditions: Sequence[dict[str, Any]], order: str, size: int
) -> tuple[list[dict[str, Any]], int]:
    """The first tasks of that order, and how many were asked for: fewer when so many are too large to be taken at once."""
    while True:
        answer = _answer(label_studio, project_id, conditions, order, size, _FIELDS)
        if answer is not None:
            tasks = _tasks(answer, project_id)
            if any(not isinstance(task.get("annotations"), list) for task in tasks):
                raise Transient(f"project {project_id} came without its answers; look what stands before Label Studio")
            return tasks, size
        if size == 1:
            few = _answer(label_studio, project_id, conditions, order, 1, _FEW_FIELDS) or {}
            return [{**task, TOO_LARGE: PAGE_BYTES} for task in _tasks(few, project_id)], 1
        size = max(1, size // 4)


def _answer(
    label_studio: "LabelStudio", project_id: int, conditions: Sequence[dict[str, Any]], order: str, size: int, fields: str
) -> dict[str, Any] | None:
    """What Label Studio says of the first tasks of an order; none if it says more than `PAGE_BYTES`."""
    parameters = _parameters(project_id, conditions, order, size, fields)
    for wait in _WAITS:
        try:
            return _received(label_studio, project_id, parameters, _PAGE_SECONDS)
        except Transient:
            time.sleep(wait)
    return _received(label_studio, project_id, parameters, _PAGE_SECONDS)


def _parameters(
    project_id: int, conditions: Sequence[dict[str, Any]], order: str, size: int, fields: str
) -> dict[str, str | int]:
    query: dict[str, Any] = {"ordering": [order]}
    if conditions:
        query["filters"] = {"conjunction": "and", "items": list(conditions)}
    return {
        "project": project_id,
        # Without `all` no answers come.
        "fields": "task_only" if fields == _FEW_FIELDS else "all",
        "include": fields,
        # What a task holds is read as it was sent, and is no address of this server.
        "resolve_uri": "false",
        "page_size": size,
        "query": json.dumps(query, separators=(",", ":")),
    }


def _received(
    label_studio: "LabelStudio", project_id: int, parameters: dict[str, str | int], most_seconds: int
) -> dict[str, Any] | None:
    from label_studio_sdk.core.api_error import ApiError

    deadline, content = time.monotonic() + most_seconds, bytearray()
    with label_studio.asking(f"answers of project {project_id}") as client:
        # Below the SDK's own reading of tasks, which takes an answer of any size whole and drops fields that it does not know.
        http = client._client_wrapper.httpx_client
        options: Any = {"timeout_in_seconds": min(most_seconds, int(label_studio.timeout_seconds) or 1)}
        with http.stream("api/tasks/", method="GET", params=parameters, request_options=options) as response:
            for piece in response.iter_bytes():
                content += piece
                if len(content) > PAGE_BYTES:
                    return None
                if time.monotonic() > deadline:
                    raise Transient(
                        f"Label Studio takes over {most_seconds} s for {parameters['page_size']} tasks; see its load"
                    )
            if response.status_code != 200:
                raise ApiError(status_code=response.status_code, headers=dict(response.headers), body=_refusal(content))
        try:
            answer = json.loads(content)
        except RecursionError:
            return None
        if not isinstance(answer, dict):
            raise ValueError("no object")
        return answer


def _refusal(content: bytes | bytearray) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return ""


def _tasks(answer: dict[str, Any], project_id: int) -> list[dict[str, Any]]:
    tasks = answer.get("tasks")
    sound = isinstance(tasks, list) and all(isinstance(task, dict) and isinstance(task.get("id"), int) for task in tasks)
    if not isinstance(tasks, list) or not sound:
        raise Transient(f"Label Studio answers with no list of tasks for project {project_id}; look what stands before it")
    return tasks


def _changed(operator: str, at: datetime) -> dict[str, Any]:
    return _condition("updated_at", operator, "Datetime", f"{at:%Y-%m-%dT%H:%M:%S.%f}Z")


def _condition(field: str, operator: str, kind: str, value: Any) -> dict[str, Any]:
    return {"filter": f"filter:tasks:{field}", "operator": operator, "type": kind, "value": value}


def _instant(task: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(task["updated_at"]).astimezone(UTC)


def _hooks(client: "Client", project_id: int, url: str) -> list["Webhook"]:
    """The project's own webhooks of that address, oldest first."""
    hooks = client.webhooks.list(project=str(project_id))
    return sorted((hook for hook in hooks if hook.url == url and hook.project == project_id), key=_id)


def _id(hook: "Webhook") -> int:
    return int(hook.id or 0)


def _require_sound(url: str, secret: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or len(url) > 2048:
        raise Permanent("the webhook's address is not http(s)://host/path without user and query; set it right")
    if not 16 <= len(secret) <= 200 or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise Permanent("the webhook's secret is not 16 to 200 printable characters without spaces; set another one")
