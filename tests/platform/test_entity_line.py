"""The loop of entities with real servers and a real model: posts, spans by people, a standard missed, a better model in use.

One story, since each step rests on the one before: two days of written posts teach the model that reads the third.
"""

import json
import uuid
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from climate_assets.labelling import assets as labelling
from climate_assets.labelling.records import GoldLabel, LabellingTask
from climate_assets.learning import assets as learning
from climate_assets.learning import checks
from climate_assets.learning.appointing import appoint
from climate_assets.learning.entity_examples import Example, Parameters
from climate_assets.learning.learners import Learners, lines_of
from climate_assets.learning.lines import Line
from climate_assets.learning.records import ModelVersion, Round, Score, Side, TrainingExample
from climate_assets.learning.training_files import from_parquet
from climate_assets.partitions import key_of
from climate_assets.posts import assets as posts_assets
from climate_assets.posts import entity_assets
from climate_assets.posts.records import PostEntity, PostReading
from climate_assets.posts.vocabulary import FRENCH, Label, unknown_to
from demo.post_annotators import PostNewsroom
from demo.posts.delivery import deliver_posts
from demo.posts.written import SOURCE
from demo.tour import days, fingerprint
from resources.doorbell import Doorbell
from resources.entities import Entities
from resources.label_studio import LabelStudio
from resources.label_studio_annotations import all_tasks
from resources.post_sources import PostSources
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.registry import ModelRegistry
from resources.s3 import LAKE, Lake
from resources.student import StudentShelf
from sensors.learning import champion_moved, rounds_due
from tests.label_studio_server import Running

COUNTRIES = """
countries:
  {code}:
    iso3: fra
    language: french
    zone: Europe/Paris
    bucket: {code}
    project: "Line {code}"
    overlap: {{share: 0.3, people: 2}}
    posts:
      project: "Posts {code}"
      sources: [{{name: {source}, kind: files}}]
    channels: [{{name: canal-un, title: Canal Un}}]
  quiet:
    iso3: gbr
    language: english
    zone: Europe/London
    bucket: quiet
    project: Quiet
    channels: [{{name: tide-tv, title: Tide}}]
"""
LINE = Line("ner", "french")
ROUND = LINE.round(0)
ASSETS = [
    *(posts_assets.posts, entity_assets.post_entities, entity_assets.post_tasks),
    *(labelling.label_studio_answers, labelling.annotations, labelling.gold_labels),
    *(learning.evaluation, learning.training_set, learning.candidate_model, learning.promotion),
]
DAILY = ["posts", "post_entities", "post_tasks"]


class Loop:
    """One country, its people and models, and Dagster."""

    def __init__(self, server: Running, barometre: Barometre, lake: Lake, folder: Path) -> None:
        self.code = f"c{uuid.uuid4().hex[:8]}"
        (folder / "countries.yaml").write_text(COUNTRIES.format(code=self.code, source=SOURCE), encoding="utf-8")
        self.reference = ReferenceFiles(countries_file=str(folder / "countries.yaml"))
        self.barometre, self.lake = barometre, lake
        self.registry, self.entities = ModelRegistry(barometre=barometre, lake=lake), Entities()
        self.label_studio = LabelStudio(url=server.url, api_key=server.token)
        self.shelf = StudentShelf(registry=self.registry, reference=self.reference)
        self.learners = Learners(self.reference, barometre, self.registry, self.shelf, self.entities)
        for bucket in (LAKE, self.code):
            lake.ensure_bucket(bucket)
        self.instance = dg.DagsterInstance.ephemeral()
        self.instance.add_dynamic_partitions("country", [self.code, "quiet"])
        self.resources: dict[str, Any] = {
            "barometre": barometre,
            "lake": lake,
            "reference": self.reference,
            "registry": self.registry,
            "student": self.shelf,
            "entities": self.entities,
            "label_studio": self.label_studio,
            "doorbell": Doorbell(url="", secret=""),
            "post_sources": PostSources(lake=lake, key="a-key-of-the-suite-alone"),
        }

    def make(self, names: Iterable[str], partition: str) -> dict[str, bool]:
        """Make assets of a partition; which of their checks hold."""
        chosen = [dg.AssetKey(name) for name in names]
        beside = [c for c in dg.load_asset_checks_from_modules([checks]) if c.check_key.asset_key in chosen]  # type: ignore[union-attr]
        made = dg.materialize(
            [*ASSETS, *beside],
            selection=dg.AssetSelection.assets(*chosen) | dg.AssetSelection.checks(*(c.check_key for c in beside)),  # type: ignore[union-attr]
            instance=self.instance,
            partition_key=partition,
            resources=self.resources,
        )
        return {one.check_name: one.passed for one in made.get_asset_check_evaluations()}

    def turn(self, *names: str, key: str = ROUND) -> dict[str, bool]:
        """Make steps of a round."""
        self.instance.add_dynamic_partitions("round", [key])
        return self.make(names, key)

    def read(self, day: date) -> dict[str, str]:
        """Posts of a day come in, are read and asked about; the model of each task."""
        self.make(DAILY, key_of(self.code, day))
        tasks = self.barometre.read(LabellingTask, country=self.code, day=day, task_kind="ner")
        return {task.chunk_id: task.model for task in tasks if task.state == "ok"}

    def answer(self) -> int:
        """The simulated people answer whatever waits, and it is settled; how many answers they sent."""
        [project, *_] = {t.project_id for t in self.barometre.read(LabellingTask, country=self.code) if t.project_id}
        sent = len(list(PostNewsroom(self.label_studio, int(project or 0)).answer_all()))
        self.make(["annotations"], self.code)
        self.make(["gold_labels"], self.code)
        return sent

    def look(self, sensor: dg.SensorDefinition, cursor: str | None = None) -> dg.SensorResult:
        """One tick of a sensor."""
        known = {name: self.resources[name] for name in ("reference", "barometre", "registry")}
        wanted = {name: known[name] for name in sensor.required_resource_keys}
        with dg.build_sensor_context(self.instance, cursor, resources=wanted) as context:
            told = sensor(context)
        return told if isinstance(told, dg.SensorResult) else dg.SensorResult(skip_reason=str(told.skip_message))

    def examples(self, key: str = ROUND) -> list[TrainingExample]:
        return from_parquet(self.lake.get(LAKE, f"training_sets/line={LINE}/round={key}/examples.parquet"))

    def champion(self) -> str:
        found = self.registry.champion("ner", "french")
        return found.model_id if found else ""

    def sides(self) -> dict[str, str]:
        return {side.item_id: side.split for side in self.barometre.read(Side, line=str(LINE))}


def test_people_teach_a_model_that_takes_over_and_reads_the_next_posts(
    label_studio_server: Running, barometre: Barometre, lake: Lake, tmp_path: Path
) -> None:
    loop = Loop(label_studio_server, barometre, lake, tmp_path)
    assert LINE in lines_of(loop.reference.countries(), loop.reference)
    assert Line("ner", "english") not in lines_of(loop.reference.countries(), loop.reference), "no English posts are read"
    base = loop.entities.base_version("french")

    # Two days of posts are read by the base model, asked about and answered.
    deliver_posts(lake, loop.code, days())
    asked = {**loop.read(days()[0]), **loop.read(days()[1])}
    assert set(asked.values()) == {base}
    assert len(asked) >= 140
    assert rounds_due(loop.reference, barometre, loop.registry)[0] == []
    assert len(asked) < loop.answer() < 2 * len(asked), "some posts are for several of them"
    gold = {g.item_id: g for g in barometre.read(GoldLabel, field="spans")}
    assert {g.standing for g in gold.values()} == {"agreed", "single", "disputed"}
    assert sum(g.value is not None for g in gold.values()) >= 0.9 * len(asked)

    # Round 0: the base model cannot say most labels, and fails.
    assert rounds_due(loop.reference, barometre, loop.registry)[0] == [ROUND]
    assert loop.turn("evaluation") == {"sides_are_kept": True, "the_standard_is_met": False}
    [first] = barometre.read(Round, line=str(LINE))
    assert (first.champion_id, first.value, first.move) == (base, 0.0, "retrain")
    assert loop.champion() == base
    rows = {(s.label, s.match): s for s in barometre.read(Score, round=ROUND, slice="all", model_version=base)}
    assert set(rows) == {(label, match) for label in (*Label, "all") for match in ("exact", "overlap")}
    assert all(rows[label, "exact"].tp == 0 for label in unknown_to(FRENCH))
    assert rows["energy_source", "exact"].support >= 20
    assert set(loop.sides().values()) == {"train", "test"}, "spans have no threshold to choose on a third side"

    # A challenger learns from gold alone, and takes over.
    told = loop.look(champion_moved)
    assert (json.loads(told.cursor or "{}"), told.run_requests) == ({str(LINE): base}, [])
    assert loop.turn("training_set", "candidate_model", "promotion") == {
        "nothing_leaks": True,
        "every_model_in_use_was_decided_on": True,
    }
    learnt = loop.examples()
    assert {e.source for e in learnt} == {"gold"}
    assert {e.item_id for e in learnt} == {i for i, side in loop.sides().items() if side == "train"}
    [decided] = [d for d in loop.registry.decisions("ner", "french") if d.measure]
    assert (decided.outcome, decided.champion_id) == ("promoted", base), decided.why
    better = loop.champion()
    assert better == decided.challenger_id
    model = loop.registry.model(better)
    assert (model.parent_id, model.round, model.stage) == (base, ROUND, "champion")
    law = [s for s in barometre.read(Score, round=ROUND, slice="all", model_version=better) if s.match == "exact"]
    assert {s.label: s.f1 or 0 for s in law}["energy_source"] >= 0.6

    # Made again, all of it is what it was.
    before = fingerprint(barometre)
    loop.turn("training_set", "candidate_model", "promotion")
    assert loop.answer() == 0
    assert fingerprint(barometre) == before
    assert rounds_due(loop.reference, barometre, loop.registry)[0] == ["ner-french-001"], "the new model is measured"

    # The promoted model reads the next posts, and those of the last days again.
    moved = loop.look(champion_moved, told.cursor)
    assert {str(r.partition_key) for r in moved.run_requests or []} == {str(key_of(loop.code, day)) for day in days()[:2]}
    assert {str(key) for r in moved.run_requests or [] for key in r.asset_selection or []} == {
        str(entity_assets.post_entities.key)
    }
    third = loop.read(days()[2])
    assert set(third.values()) == {better}
    assert {r.model_version for r in barometre.read(PostReading, post_id=list(third))} == {better}
    said = {e.label for e in barometre.read(PostEntity, post_id=list(third), model_version=better)}
    assert said >= {"energy_source", "figure"}
    number = next(t for t in barometre.read(LabellingTask, chunk_id=list(third)) if t.task_id)
    shown = next(t for t in all_tasks(loop.label_studio, number.project_id or 0) if t["id"] == number.task_id)
    assert [p["model_version"] for p in shown["predictions"]] == [better]

    # The next training rehearses what nobody has labelled, and learns from nothing that is held out.
    key = LINE.round(1)
    assert loop.turn("training_set", key=key) == {"nothing_leaks": True}
    old = {e.item_id: e for e in loop.examples(key) if e.source == "rehearsed"}
    assert 20 <= len(old) < len(loop.examples(key)) / 3
    assert not set(old) & {i for i, g in gold.items() if g.value is not None}
    assert {loop.sides()[i] for i in old} == {"train"}

    # A challenger that was taught nonsense is refused; what it would have cost is told.
    worse = loop.registry.keep("entities", _taught_nonsense(loop, model))
    loop.registry.register(_candidate(model, worse, key))
    loop.turn("promotion", key=key)
    refused = loop.registry.decisions("ner", "french")[-1]
    assert (refused.outcome, refused.challenger_id, loop.champion()) == ("refused", "ner-french-nonsense", better)
    assert "loses more than" in refused.why
    assert refused.losses

    # A person puts the base model back in one action, and it is what reads.
    back = appoint(base, "Maud Kerviel", "The new one marks hours as figures.", loop.registry)
    assert (back.outcome, loop.champion()) == ("rolled_back", base)
    loop.make(["post_entities"], key_of(loop.code, days()[2]))
    assert {r.model_version for r in barometre.read(PostReading, post_id=list(third))} == {better, base}
    appoint(better, "Maud Kerviel", "It was right after all.", loop.registry)
    assert loop.champion() == better


def _taught_nonsense(loop: Loop, champion: ModelVersion) -> bytes:
    examples = [Example(f"{SOURCE}/n{n}", f"Il a plu {n} fois sur les éoliennes.", ((0, 2, "brand"),)) for n in range(8)]
    return loop.entities.train("french", examples, loop.registry.artefact(champion), 1, Parameters(epochs=30))


def _candidate(champion: ModelVersion, artefact: str, key: str) -> ModelVersion:
    fields = {name: getattr(champion, name) for name in ModelVersion.__dataclass_fields__}
    changed = {"model_id": "ner-french-nonsense", "parent_id": champion.model_id, "artefact_key": artefact, "round": key}
    return ModelVersion(**{**fields, **changed, "stage": "candidate"})
