"""What people and leads do in a project of a real Label Studio, for tests: by the server's own API, and no resource of ours."""

import json
from typing import Any

import httpx

from tests.label_studio_server import Running
from tests.labelling.cases import QUOTE, TEXT

START = TEXT.index(QUOTE)


class People:
    """What people and leads do in one project, by the server's own API."""

    def __init__(self, server: Running, project: int) -> None:
        self.server, self.project = server, project

    def call(self, method: str, path: str, **asked: Any) -> Any:
        head = {"Authorization": f"Token {self.server.token}"}
        answer = httpx.request(method, f"{self.server.url}/api/{path}", headers=head, timeout=60, **asked)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def answer(self, task_id: int, assessment: str = "unchallenged", remark: str = "", skip: bool = False) -> int:
        result: list[dict[str, Any]] = [
            {"id": "s", "from_name": "spans", "to_name": "source_text", "type": "labels", "value": span("misleading")},
            {"id": "a", "from_name": "assessment", "to_name": "source_text", "type": "choices", "value": one(assessment)},
        ]
        if remark:
            result.append(
                {"id": "r", "from_name": "remarks", "to_name": "source_text", "type": "textarea", "value": {"text": [remark]}}
            )
        query = "?was_cancelled=1" if skip else ""
        return int(self.call("POST", f"tasks/{task_id}/annotations/{query}", json={"result": result, "lead_time": 4.5})["id"])

    def edit(self, annotation: int, assessment: str) -> None:
        result = [{"id": "a", "from_name": "assessment", "to_name": "source_text", "type": "choices", "value": one(assessment)}]
        self.call("PATCH", f"annotations/{annotation}/", json={"result": result})

    def act(self, action: str, tasks: list[int], **more: Any) -> None:
        body = {"selectedItems": {"all": False, "included": tasks}, **more}
        self.call("POST", f"dm/actions/?id={action}&project={self.project}", json=body)

    def has(self) -> dict[int, tuple[str, str, bool]]:
        """What the server has: annotation to its result, time and whether it is skipped, from its export of everything."""
        exported = self.call("GET", f"projects/{self.project}/export?exportType=JSON&download_all_tasks=true")
        raws = [raw for exported_task in exported for raw in exported_task["annotations"]]
        return {raw["id"]: (json.dumps(raw["result"], sort_keys=True), raw["updated_at"], raw["was_cancelled"]) for raw in raws}


def span(label: str) -> dict[str, Any]:
    return {"start": START, "end": START + len(QUOTE), "text": QUOTE, "labels": [label]}


def one(value: str) -> dict[str, Any]:
    return {"choices": [value]}
