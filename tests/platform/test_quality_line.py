"""Quality of labels with a real Label Studio: several people a task, disputes, known tasks, files, people's time, blindness."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from climate_assets.broadcast.records import Chunk, CleanChunk
from climate_assets.claims.records import Category, Verdict
from climate_assets.countries import Country
from climate_assets.definitions import defs
from climate_assets.labelling import assets as labelling
from climate_assets.labelling import checks
from climate_assets.labelling.adjudicating import adjudicate
from climate_assets.labelling.adjudication import adjudication_title
from climate_assets.labelling.assigning import open_again
from climate_assets.labelling.handover import Handover, hand_over
from climate_assets.labelling.importing import import_answers
from climate_assets.labelling.records import Adjudication, Annotation, Assignment, GoldLabel, LabellingTask, RefusedAnnotation
from climate_assets.labelling.settling import annotator_qualities, settle
from climate_assets.labelling.workload import WAITS
from climate_assets.speech.records import VoiceErasure
from resources.doorbell import Doorbell, note_ring
from resources.label_studio import LabelStudio
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.s3 import LAKE, Lake
from sensors import answers
from tests.label_studio_people import People
from tests.label_studio_server import Running
from tests.labelling import cases

TITLES = (f"Boréalie, quality {number}" for number in count(1))
SETTINGS = """
countries:
  borealie:
    iso3: BRL
    language: french
    zone: Europe/Paris
    bucket: climateguard-borealie
    project: "{title}"
    {settings}
    channels: [{{name: canal-un, title: Canal Un}}]
"""


def words(seed: int) -> str:
    """A text that is near no other."""
    return " ".join(f"mot{seed}x{n}" for n in range(60))


class Floor:
    """One country with its settings, its people, and Dagster."""

    def __init__(self, server: Running, barometre: Barometre, lake: Lake, folder: Path) -> None:
        self.server, self.barometre, self.lake, self.folder = server, barometre, lake, folder
        self.label_studio = LabelStudio(url=server.url, api_key=server.token)
        self.instance = dg.DagsterInstance.ephemeral()
        self.instance.add_dynamic_partitions("country", ["borealie"])
        self.title = next(TITLES)
        self.country = self.settings("")
        self.lake.ensure_bucket(self.country.bucket)
        self.seen = count(1)

    def settings(self, settings: str) -> Country:
        """Run the country with these settings from now on."""
        self.reference = ReferenceFiles(countries_file=str(self.folder / "countries.yaml"))
        Path(self.reference.countries_file).write_text(SETTINGS.format(title=self.title, settings=settings), encoding="utf-8")
        self.country = self.reference.countries()["borealie"]
        return self.country

    def judged(self, *texts: str, score: int = 9) -> None:
        """Chunks with these texts were judged."""
        for text in texts:
            chunk = cases.chunk(text, 4 * next(self.seen))
            clean = cases.clean(chunk)
            quote = cases.QUOTE if cases.QUOTE in text else ""
            verdict = cases.verdict(clean, score, quote, Category.NOT_US if score else Category.NONE)
            for row, record in ((chunk, Chunk), (clean, CleanChunk), (verdict, Verdict)):
                self.barometre.upsert([row], record)

    def hand_over(self) -> Handover:
        return hand_over(self.country, cases.DAY, self.barometre, self.lake, self.label_studio)

    @property
    def tasks(self) -> list[LabellingTask]:
        """Tasks in order of time."""
        return sorted(self.barometre.read(LabellingTask), key=lambda task: task.chunk_id)

    def call(self, method: str, path: str, **asked: Any) -> Any:
        return People(self.server, 0).call(method, path, **asked)

    def person(self) -> int:
        number = next(self.seen)
        name = f"{self.title.split()[-1]}-{number}"
        return int(self.call("POST", "users/", json={"username": name, "email": f"q{name}@example.org"})["id"])

    def says(self, task: int | None, assessment: str, person: int, seconds: float = 30.0) -> int:
        """Somebody answers as they do on the screen."""
        result = [{"id": "a", "from_name": "assessment", "to_name": "source_text", "type": "choices"}]
        result[0]["value"] = {"choices": [assessment]}  # type: ignore[assignment]
        body = {"result": result, "lead_time": seconds, "completed_by": person}
        made = self.call("POST", f"tasks/{task}/annotations/", json=body)
        return int(made["id"])

    def make(self, *assets: dg.AssetsDefinition) -> dict[str, bool]:
        """Make assets of the country and their checks; which of these hold."""
        chosen = list(assets) or [labelling.annotations, labelling.gold_labels, labelling.adjudication_tasks]
        beside: list[Any] = dg.load_asset_checks_from_modules([checks])
        beside = [c for c in beside if c.check_key.asset_key in {a.key for a in chosen}]
        made = dg.materialize(
            [
                labelling.label_studio_answers,
                labelling.annotations,
                labelling.gold_labels,
                labelling.adjudication_tasks,
                *beside,
            ],
            selection=dg.AssetSelection.assets(*(a.key for a in chosen)),
            instance=self.instance,
            partition_key="borealie",
            resources={
                "barometre": self.barometre,
                "lake": self.lake,
                "label_studio": self.label_studio,
                "doorbell": Doorbell(url="", secret=""),
                "reference": self.reference,
            },
        )
        return {found.check_name: found.passed for found in made.get_asset_check_evaluations()}

    def gold(self) -> list[tuple[str | None, str]]:
        """Value and standing of each assessment, in order of time."""
        rows = sorted(self.barometre.read(GoldLabel, field="assessment"), key=lambda row: row.item_id)
        return [(row.value, row.standing) for row in rows]


@pytest.fixture
def floor(label_studio_server: Running, barometre: Barometre, lake: Lake, tmp_path: Path) -> Floor:
    lake.ensure_bucket(LAKE)
    return Floor(label_studio_server, barometre, lake, tmp_path)


def test_a_task_for_two_waits_for_two_and_a_dispute_is_decided(floor: Floor) -> None:
    floor.settings("overlap: {share: 1.0, people: 2}")
    floor.judged(cases.TEXT, words(1))
    assert floor.hand_over().trouble == ""
    first, second = floor.tasks
    assert [floor.call("GET", f"tasks/{task.task_id}/")["overlap"] for task in (first, second)] == [2, 2]
    one, two, chief = floor.person(), floor.person(), floor.person()
    for task in (first, second):
        floor.says(task.task_id, "none", one)
        assert not floor.call("GET", f"tasks/{task.task_id}/")["is_labeled"], "one of two is not enough"
    floor.make()
    assert floor.gold() == [(None, "waiting"), (None, "waiting")]
    floor.says(first.task_id, "none", two)
    floor.says(second.task_id, "challenged", two)
    assert floor.call("GET", f"tasks/{first.task_id}/")["is_labeled"]
    found = floor.make()
    assert floor.gold() == [("none", "agreed"), (None, "disputed")]
    assert found["every_dispute_is_asked_about"]
    # The dispute is a task of its own project, which shows both answers and nobody's name.
    [asked] = floor.barometre.read(Adjudication)
    assert (asked.item_id, asked.fields, asked.state) == (second.chunk_id, ["assessment"], "ok")
    assert asked.project_id != second.project_id
    assert floor.call("GET", f"projects/{asked.project_id}/")["title"] == adjudication_title(floor.title)
    shown = floor.call("GET", f"tasks/{asked.task_id}/")
    assert sorted({line["who"] for line in shown["data"]["item"]["answers"]}) == ["A", "B"]
    assert shown["predictions"] == []
    # The sensors know the second project too.
    known = {"barometre": floor.barometre, "label_studio": floor.label_studio, "doorbell": Doorbell(url="", secret="")}
    repository = defs().get_repository_def()

    def look(cursor: str | None) -> dg.SensorResult:
        context = dg.build_sensor_context(floor.instance, cursor, repository_def=repository, resources=known)
        told = answers.answers_changed(context)
        assert isinstance(told, dg.SensorResult)
        return told

    floor.make()
    read = look(look(None).cursor)
    assert read.asset_events == []
    floor.says(asked.task_id, "challenged", chief)
    assert [event.partition for event in look(read.cursor).asset_events] == ["borealie"]
    assert note_ring(floor.barometre, asked.project_id or 0, datetime(2026, 11, 21, tzinfo=UTC))
    floor.make()
    assert floor.gold() == [("none", "agreed"), ("challenged", "adjudicated")]
    rows = [floor.barometre.read(record) for record in (Adjudication, GoldLabel, Annotation, Assignment)]
    floor.make()
    assert [floor.barometre.read(record) for record in (Adjudication, GoldLabel, Annotation, Assignment)] == rows
    assert floor.call("GET", f"projects/{asked.project_id}/")["task_number"] == 1


def test_an_answer_that_changes_before_the_decision_is_shown_as_it_is_now(floor: Floor) -> None:
    floor.settings("overlap: {share: 1.0, people: 2}")
    floor.judged(words(1))
    floor.hand_over()
    [task] = floor.tasks
    floor.says(task.task_id, "none", floor.person())
    edited = floor.says(task.task_id, "challenged", floor.person())
    floor.make()
    [before] = floor.barometre.read(Adjudication)
    result = [{"id": "a", "from_name": "assessment", "to_name": "source_text", "type": "choices"}]
    result[0]["value"] = {"choices": ["unchallenged"]}  # type: ignore[assignment]
    floor.call("PATCH", f"annotations/{edited}/", json={"result": result})
    floor.make()
    [after] = floor.barometre.read(Adjudication)
    assert after.task_id == before.task_id
    assert after.answers_key != before.answers_key
    shown = floor.call("GET", f"tasks/{after.task_id}/")["data"]["item"]
    assert shown["answers_key"] == after.answers_key


def test_a_task_that_was_damaged_keeps_nobody_from_deciding_about_the_others(floor: Floor) -> None:
    floor.settings("overlap: {share: 1.0, people: 2}")
    floor.judged(words(1), words(2), words(3))
    floor.hand_over()
    gone, torn, sound = floor.tasks
    for assessment in ("none", "challenged"):
        person = floor.person()
        for task in floor.tasks:
            floor.says(task.task_id, assessment, person)
    floor.lake._client.delete_object(Bucket=gone.bucket, Key=gone.object_key)
    floor.lake.put(torn.bucket, torn.object_key, b"{torn")
    found = floor.make()
    assert [row.item_id for row in floor.barometre.read(Adjudication)] == [sound.chunk_id]
    assert found["every_dispute_is_asked_about"] is False
    told = adjudicate(floor.country, floor.barometre, floor.lake, floor.label_studio).troubles
    assert len(told) == 2
    assert sorted(line.rpartition("; ")[2] for line in told) == sorted(
        f"restore s3://{task.bucket}/{task.object_key} from a copy" for task in (gone, torn)
    )


def test_who_is_forgotten_is_forgotten_in_a_dispute_too(floor: Floor) -> None:
    floor.settings("overlap: {share: 1.0, people: 2}")
    floor.judged(words(1))
    floor.hand_over()
    [task] = floor.tasks
    for assessment in ("none", "challenged"):
        floor.says(task.task_id, assessment, floor.person())
    floor.make()
    [asked] = floor.barometre.read(Adjudication)
    # As if the task had been made with the name of somebody who was heard.
    body = json.loads(floor.lake.get(asked.bucket, asked.object_key))
    phrase = {"start": 0.0, "end": 4.0, "speaker": "Odile Brume", "label": "SPEAKER_00", "person_id": "p-1", "text": "bonsoir"}
    body["data"]["item"]["dialogue"] = [{**phrase, "overlap": False}]
    floor.lake.put(asked.bucket, asked.object_key, json.dumps(body).encode())
    floor.label_studio.update_data(asked.task_id or 0, body["data"])
    erasure = VoiceErasure("p-1", datetime(2026, 11, 21, tzinfo=UTC), 1, 1, 1, [task.chunk_id], "0" * 64)
    floor.barometre.upsert([erasure], VoiceErasure)
    floor.make(labelling.adjudication_tasks)
    shown = floor.call("GET", f"tasks/{asked.task_id}/")["data"]
    for told in (json.dumps(shown), floor.lake.get(asked.bucket, asked.object_key).decode()):
        assert "Odile" not in told
        assert "bonsoir" in told, "what was said stays"
    assert {line["who"] for line in shown["item"]["answers"]} == {"A", "B"}
    row = floor.barometre.read(Adjudication)
    floor.make(labelling.adjudication_tasks)
    assert floor.barometre.read(Adjudication) == row


def test_who_does_not_read_is_found_by_what_all_others_say_and_known_tasks_come_again(floor: Floor) -> None:
    floor.judged(*(words(n) for n in range(12)))
    floor.hand_over()
    careful, careless, late = [floor.person() for _ in range(3)], floor.person(), floor.person()
    *known, open_task = floor.tasks
    for task in known:
        for person in careful:
            floor.says(task.task_id, "none", person)
        floor.says(task.task_id, "challenged", careless)
    floor.says(known[0].task_id, "none", late)
    found = floor.make()
    quality = {one.annotator: one for one in annotator_qualities("borealie", floor.barometre)}
    assert [quality[person].accuracy for person in careful] == [1.0] * 3
    assert (quality[careless].accuracy, quality[careless].known, quality[careless].care) == (0.0, 11, "careless")
    assert quality[late].care == "too few"
    assert found["no_annotator_drifts"] is False
    gold = floor.gold()
    assert gold == [("none", "agreed")] * 11 + [(None, "waiting")]
    # One known item is opened again, for the one person who has not seen it; its label stands on.
    floor.settings("hidden_gold: 0.5")
    again = open_again(floor.country, floor.barometre, floor.label_studio)
    assert (again.tasks, again.troubles) == (1, [])
    [plan] = [plan for plan in floor.barometre.read(Assignment) if plan.people_more]
    [opened] = [task for task in known if task.chunk_id == plan.chunk_id]
    there = floor.call("GET", f"tasks/{opened.task_id}/")
    assert (there["overlap"], there["is_labeled"]) == (5, False)
    assert opened.chunk_id != known[0].chunk_id, "the late one has answered that"
    assert open_again(floor.country, floor.barometre, floor.label_studio).tasks == 0
    floor.make()
    assert floor.gold() == gold
    floor.says(opened.task_id, "none", late)
    assert floor.call("GET", f"tasks/{opened.task_id}/")["is_labeled"]
    assert open_task.chunk_id not in {plan.chunk_id for plan in floor.barometre.read(Assignment) if plan.people_more}


def test_a_case_below_the_threshold_is_looked_at_by_a_second_and_a_third(floor: Floor) -> None:
    floor.settings("second_look: true\n    audit_share: 1.0")
    floor.judged(*(words(n) for n in range(4)), score=1)
    floor.judged(words(9))
    floor.hand_over()
    same, other, clean, rebutted, flagged = floor.tasks
    assert [task.sampling for task in floor.tasks] == ["audit"] * 4 + ["score"]
    one, two, three = floor.person(), floor.person(), floor.person()
    for task in (same, other, flagged):
        floor.says(task.task_id, "unchallenged", one)
    floor.says(clean.task_id, "none", one)
    floor.says(rebutted.task_id, "challenged", one)
    # The label never stands on one answer, not even until Label Studio was told.
    floor.make(labelling.annotations, labelling.gold_labels)
    waits, alone = (None, "waiting"), "single"
    assert floor.gold() == [waits, waits, ("none", alone), ("challenged", alone), ("unchallenged", alone)]
    floor.make()
    told = [floor.call("GET", f"tasks/{task.task_id}/") for task in floor.tasks]
    assert [(task["overlap"], task["is_labeled"]) for task in told] == [(2, False)] * 2 + [(1, True)] * 3
    # A second one agrees, or does not; then a third decides.
    floor.says(same.task_id, "unchallenged", two)
    floor.says(other.task_id, "none", two)
    floor.make()
    assert floor.gold()[:2] == [("unchallenged", "agreed"), waits]
    assert floor.call("GET", f"tasks/{other.task_id}/")["overlap"] == 3
    assert floor.barometre.read(Adjudication) == []
    floor.says(other.task_id, "none", three)
    floor.make()
    assert floor.gold()[:2] == [("unchallenged", "agreed"), ("none", "agreed")]
    rows = [floor.barometre.read(record) for record in (GoldLabel, Assignment)]
    assert open_again(floor.country, floor.barometre, floor.label_studio).tasks == 0
    floor.make()
    assert [floor.barometre.read(record) for record in (GoldLabel, Assignment)] == rows


def test_what_an_adjudicator_decided_is_looked_at_by_nobody_else(floor: Floor) -> None:
    floor.settings("second_look: true\n    audit_share: 1.0\n    overlap: {share: 1.0, people: 2}")
    floor.judged(words(1), score=1)
    floor.hand_over()
    [task] = floor.tasks
    for assessment in ("none", "challenged"):
        floor.says(task.task_id, assessment, floor.person())
    floor.make()
    [asked] = floor.barometre.read(Adjudication)
    floor.says(asked.task_id, "unchallenged", floor.person())
    floor.make()
    assert floor.gold() == [("unchallenged", "adjudicated")]
    there = floor.call("GET", f"tasks/{task.task_id}/")
    assert (there["overlap"], there["is_labeled"]) == (2, True)


def test_an_export_file_makes_the_same_labels_as_the_api(floor: Floor) -> None:
    floor.judged(words(1), words(2))
    floor.hand_over()
    first, second = floor.tasks
    one, two = floor.person(), floor.person()
    for person in (one, two):
        floor.says(first.task_id, "none", person)
    floor.says(second.task_id, "challenged", one)
    poison = [{"id": "r", "from_name": "remarks", "to_name": "source_text", "type": "textarea"}]
    poison[0]["value"] = {"text": ["<script>"]}  # type: ignore[assignment]
    floor.call("POST", f"tasks/{second.task_id}/annotations/", json={"result": poison, "lead_time": 3})
    floor.make()
    by_api, refused = floor.barometre.read(GoldLabel), floor.barometre.read(RefusedAnnotation)
    tasks = floor.call("GET", f"projects/{first.project_id}/export?exportType=JSON&download_all_tasks=true")
    one_each = [
        {**a, "task": {k: v for k, v in task.items() if k != "annotations"}} for task in tasks for a in task["annotations"]
    ]
    for exported in (tasks, one_each):
        for table in ("annotations", "refused_annotations", "gold_labels"):
            floor.barometre.execute(f"DELETE FROM {table}")
        content = json.dumps(exported).encode()
        met: list[tuple[int, ...]] = []
        done = import_answers(
            content,
            "borealie",
            first.project_id or 0,
            floor.barometre,
            floor.lake,
            progress=lambda *told, met=met: met.append(told),
        )
        assert (done.answers, done.added, done.refused.total()) == (3, {"submitted": 3}, 1)
        assert met == [(len(exported), len(exported))]
        settle("borealie", floor.barometre)
        assert floor.barometre.read(GoldLabel) == by_api
        assert {row.source for row in floor.barometre.read(Annotation)} == {"file"}
        assert [row.reason for row in floor.barometre.read(RefusedAnnotation)] == [row.reason for row in refused]
        again = import_answers(content, "borealie", first.project_id or 0, floor.barometre, floor.lake)
        assert (again.change.changed, again.added) == (0, {})


def test_people_get_what_they_have_time_for_and_the_rest_another_day(floor: Floor) -> None:
    floor.settings("workload: {people: 1, per_person_and_day: 2}\n    audit_share: 1.0")
    floor.judged(*(words(n) for n in range(4)))
    floor.judged(*(words(n) for n in range(10, 14)), score=1)
    floor.hand_over()
    states = {(task.sampling, task.state) for task in floor.tasks}
    assert states == {("score", "ok"), ("score", "pending"), ("audit", "ok"), ("audit", "skipped")}
    [audit] = [task for task in floor.tasks if task.sampling == "audit" and task.state == "ok"]
    assert audit.probability == pytest.approx(1 / 4)
    assert {task.reason for task in floor.tasks if task.state == "pending"} == {WAITS}
    rows = floor.tasks
    floor.hand_over()
    assert floor.tasks == rows, "the day is full"
    floor.barometre.execute("UPDATE assignments SET handed_over_on = handed_over_on - %(d)s", {"d": timedelta(days=1)})
    floor.hand_over()
    assert sum(task.state == "ok" for task in floor.tasks) == 4
    assert floor.call("GET", f"projects/{audit.project_id}/")["task_number"] == 4
    floor.make()
    assert len(floor.gold()) == 5, "what was never asked has no label, what waits has"


def test_a_run_that_was_cut_between_sending_and_telling_is_made_good(floor: Floor) -> None:
    floor.settings("overlap: {share: 1.0, people: 2}\n    workload: {people: 1, per_person_and_day: 2}")
    floor.judged(words(1), words(2))
    floor.hand_over()
    [sent] = [task for task in floor.tasks if task.state == "ok"]
    rows = floor.barometre.read(Assignment)
    # As if it had ended right after the push.
    floor.barometre.execute("UPDATE assignments SET handed_over_on = NULL, people_told = 1")
    floor.call("PATCH", f"tasks/{sent.task_id}/", json={"overlap": 1})
    floor.hand_over()
    assert floor.barometre.read(Assignment) == rows
    assert floor.call("GET", f"tasks/{sent.task_id}/")["overlap"] == 2


def test_a_blind_country_is_shown_nothing_of_the_verdict_and_answers_all_the_same(floor: Floor) -> None:
    floor.settings("blind: true")
    floor.judged(cases.TEXT)
    floor.hand_over()
    [task] = floor.tasks
    there = floor.call("GET", f"tasks/{task.task_id}/")
    assert there["predictions"] == []
    assert "natural cause" not in json.dumps(there["data"])
    assert (there["data"]["item"]["model_result"], there["data"]["item"]["quote"]) == (None, "")
    assert "model_result" not in floor.call("GET", f"projects/{task.project_id}/")["label_config"]
    assert floor.barometre.read(Assignment)[0].blind
    floor.says(task.task_id, "none", floor.person())
    floor.make()
    assert floor.gold() == [("none", "single")]
    assert floor.barometre.read(Annotation)[0].suggested_by == ""
    seen = task.guideline
    floor.settings("blind: false")
    floor.judged(words(1))
    floor.hand_over()
    assert {row.guideline for row in floor.tasks} != {seen}, "the other screen is another version"
