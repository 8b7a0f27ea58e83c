"""From people's answers in a real Label Studio to gold labels, made and checked as Dagster does it; and whatever goes wrong."""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import dagster as dg
import pytest

from climate_assets.broadcast.records import Chunk, CleanChunk
from climate_assets.definitions import defs
from climate_assets.labelling import assets as labelling
from climate_assets.labelling import checks
from climate_assets.labelling.collecting import standing_answers
from climate_assets.labelling.labelling_config import labelling_config
from climate_assets.labelling.records import Annotation, GoldLabel, LabellingTask, ReadMark, RefusedAnnotation, Ring
from resources.doorbell import Doorbell
from resources.label_studio import LabelStudio
from resources.label_studio_annotations import webhook_active
from resources.postgres import Barometre
from resources.s3 import LAKE, Lake
from sensors import answers
from tests.broadcast.served import served
from tests.label_studio_people import People
from tests.label_studio_server import Running
from tests.labelling import cases

SECRET = "a-secret-of-the-suite"
TITLES = (f"Boréalie, loop {number}" for number in count(1))
# Nothing near the first text, and nothing near each other.
OTHER = " ".join(f"parole{n} du{n} temps{n}" for n in range(40))


class Loop:
    """One country's project with its tasks, the people who answer, and Dagster."""

    def __init__(self, server: Running, barometre: Barometre, lake: Lake, doorbell: Doorbell) -> None:
        self.label_studio = LabelStudio(url=server.url, api_key=server.token)
        self.project = self.label_studio.ensure_project(next(TITLES), labelling_config(), "loop").project_id
        self.people = People(server, self.project)
        self.barometre, self.lake, self.doorbell = barometre, lake, doorbell
        self.instance = dg.DagsterInstance.ephemeral()
        self.instance.add_dynamic_partitions("country", ["borealie"])

    def ask(self, *texts: str) -> list[int]:
        """Ask about these texts; the numbers of their tasks."""
        made = [(cases.chunk(text, 4 * n), cases.task(text, 4 * n)) for n, text in enumerate(texts, 1)]
        pushed = self.label_studio.push(self.project, [task for _, task in made])
        rows = []
        for chunk, _ in made:
            self.barometre.upsert([chunk], Chunk)
            self.barometre.upsert([cases.clean(chunk)], CleanChunk)
            known = (chunk.chunk_id, chunk.country, chunk.day, chunk.channel, "b", chunk.chunk_id, "s", "score", 1.0, 0.5)
            rows.append(LabellingTask(*known, "m", "p", "g", self.project, pushed.arrived[chunk.chunk_id], "ok", ""))
        self.barometre.upsert(rows, LabellingTask)
        return [pushed.arrived[chunk.chunk_id] for chunk, _ in made]

    def person(self) -> int:
        """Number of somebody new."""
        name = f"p{uuid.uuid4().hex[:8]}"
        return int(self.people.call("POST", "users/", json={"username": name, "email": f"{name}@example.org"})["id"])

    def says(self, task: int, assessment: str, person: int, category: str = "") -> int:
        """Somebody answers."""
        made = self.people.answer(task, assessment)
        result = [{"id": "a", "from_name": "assessment", "to_name": "source_text", "type": "choices"}]
        result[0]["value"] = {"choices": [assessment]}  # type: ignore[assignment]
        if category:
            result.append({**result[0], "id": "c", "from_name": "category", "value": {"choices": [category]}})  # type: ignore[dict-item]
        self.people.call("PATCH", f"annotations/{made}/", json={"result": result, "completed_by": person})
        return made

    def make(self, *assets: dg.AssetsDefinition, with_checks: bool = False) -> dg.ExecuteInProcessResult:
        """Make the assets of the country, as the platform does."""
        chosen = list(assets) or [labelling.annotations, labelling.gold_labels]
        beside: list[Any] = dg.load_asset_checks_from_modules([checks]) if with_checks else []
        beside = [c for c in beside if c.check_key.asset_key in {a.key for a in chosen}]
        return dg.materialize(
            [labelling.label_studio_answers, labelling.annotations, labelling.gold_labels, *beside],
            selection=dg.AssetSelection.assets(*(a.key for a in chosen)),
            instance=self.instance,
            partition_key="borealie",
            resources={
                "barometre": self.barometre,
                "lake": self.lake,
                "label_studio": self.label_studio,
                "doorbell": self.doorbell,
            },
        )

    def checked(self) -> dict[str, bool]:
        """Make both, and say which checks hold."""
        return {found.check_name: found.passed for found in self.make(with_checks=True).get_asset_check_evaluations()}

    def table(self) -> dict[int, tuple[str, bool]]:
        """What the table says: result of each answer that is there, and whether it is skipped."""
        return {
            row.annotation_id: (json.dumps(json.loads(row.result), sort_keys=True), row.state == "skipped")
            for row in standing_answers("borealie", self.barometre)
        }

    def server(self) -> dict[int, tuple[str, bool]]:
        """The same as Label Studio says it."""
        return {number: (result, skipped) for number, (result, _, skipped) in self.people.has().items()}

    def gold(self) -> dict[str, tuple[str | None, str]]:
        """Value and standing of each assessment, by minute of the item."""
        rows = self.barometre.read(GoldLabel, field="assessment")
        return {row.item_id[-6:-4]: (row.value, row.standing) for row in rows}

    def tick(self, sensor: dg.SensorDefinition, cursor: str | None, **resources: Any) -> dg.SensorResult:
        """One tick of a sensor of the platform."""
        known = {"barometre": self.barometre, **resources}
        repository = defs().get_repository_def()
        told = sensor(dg.build_sensor_context(self.instance, cursor, repository_def=repository, resources=known))
        return told if isinstance(told, dg.SensorResult) else dg.SensorResult(skip_reason=str(told.skip_message))

    def look(self, cursor: str | None) -> dg.SensorResult:
        """One tick of the sensor that compares."""
        return self.tick(answers.answers_changed, cursor, label_studio=self.label_studio, doorbell=self.doorbell)


@pytest.fixture
def loop(label_studio_server: Running, barometre: Barometre, lake: Lake) -> Iterator[Loop]:
    lake.ensure_bucket(LAKE)
    doorbell = Doorbell(url="http://set-later.example", secret=SECRET)
    with served(doorbell.app(barometre)) as url:
        yield Loop(label_studio_server, barometre, lake, Doorbell(url=url, secret=SECRET))


def test_answers_become_labels_that_say_why(loop: Loop) -> None:
    first, second, third, _ = loop.ask(cases.TEXT, OTHER, OTHER.replace("parole", "chose"), cases.TEXT + " merci")
    one, two, three = loop.person(), loop.person(), loop.person()
    for person, assessment in ((one, "unchallenged"), (two, "unchallenged"), (three, "none")):
        loop.says(first, assessment, person, "2_humans_are_not_the_cause" if assessment != "none" else "")
    loop.says(second, "none", one)
    loop.says(third, "none", one)
    loop.says(third, "challenged", two)
    loop.look(None)  # hangs the bell
    assert all(loop.checked().values())
    assert loop.gold() == {
        "04": ("unchallenged", "agreed"),
        "08": ("none", "single"),
        "12": (None, "disputed"),
        # Nobody was shown this airing; it is the first one's words again.
        "16": ("unchallenged", "propagated"),
    }
    [agreed] = loop.barometre.read(GoldLabel, item_id=cases.chunk(minute=4).chunk_id, field="assessment")
    assert agreed.why.startswith("2 of 3 people say unchallenged (annotations ")
    assert (agreed.people, json.loads(agreed.votes)) == (3, {"unchallenged": 2, "none": 1})
    assert len(agreed.annotations) == 3
    [claimed] = loop.barometre.read(GoldLabel, item_id=cases.chunk(minute=4).chunk_id, field="categories")
    assert claimed.value == "2_humans_are_not_the_cause"


def test_making_it_again_changes_nothing(loop: Loop) -> None:
    [task] = loop.ask(cases.TEXT)
    loop.says(task, "unchallenged", loop.person())
    loop.make()
    before = [loop.barometre.read(record) for record in (Annotation, GoldLabel, RefusedAnnotation)]
    result = loop.make()
    assert [loop.barometre.read(record) for record in (Annotation, GoldLabel, RefusedAnnotation)] == before
    for asset in (labelling.annotations, labelling.gold_labels):
        [made] = result.asset_materializations_for_node(asset.key.to_user_string())
        told = {name: made.metadata[name].value for name in ("rows_inserted", "rows_updated", "rows_deleted")}
        assert told["rows_inserted"] == told["rows_deleted"] == 0


def test_whatever_people_do_two_reads_later_the_table_is_what_label_studio_says(loop: Loop) -> None:
    tasks = loop.ask(cases.TEXT, OTHER, OTHER.replace("parole", "chose"), OTHER.replace("parole", "chat"))
    person, other = loop.person(), loop.person()
    kept = [loop.says(task, "none", person) for task in tasks]
    loop.make(labelling.annotations)
    assert loop.table() == loop.server()
    loop.people.edit(kept[0], "challenged")
    loop.people.call("DELETE", f"annotations/{kept[1]}/")
    loop.people.answer(tasks[0], "none", skip=True)
    loop.says(tasks[2], "challenged", other)
    # A bulk deletion and the deletion of a task move no task's time of change.
    loop.people.act("delete_tasks_annotations", [tasks[2]])
    loop.people.act("delete_tasks", [tasks[3]])
    loop.make(labelling.annotations)
    loop.make(labelling.annotations)
    assert loop.table() == loop.server()
    history = loop.barometre.read(Annotation, annotation_id=kept[0])
    assert [row.assessment for row in history] == ["none", "challenged"], "what was said before is still there"
    assert [row.state for row in loop.barometre.read(Annotation, annotation_id=kept[1])] == ["submitted", "deleted"]
    assert loop.checked()["what_stands_has_answers_behind_it"]


def test_what_cannot_be_read_is_set_aside_told_and_mended(loop: Loop) -> None:
    task, sound = loop.ask(cases.TEXT, OTHER)
    poisoned = loop.people.answer(task, "none", remark="<script>fetch('//example.org')</script>")
    loop.says(sound, "none", loop.person())
    assert loop.checked()["every_answer_is_read"] is False
    [refused] = loop.barometre.read(RefusedAnnotation)
    assert (refused.annotation_id, refused.present) == (poisoned, True)
    assert "remarks" in refused.reason
    kept = loop.lake.get(LAKE, f"annotations/refused/country=borealie/sha256={refused.sha256}.json")
    assert json.loads(kept)["id"] == poisoned
    assert {row.annotation_id for row in standing_answers("borealie", loop.barometre)} == set(loop.server()) - {poisoned}
    loop.people.edit(poisoned, "none")
    assert loop.checked()["every_answer_is_read"] is True
    assert loop.table() == loop.server()
    [refused] = loop.barometre.read(RefusedAnnotation)
    assert not refused.present


def test_an_answer_rings_and_is_reported_and_a_lost_ring_is_found(loop: Loop) -> None:
    [task] = loop.ask(cases.TEXT)
    hung = loop.look(None)
    assert [event.partition for event in hung.asset_events] == ["borealie"], "it was never read"
    loop.says(task, "none", loop.person())
    deadline = time.monotonic() + 30
    while not (rings := loop.barometre.read(Ring)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert [ring.project_id for ring in rings] == [loop.project]
    rung = loop.tick(answers.doorbell_rang, None)
    assert [(event.asset_key, event.partition) for event in rung.asset_events] == [
        (labelling.label_studio_answers.key, "borealie")
    ]
    assert loop.tick(answers.doorbell_rang, rung.cursor).asset_events == []
    loop.make(labelling.annotations)
    # The bell is cut: what is answered now rings nowhere.
    loop.barometre.execute("DELETE FROM rings")
    [hook] = loop.people.call("GET", f"webhooks/?project={loop.project}")
    loop.people.call("PATCH", f"webhooks/{hook['id']}/", json={"is_active": False})
    quiet = loop.look(hung.cursor)
    assert quiet.asset_events == []
    loop.says(task, "challenged", loop.person())
    found = loop.look(quiet.cursor)
    assert [event.partition for event in found.asset_events] == ["borealie"]
    assert loop.barometre.read(Ring) == []
    assert loop.look(found.cursor).asset_events == []
    # The check says so, and switches it on again.
    assert loop.checked()["label_studio_rings"] is False
    assert webhook_active(loop.label_studio, loop.project, loop.doorbell.address(loop.project))
    assert loop.checked()["label_studio_rings"] is True
    assert loop.table() == loop.server()


def test_once_a_day_a_project_is_read_as_a_whole(loop: Loop) -> None:
    [task] = loop.ask(cases.TEXT)
    loop.says(task, "none", loop.person())
    loop.make(labelling.annotations)
    [mark] = loop.barometre.read(ReadMark)
    loop.make(labelling.annotations)
    [again] = loop.barometre.read(ReadMark)
    assert again.fully_read_at == mark.fully_read_at
    loop.barometre.execute("UPDATE read_marks SET fully_read_at = fully_read_at - %(day)s", {"day": timedelta(days=1)})
    loop.make(labelling.annotations)
    [whole] = loop.barometre.read(ReadMark)
    assert whole.fully_read_at > mark.fully_read_at


def test_the_newest_task_of_all_is_deleted_and_its_answer_with_it(loop: Loop) -> None:
    first, newest = loop.ask(cases.TEXT, OTHER)
    loop.says(first, "none", loop.person())
    gone = loop.says(newest, "challenged", loop.person())
    loop.make()
    loop.people.act("delete_tasks", [newest])
    loop.make()
    assert loop.table() == loop.server()
    assert loop.barometre.read(Annotation, annotation_id=gone)[-1].state == "deleted"
    loop.people.act("delete_tasks", [first])
    loop.make()
    assert loop.table() == loop.server() == {}
    assert {value for value, _ in loop.gold().values()} == {None}


def test_an_answer_that_was_told_to_be_gone_and_is_there_stands_again(loop: Loop) -> None:
    """As after Label Studio's database was set back to an earlier day."""
    [task] = loop.ask(cases.TEXT)
    number = loop.says(task, "none", loop.person())
    loop.make()
    [told] = loop.barometre.read(Annotation, annotation_id=number)
    tombstone = replace(told, updated_at=told.updated_at + timedelta(days=1), state="deleted", result="[]", assessment=None)
    loop.barometre.upsert([tombstone], Annotation)
    loop.make()
    assert loop.gold()["04"] == ("none", "single")
    assert loop.table() == loop.server()
    before = loop.barometre.read(Annotation)
    loop.make()
    assert loop.barometre.read(Annotation) == before


def test_answers_to_a_task_from_elsewhere_are_kept_and_do_not_count(loop: Loop) -> None:
    [ours] = loop.ask(cases.TEXT)
    loop.says(ours, "none", loop.person())
    foreign = cases.task()
    foreign["data"]["item"]["plaintext"] = "un autre texte"
    loop.people.call("POST", f"projects/{loop.project}/import", json=[foreign])
    [number] = [t["id"] for t in loop.people.call("GET", f"tasks/?project={loop.project}")["tasks"] if t["id"] != ours]
    for _ in range(2):
        loop.says(number, "challenged", loop.person())
    assert loop.checked()["every_answer_is_to_a_task_of_ours"] is False
    assert loop.gold()["04"] == ("none", "single")
    assert loop.table() == loop.server()


def test_an_answer_that_became_unreadable_no_longer_counts_as_it_was(loop: Loop) -> None:
    [task] = loop.ask(cases.TEXT)
    number = loop.says(task, "unchallenged", loop.person())
    loop.make()
    assert loop.gold()["04"] == ("unchallenged", "single")
    poison = [
        {"id": "r", "from_name": "remarks", "to_name": "source_text", "type": "textarea", "value": {"text": ["<script>"]}}
    ]
    loop.people.call("PATCH", f"annotations/{number}/", json={"result": poison})
    loop.make()
    assert loop.gold()["04"] == (None, "waiting")


def test_a_project_that_is_gone_is_told_and_its_successor_is_read(loop: Loop) -> None:
    [task] = loop.ask(cases.TEXT)
    lost = replace(loop.barometre.read(LabellingTask)[0], chunk_id="borealie/canal-un/old", project_id=1, task_id=1)
    other = loop.label_studio.ensure_project(next(TITLES), labelling_config(), "gone").project_id
    loop.barometre.upsert([replace(lost, project_id=other)], LabellingTask)
    loop.people.call("DELETE", f"projects/{other}/")
    loop.says(task, "none", loop.person())
    with pytest.raises(dg.Failure, match=f"borealie: .*project {other}"):
        loop.make(labelling.annotations)
    assert loop.table() == loop.server() != {}


def test_a_bell_that_cannot_be_looked_at_is_a_warning(loop: Loop) -> None:
    [task] = loop.ask(cases.TEXT)
    loop.doorbell = Doorbell(url="http://bell.example", secret="short")
    assert loop.checked()["label_studio_rings"] is False
    loop.says(task, "none", loop.person())
    assert loop.look(None).skip_reason is None, "what changed is reported all the same"
