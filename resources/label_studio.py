"""Label Studio: projects, tasks and storages of the team's labelling server, through its own SDK.

Two pushes of the same chunk make one task: what a project has is looked up by `data.item.id` before anything is sent, and
counted after. Two pushes at the same moment are the caller's to prevent, with one advisory lock a project around
`ensure_project`, `push` and `sync_storage`. Nothing is ever deleted. The SDK is imported where it is used: it takes 3 s.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from dagster import ConfigurableResource
from pydantic import Field

from climate_assets.failures import Permanent, Transient
from resources import label_studio_sound as sound
from resources.label_studio_annotations import summary
from resources.label_studio_answers import detail, html, item_queries, last_line, queue_view, tasks_from, trouble
from resources.label_studio_records import Project, Pushed, Synced, TokenReport

if TYPE_CHECKING:
    from label_studio_sdk import LabelStudio as Client

# Imports of one to two thousand tasks at once have answered 500 (HumanSignal/label-studio#7194).
BATCH: Final = 250
_PAGE: Final = 500
# The SDK repeats a call that failed; an import that failed on the way back would be made twice.
_NO_REPEAT: Final[Any] = {"max_retries": 0}


class LabelStudio(ConfigurableResource):  # type: ignore[type-arg]
    """A Label Studio server, 1.22 or later, Community edition."""

    url: str
    api_key: str = Field(repr=False)
    timeout_seconds: float = 120.0
    """For one call; an import of 250 tasks takes half a second, a sync of a storage 20 ms an object."""
    sync_seconds: float = 900.0

    @property
    def token_kind(self) -> str:
        """`personal` for a JSON web token, `legacy` for any other key."""
        return "personal" if self.api_key.count(".") == 2 else "legacy"

    def check(self) -> TokenReport:
        """Whether the server answers and takes the API key; raises `Transient` when it does not answer."""
        import httpx

        with self._asking("version"):
            answer = httpx.get(f"{self.url.rstrip('/')}/api/version", timeout=10.0)
            answer.raise_for_status()
            version = str(answer.json().get("release", "unknown"))
        try:
            with self._asking("who the token belongs to"):
                user = str(self._client.users.whoami(request_options=_NO_REPEAT).email)
        except Permanent as error:
            return TokenReport(self.token_kind, False, version, "", str(error))
        return TokenReport(self.token_kind, True, version, user, "")

    def ensure_project(self, title: str, config: str, description: str, instructions: str = "") -> Project:
        """The project of that title, made if it is missing, with this labelling configuration and these instructions.

        `instructions` is Markdown. Raises `Permanent` when several projects have the title, or Label Studio refuses the
        configuration (for instance because annotations use a field that it no longer has).
        """
        asked: dict[str, Any] = {
            "label_config": config,
            "expert_instruction": html(instructions),
            "show_instruction": bool(instructions),
        }
        with self._asking(f"project {title!r}"):
            pager: Any = self._client.projects.list(title=title, page_size=100)
            same = [p for p in pager if p.title == title]
            if len(same) > 1:
                numbers = ", ".join(str(p.id) for p in same)
                raise Permanent(f"Label Studio has several projects {title!r} ({numbers}); rename all but the one to be used")
            if not same:
                made = self._client.projects.create(title=title, description=description, request_options=_NO_REPEAT, **asked)
                self._client.views.create(project=made.id, data=queue_view())
                return Project(int(made.id or 0), True, False)
            project_id = int(same[0].id)
            known = self._client.projects.get(project_id)
            if all(getattr(known, name) == value for name, value in asked.items()):
                return Project(project_id, False, False)
            self._client.projects.update(id=project_id, **asked)
            return Project(project_id, False, True)

    def count(self, project_id: int) -> int:
        """Tasks that a project has."""
        with self._asking(f"tasks of project {project_id}"):
            return int(self._client.tasks.list(project=project_id, page_size=1, include="id").response.total)

    def existing(self, project_id: int, chunk_ids: Sequence[str]) -> dict[str, int]:
        """Task ids of those of `chunk_ids` that a project has; the oldest task, should a chunk have several."""
        known = _oldest(self._about(project_id, chunk_ids))
        return {chunk_id: known[chunk_id] for chunk_id in chunk_ids if chunk_id in known}

    def push(self, project_id: int, tasks: Sequence[dict[str, Any]]) -> Pushed:
        """Add the tasks that the project does not have, in their order, in small batches with their predictions.

        A task that Label Studio refuses is found by halving its batch, and does not keep the others back. Raises
        `Transient` when Label Studio fails on the way or shows fewer tasks than it took: what it has by then is found by
        the next push. Raises `Permanent` when a chunk got two tasks, because another push ran beside this one.
        """
        chunk_ids = [_chunk_id(task) for task in tasks]
        repeated = [chunk_id for chunk_id, times in Counter(chunk_ids).items() if times > 1]
        if repeated:
            raise Permanent(f"{len(repeated)} chunks are twice in one push, the first {repeated[0]}; push each task once")
        known = _oldest(self._about(project_id, chunk_ids))
        pushed = Pushed(already_there={chunk_id: known[chunk_id] for chunk_id in chunk_ids if chunk_id in known})
        new = [task for task, chunk_id in zip(tasks, chunk_ids, strict=True) if chunk_id not in known]
        for start in range(0, len(new), BATCH):
            self._import(project_id, new[start : start + BATCH], pushed)
        if pushed.arrived:
            self._require_arrived(project_id, pushed)
        return pushed

    def sync_storage(
        self,
        project_id: int,
        bucket: str,
        prefix: str,
        endpoint_url: str,
        access_key: str,
        secret_key: str,
        region: str = "us-east-1",
    ) -> Synced:
        """Let Label Studio import the task files under a prefix that it has not linked yet (the other mode of delivery).

        Not to be mixed with `push` in one project: a storage knows its own files only. Raises `Permanent` when Label Studio
        cannot use the bucket, `Transient` when the sync does not end in `sync_seconds`.
        """
        place = f"s3://{bucket}/{prefix}"
        where: dict[str, Any] = {"bucket": bucket, "prefix": prefix, "s3endpoint": endpoint_url, "region_name": region}
        keys: dict[str, Any] = {"aws_access_key_id": access_key, "aws_secret_access_key": secret_key}
        # An address in a task stays an address: nothing is presigned, no object is shown.
        how: dict[str, Any] = {"regex_filter": r".*\.json", "recursive_scan": True, "use_blob_urls": False, "presign": False}
        storages = self._client.import_storage.s3
        with self._asking(f"storage {place}"):
            known = [s for s in storages.list(project=project_id) if (s.bucket, s.prefix) == (bucket, prefix)]
            if known:
                storage_id = int(known[0].id or 0)
                storages.update(id=storage_id, project=project_id, **where, **keys, **how)
            else:
                with self._asking(f"{place} as a storage: check that it has a file, and the endpoint and keys given for it"):
                    storages.validate(project=project_id, **where, **keys, **how)
                made = storages.create(project=project_id, title=place, **where, **keys, **how)
                storage_id = int(made.id or 0)
            # The number of the storage, not of the project: legacy settings confused the two.
            state = storages.sync(
                id=storage_id, request_options={"timeout_in_seconds": int(self.sync_seconds), "max_retries": 0}
            )
            deadline = time.monotonic() + self.sync_seconds
            while state.status in ("queued", "in_progress", "initialized") and time.monotonic() < deadline:
                time.sleep(1.0)
                state = storages.get(storage_id)
        if state.status == "failed":
            raise Permanent(
                f"Label Studio could not import {place}: {last_line(state.traceback)}; see its storage {storage_id}"
            )
        if not str(state.status).startswith("completed"):
            raise Transient(
                f"the import of {place} is {state.status} after {self.sync_seconds:.0f} s; the next delivery looks again"
            )
        return Synced(storage_id, not known, int(state.last_sync_count or 0))

    def ensure_sound(
        self,
        project_id: int,
        bucket: str,
        prefix: str,
        endpoint_url: str,
        access_key: str,
        secret_key: str,
        region: str = "us-east-1",
    ) -> bool:
        """Let a project's tasks play the sound under a prefix, which needs an object by then; whether that is new.

        The bucket stays private: Label Studio passes the bytes on to who may see the project. It asks for the bucket only,
        so its members reach every object there that these keys can read.
        """
        with self._asking(f"s3://{bucket}/{prefix} as sound: check that it has a file, and the endpoint and keys given for it"):
            place = sound.Place(bucket, prefix, endpoint_url, region)
            return sound.ensured(self._client, project_id, place, access_key, secret_key)

    def update_data(self, task_id: int, data: dict[str, Any]) -> None:
        """Show other data in a task that is there; what people answered and the prediction stay as they are."""
        with self._asking(f"task {task_id}"):
            self._client.tasks.update(id=str(task_id), data=data)

    def pulse(self, project_id: int) -> str:
        """A few words that change whenever an answer of a project is given, edited or deleted; one cheap question."""
        return str(summary(self, project_id))

    @contextmanager
    def asking(self, what: str) -> Iterator["Client"]:
        """The SDK's client for what lies in the files beside this one; its errors are what a rerun can or cannot cure."""
        with self._asking(what):
            yield self._client

    @cached_property
    def _client(self) -> "Client":
        from label_studio_sdk import LabelStudio as Client

        return Client(base_url=self.url, api_key=self.api_key, timeout=self.timeout_seconds)  # type: ignore[no-untyped-call]

    def _about(self, project_id: int, chunk_ids: Sequence[str]) -> list[tuple[str, int]]:
        """Item and task id of the tasks of a project about some items; of chunks, of all in the same UTC hours."""
        found = []
        for query in item_queries(chunk_ids):
            with self._asking(f"tasks of project {project_id}"):
                pages: Any = self._client.tasks.list(project=project_id, page_size=_PAGE, include="id,data", query=query)
                found += [(str(task.data["item"]["id"]), int(task.id)) for task in pages]
        return found

    def _import(self, project_id: int, tasks: Sequence[dict[str, Any]], pushed: Pushed) -> None:
        """Add one batch; a refused one is halved until the tasks that are to blame are alone."""
        from label_studio_sdk.errors import BadRequestError

        request: Any = tasks
        try:
            with self._asking(f"import into project {project_id}", refusal=BadRequestError):
                answer = self._client.projects.import_tasks(
                    id=project_id, request=request, return_task_ids=True, request_options=_NO_REPEAT
                )
        except BadRequestError as error:
            if len(tasks) == 1:
                pushed.refused[_chunk_id(tasks[0])] = detail(error.body)
            else:
                for half in (tasks[: len(tasks) // 2], tasks[len(tasks) // 2 :]):
                    self._import(project_id, half, pushed)
            return
        ids = getattr(answer, "task_ids", None) or []
        if len(ids) != len(tasks):
            raise Transient(
                f"Label Studio named {len(ids)} of {len(tasks)} new tasks in project {project_id}; the next push looks them up"
            )
        pushed.arrived.update(zip(map(_chunk_id, tasks), map(int, ids), strict=True))

    def _require_arrived(self, project_id: int, pushed: Pushed) -> None:
        """Count what the project shows from the first new task on; if that is not right, look which tasks are to blame."""
        query = tasks_from(min(pushed.arrived.values()))
        with self._asking(f"tasks of project {project_id}"):
            shown = int(self._client.tasks.list(project=project_id, page_size=1, include="id", query=query).response.total)
        if shown == len(pushed.arrived):
            return
        times = Counter(chunk_id for chunk_id, _ in self._about(project_id, list(pushed.arrived)))
        twice = [chunk_id for chunk_id in pushed.arrived if times[chunk_id] > 1]
        if twice:
            raise Permanent(
                f"project {project_id} has {len(twice)} chunks with two tasks, the first {twice[0]}: two pushes ran at once. "
                "Delete the newer ones without annotations, and hold the project's lock while pushing"
            )
        missing = [chunk_id for chunk_id in pushed.arrived if not times[chunk_id]]
        if missing:
            raise Transient(
                f"project {project_id} took {len(pushed.arrived)} tasks and lacks {len(missing)}, first {missing[0]}"
            )

    @contextmanager
    def _asking(self, what: str, refusal: type[Exception] | tuple[()] = ()) -> Iterator[None]:
        """Errors of the SDK as what a rerun can or cannot cure; `refusal` passes as it is."""
        import httpx
        from label_studio_sdk.core.api_error import ApiError

        try:
            yield
            return
        except refusal:
            raise
        except ApiError as error:
            answered = error.status_code or 0, self._without_key(error.body), error.headers or {}
        except httpx.HTTPStatusError as error:
            answered = error.response.status_code, "", dict(error.response.headers)
        except (httpx.TimeoutException, httpx.TransportError, ValueError) as error:
            # A ValueError is an answer that is no JSON, as a proxy's page before a server that starts.
            raise Transient(
                f"Label Studio at {self.url} does not answer ({type(error).__name__}, {what}); start it, or wait: "
                "tasks stay pending and the next delivery sends them"
            ) from None
        # Raised out here and from nothing: the SDK's error holds headers and body, and is no part of what is logged.
        raise trouble(self.url, self.token_kind, what, *answered) from None

    def _without_key(self, body: Any) -> Any:
        """A body as it may be told: some servers repeat the key that they refuse."""
        text = json.dumps(body, default=str)
        return json.loads(text.replace(self.api_key, "[key]")) if self.api_key and self.api_key in text else body


def _chunk_id(task: dict[str, Any]) -> str:
    return str(task["data"]["item"]["id"])


def _oldest(found: Sequence[tuple[str, int]]) -> dict[str, int]:
    return dict(sorted(found, key=lambda pair: -pair[1]))
