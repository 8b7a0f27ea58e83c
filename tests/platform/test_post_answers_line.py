"""From posts to spans that stand: models read, people are asked in a real Label Studio, and their answers settle it."""

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from climate_assets.failures import Permanent
from climate_assets.labelling import assets as labelling
from climate_assets.labelling.records import Annotation, GoldLabel, LabellingTask, RefusedAnnotation
from climate_assets.partitions import key_of
from climate_assets.posts import assets as posts_assets
from climate_assets.posts import entity_assets, entity_checks
from climate_assets.posts.records import Post, PostEntity, PostReading
from climate_assets.states import StageState
from resources.doorbell import Doorbell
from resources.label_studio import LabelStudio
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.s3 import LAKE, Lake
from tests.label_studio_people import People
from tests.label_studio_server import Running
from tests.posts.cases import TEXT, post

DAY = date(2026, 11, 20)
NUMBERS = count(1)
COUNTRIES = """
countries:
  borealie:
    iso3: BRL
    language: french
    zone: Europe/Paris
    bucket: climateguard-posts-{n}
    project: "Boréalie, chunks {n}"
    overlap: {{share: 1.0, people: 2}}
    posts:
      project: "Boréalie, posts {n}"
      sources: [{{name: ecume, kind: files}}]
    channels:
      - {{name: canal-un, title: Canal Un}}
"""
LONG = "Lou Marnec dit que la Loi du vent clair double les éoliennes au large de Brest dès l'an prochain"


@dataclass(frozen=True)
class Hit:
    start: int
    end: int
    label: str
    score: float = 0.9


class CapitalFinder:
    """A model that takes what is written large for a person, and what ends in a unit for a quantity."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.label = "PER"

    def base_version(self, language: str) -> str:
        return f"capitals-{language}-1"

    def find(self, model: bytes | None, language: str, texts: Sequence[str]) -> list[list[Hit]]:
        self.read += texts
        label = self.label if model is None else "person"
        return [
            [
                *(Hit(m.start(), m.end(), label) for m in re.finditer(r"[A-Z]\w+ [A-Z]\w+", text)),
                *(Hit(m.start(), m.end(), "MISC") for m in re.finditer(r"Loi du \w+ \w+", text)),
            ]
            for text in texts
        ]


@dataclass
class Version:
    model_id: str
    artefact_key: str = "models/entities/one"


class Shelf:
    """A registry in which a model may stand for French."""

    model: Version | None = None

    def champion(self, task_kind: str, language: str) -> Version | None:
        assert task_kind == "ner"
        return self.model if language == "french" else None

    def artefact(self, model: Version) -> bytes:
        return model.model_id.encode()


class Loop:
    """One country's posts, the people who mark them, and Dagster."""

    def __init__(self, server: Running, barometre: Barometre, lake: Lake, folder: Path) -> None:
        number = f"{next(NUMBERS)}-{uuid.uuid4().hex[:6]}"
        (folder / "countries.yaml").write_text(COUNTRIES.format(n=number), encoding="utf-8")
        self.reference = ReferenceFiles(countries_file=str(folder / "countries.yaml"))
        self.bucket = f"climateguard-posts-{number}"
        self.server, self.barometre, self.lake = server, barometre, lake
        self.label_studio = LabelStudio(url=server.url, api_key=server.token)
        self.finder, self.shelf = CapitalFinder(), Shelf()
        self.instance = dg.DagsterInstance.ephemeral()
        self.instance.add_dynamic_partitions("country", ["borealie"])
        lake.ensure_bucket(self.bucket)

    def make(
        self, *assets: dg.AssetsDefinition, label_studio: LabelStudio | None = None, fails: bool = False
    ) -> dict[str, bool]:
        """Make assets of the day, or of the country, and say which checks of theirs hold."""
        chosen = {a.key for a in assets}
        daily = chosen & {entity_assets.post_entities.key, entity_assets.post_tasks.key}
        beside = [c for c in dg.load_asset_checks_from_modules([entity_checks]) if c.check_key.asset_key in chosen]  # type: ignore[union-attr]
        result = dg.materialize(
            [
                *(posts_assets.posts, entity_assets.post_entities, entity_assets.post_tasks),
                *(labelling.label_studio_answers, labelling.annotations, labelling.gold_labels),
                *beside,
            ],
            selection=dg.AssetSelection.assets(*chosen) | dg.AssetSelection.checks(*(c.check_key for c in beside)),  # type: ignore[union-attr]
            instance=self.instance,
            partition_key=key_of("borealie", DAY) if daily else "borealie",
            resources={
                "barometre": self.barometre,
                "lake": self.lake,
                "reference": self.reference,
                "registry": self.shelf,
                "entities": self.finder,
                "label_studio": label_studio or self.label_studio,
                "doorbell": Doorbell(url="", secret=""),
                "post_sources": dg.ResourceDefinition.none_resource(),
            },
            raise_on_error=not fails,
        )
        assert result.success is not fails
        return {found.check_name: found.passed for found in result.get_asset_check_evaluations()}

    def ask(self, *made: Post) -> dict[str, LabellingTask]:
        """Let models read these posts and ask about them; the rows by post."""
        self.barometre.upsert(made, Post)
        held = self.make(entity_assets.post_entities) | self.make(entity_assets.post_tasks)
        assert held == {"entities_are_what_their_post_says": True, "every_post_task_is_delivered": True}
        return self.tasks()

    def tasks(self) -> dict[str, LabellingTask]:
        return {task.chunk_id: task for task in self.barometre.read(LabellingTask, task_kind="ner")}

    def settle(self) -> dict[str, GoldLabel]:
        """Read what people said, and settle it; labels by post."""
        self.make(labelling.annotations)
        assert self.make(labelling.gold_labels) == {"gold_spans_are_what_their_post_says": True}
        return {label.item_id: label for label in self.barometre.read(GoldLabel, field="spans")}

    def people(self) -> "Markers":
        project = next(task.project_id for task in self.tasks().values() if task.project_id)
        return Markers(self.server, project)


class Markers(People):
    """People who mark posts, by the server's own API."""

    def person(self) -> int:
        name = f"p{uuid.uuid4().hex[:8]}"
        return int(self.call("POST", "users/", json={"username": name, "email": f"{name}@example.org"})["id"])

    def shown(self, task: LabellingTask) -> dict[str, Any]:
        return dict(self.call("GET", f"tasks/{task.task_id}/"))

    def marks(self, task: LabellingTask, person: int, *spans: tuple[str, str], nothing: bool = False) -> int:
        """Somebody marks texts with labels, where they stand first in what Label Studio shows."""
        text = self.shown(task)["data"]["item"]["plaintext"]
        result: list[dict[str, Any]] = []
        for number, (said, label) in enumerate(spans):
            start = text.index(said)
            value = {"start": start, "end": start + len(said), "text": said, "labels": [label]}
            result.append({"id": f"s{number}", "from_name": "label", "to_name": "text", "type": "labels", "value": value})
        if nothing:
            box = {"choices": ["nothing"]}
            result.append({"id": "n", "from_name": "nothing", "to_name": "text", "type": "choices", "value": box})
        made = self.call("POST", f"tasks/{task.task_id}/annotations/", json={"result": result, "lead_time": 3.5})["id"]
        self.call("PATCH", f"annotations/{made}/", json={"completed_by": person})
        return int(made)


@pytest.fixture
def loop(label_studio_server: Running, barometre: Barometre, lake: Lake, tmp_path: Path) -> Loop:
    lake.ensure_bucket(LAKE)
    return Loop(label_studio_server, barometre, lake, tmp_path)


def texts(label: GoldLabel) -> list[tuple[str, str]]:
    return [(span["text"], span["label"]) for span in json.loads(label.value or "null")]


def test_posts_are_read_asked_about_once_and_spans_stand(loop: Loop) -> None:
    first = post()
    twin = post(post_id="ecume/p2", published_at=first.published_at.replace(minute=9))
    plain = post("Rien de neuf sous le soleil e\u0301clatant\nce matin 👩🏽‍🔬", post_id="ecume/p3")
    long, repost = post(LONG, post_id="ecume/p4"), post(f"RT {LONG} !!", post_id="ecume/p5", published_at=twin.published_at)
    other = post("Wir lesen das nicht", post_id="ecume/p6", lang="de")
    made = (first, twin, plain, long, repost, other)
    tasks = loop.ask(*made)
    assert {name: task.state for name, task in tasks.items()} == {
        "ecume/p1": "ok",
        "ecume/p2": "skipped",
        "ecume/p3": "ok",
        "ecume/p4": "ok",
        "ecume/p5": "skipped",
        "ecume/p6": "ok",
    }
    assert tasks["ecume/p2"].reason == "the very same text as ecume/p1, which has the task"
    assert tasks["ecume/p5"].reason == "nearly the same words as ecume/p4, which is asked about"
    found = {(e.post_id, e.text, e.label) for e in loop.barometre.read(PostEntity)}
    assert found >= {("ecume/p1", "Maud Kerviel", "person"), ("ecume/p4", "Lou Marnec", "person")}
    assert {e.label for e in loop.barometre.read(PostEntity)} == {"person"}, "a name without counterpart is left out"
    assert {(r.post_id, r.entities) for r in loop.barometre.read(PostReading)} >= {("ecume/p3", 0), ("ecume/p1", 1)}
    [skipped] = loop.barometre.read(StageState, stage="post_entities", state="skipped")
    assert (skipped.item_id, skipped.reason) == ("ecume/p6", "no model of entities for language 'de'")
    kept = json.loads(loop.lake.get(loop.bucket, tasks["ecume/p1"].object_key))
    people = loop.people()
    shown = people.shown(tasks["ecume/p1"])
    assert shown["data"] == kept["data"]
    [prediction] = shown["predictions"]
    assert (prediction["model_version"], prediction["result"][0]["value"]["text"]) == ("capitals-french-1", "Maud Kerviel")
    assert people.shown(tasks["ecume/p6"])["predictions"] == [], "a language without a model is asked about blind"

    one, two, three = people.person(), people.person(), people.person()
    person, figure = ("Maud Kerviel", "person"), ("2,5 GW", "figure")
    people.marks(tasks["ecume/p1"], one, person, figure)
    people.marks(tasks["ecume/p1"], two, figure, person)
    people.marks(tasks["ecume/p3"], one, nothing=True)
    people.marks(tasks["ecume/p3"], two)
    people.marks(tasks["ecume/p3"], three, nothing=True)
    people.marks(tasks["ecume/p4"], one, ("Lou Marnec", "person"), ("Loi du vent clair", "law_or_policy"))
    people.marks(tasks["ecume/p4"], two, ("Lou Marnec", "person"))
    gold = loop.settle()
    assert {name: label.standing for name, label in gold.items()} == {
        "ecume/p1": "agreed",
        "ecume/p2": "propagated",
        "ecume/p3": "agreed",
        "ecume/p4": "disputed",
        "ecume/p5": "waiting",
        "ecume/p6": "waiting",
    }
    assert texts(gold["ecume/p1"]) == texts(gold["ecume/p2"]) == [person, figure]
    assert all(TEXT[s["start"] : s["end"]] == s["text"] for s in json.loads(gold["ecume/p1"].value or ""))
    assert gold["ecume/p3"].value == "[]"
    assert "; 1 sent it without a mark and without the box" in gold["ecume/p3"].why
    assert loop.barometre.read(RefusedAnnotation) == []
    assert {a.task_kind for a in loop.barometre.read(Annotation)} == {"ner"}
    [event] = loop.instance.fetch_materializations(labelling.gold_labels.key, limit=1).records
    told = event.asset_materialization.metadata  # type: ignore[union-attr]
    # 4 + 2 of 4 + 3 spans, and the post with none, alike.
    assert told["span_f1_exact"].value == pytest.approx(2 * 3 / 7)

    # Made again, it is the same: nothing is read, written or asked twice.
    reads = len(loop.finder.read)
    before = (loop.tasks(), loop.barometre.read(PostEntity), loop.barometre.read(PostReading), loop.barometre.read(GoldLabel))
    loop.ask(*made)
    loop.settle()
    after = (loop.tasks(), loop.barometre.read(PostEntity), loop.barometre.read(PostReading), loop.barometre.read(GoldLabel))
    assert (before, reads) == (after, len(loop.finder.read))
    assert loop.label_studio.count(people.project) == 4


def test_a_champion_reads_what_the_base_model_read_and_what_that_found_stays(loop: Loop) -> None:
    loop.ask(post())
    loop.shelf.model = Version("ner-french-1")
    loop.ask(post(), late := post("Lou Marnec est là", post_id="ecume/p2"))
    versions = {(r.post_id, r.model_version) for r in loop.barometre.read(PostReading)}
    assert versions == {("ecume/p1", "capitals-french-1"), ("ecume/p1", "ner-french-1"), (late.post_id, "ner-french-1")}
    assert len(loop.finder.read) == 3
    assert {name: task.model for name, task in loop.tasks().items()} == {
        "ecume/p1": "capitals-french-1",
        "ecume/p2": "ner-french-1",
    }
    # An edited post is read again; its question stands as it was asked.
    asked = loop.tasks()["ecume/p1"]
    loop.ask(post("Lou Marnec revient"))
    assert [e.text for e in loop.barometre.read(PostEntity, post_id="ecume/p1", model_version="ner-french-1")] == ["Lou Marnec"]
    assert loop.tasks()["ecume/p1"] == asked


def test_a_model_with_an_unknown_label_is_told_and_its_posts_wait(loop: Loop) -> None:
    loop.finder.label = "GADGET"
    loop.barometre.upsert([post()], Post)
    loop.make(entity_assets.post_entities, fails=True)
    [state] = loop.barometre.read(StageState, stage="post_entities")
    assert (state.state, "label 'GADGET' is not in the vocabulary" in state.reason) == ("dead", True)
    assert loop.make(entity_assets.post_tasks) == {"every_post_task_is_delivered": True}
    assert loop.tasks() == {}
    loop.finder.label = "PER"
    assert loop.ask()["ecume/p1"].state == "ok"
    [state] = loop.barometre.read(StageState, stage="post_entities")
    assert state.state == "ok"


@pytest.mark.parametrize(
    "native", ["a.b+c(1)|x", "at://did:plc:x7/app.sky.post/3k", "[0-9]*\\d$", "l'été".encode().hex() + "'"]
)
def test_a_post_is_found_again_whatever_its_id(loop: Loop, native: str) -> None:
    tasks = loop.ask(post(post_id=f"ecume/{native}"))
    [task] = tasks.values()
    project = int(task.project_id or 0)
    assert loop.label_studio.existing(project, [task.chunk_id, "ecume/another"]) == {task.chunk_id: task.task_id}
    loop.barometre.upsert([replace(task, state="pending", project_id=None, task_id=None)], LabellingTask)
    assert loop.ask() == tasks
    assert loop.label_studio.count(project) == 1


def test_while_label_studio_is_down_tasks_wait_in_the_bucket(loop: Loop) -> None:
    loop.barometre.upsert([post()], Post)
    loop.make(entity_assets.post_entities)
    down = LabelStudio(url="http://127.0.0.1:9", api_key="f" * 40, timeout_seconds=1)
    assert loop.make(entity_assets.post_tasks, label_studio=down) == {"every_post_task_is_delivered": False}
    [task] = loop.tasks().values()
    assert (task.state, "does not answer" in task.reason) == ("pending", True)
    assert loop.lake.get(task.bucket, task.object_key)
    assert loop.ask()["ecume/p1"].state == "ok"


def test_an_edited_task_is_told(loop: Loop) -> None:
    tasks, people = loop.ask(post()), loop.people()
    task = tasks["ecume/p1"]
    data = people.shown(task)["data"]
    data["item"]["plaintext"] = data["item"]["plaintext"].replace("Maud", "Mode")
    people.call("PATCH", f"tasks/{task.task_id}/", json={"data": data})
    for _ in range(2):
        people.marks(task, people.person(), ("Mode Kerviel", "person"))
    loop.make(labelling.annotations)
    assert loop.make(labelling.gold_labels) == {"gold_spans_are_what_their_post_says": False}


def test_a_project_of_two_kinds_is_refused(loop: Loop) -> None:
    [task] = loop.ask(post()).values()
    chunk = replace(task, chunk_id="borealie/canal-un/x", task_kind="misinfo", task_id=1)
    loop.barometre.upsert([chunk], LabellingTask)
    with pytest.raises((dg.Failure, Permanent), match="kind misinfo and ner"):
        loop.make(labelling.annotations)
