"""Rounds of the loop of verdicts through Dagster, on real Postgres and S3: measured, trained, decided, rolled back, refused."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import dagster as dg
import pytest

from climate_assets.broadcast.records import CHUNK_SECONDS, CleanChunk
from climate_assets.claims.in_use import in_use
from climate_assets.claims.records import Verdict
from climate_assets.claims.standing import InUse
from climate_assets.definitions import defs
from climate_assets.failures import Permanent
from climate_assets.labelling import assets as labelling
from climate_assets.labelling.records import GoldLabel, LabellingTask
from climate_assets.learning import assets as learning
from climate_assets.learning import checks
from climate_assets.learning.appointing import appoint
from climate_assets.learning.records import ModelVersion, Promotion, Round, Score, Side
from climate_assets.learning.turning import examples_of
from demo.annotators import truth_of
from demo.world import World
from resources.entities import Entities
from resources.postgres import Barometre
from resources.reference import PACKAGE, ReferenceFiles
from resources.registry import ModelRegistry
from resources.s3 import LAKE, Lake
from resources.student import StudentShelf
from sensors import learning as sensors

FIRST = date(2026, 10, 5)
CHANNELS = ("canal-un", "radio-littoral", "info-plein-jour")
ROUND = "misinfo-french-000"
COUNTRY = """countries:
  france:
    iso3: fra
    language: french
    zone: Europe/Paris
    bucket: climateguard
    project: Loop France
    hours: {start: "06:00", end: "10:00"}
    threshold: 6
    audit_share: 0.1
    channels:
      - {name: canal-un, title: Canal Un}
      - {name: radio-littoral, title: Radio Littoral, radio: true}
      - {name: info-plein-jour, title: Info Plein Jour}
"""


@dataclass
class Loop:
    """One country with labels, and Dagster."""

    barometre: Barometre
    lake: Lake
    resources: dict[str, Any]
    instance: dg.DagsterInstance

    @property
    def registry(self) -> ModelRegistry:
        found: ModelRegistry = self.resources["registry"]
        return found

    def label(self, days: int, first: date = FIRST) -> int:
        """Chunks of some days of the demo world, asked about and labelled as they are; how many."""
        rows = [row for n in range(days) for row in labelled_day(first + timedelta(days=n))]
        for kind in (CleanChunk, LabellingTask, GoldLabel, Verdict):
            self.barometre.upsert([r for row in rows for r in row if isinstance(r, kind)], kind)
        return len(rows)

    def make(self, *assets: dg.AssetsDefinition, key: str = ROUND, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
        """Make assets of a round with their checks, as the platform's jobs do."""
        if key not in self.instance.get_dynamic_partitions("round"):
            self.instance.add_dynamic_partitions("round", [key])
        chosen = list(assets) or ROUND_ASSETS
        beside = list(dg.load_asset_checks_from_modules([checks]))
        return dg.materialize(
            [labelling.gold_labels, *ROUND_ASSETS, *beside],
            selection=dg.AssetSelection.assets(*(a.key for a in chosen)),
            instance=self.instance,
            partition_key=key,
            resources=self.resources,
            raise_on_error=raise_on_error,
        )

    def tick(self, sensor: dg.SensorDefinition, cursor: str | None = None) -> dg.SensorResult:
        """One tick of a sensor of the platform."""
        with dg.build_sensor_context(
            self.instance, cursor, repository_def=defs().get_repository_def(), resources=self.resources
        ) as context:
            told = sensor(context)
        return told if isinstance(told, dg.SensorResult) else dg.SensorResult(skip_reason=str(told.skip_message))

    def fingerprint(self) -> dict[str, str]:
        """Every row of the loop's tables, and every object."""
        tables = ("rounds", "scores", "sides", "model_versions", "promotions")
        found = {
            t: str(self.barometre.rows(f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) h FROM {t} t")) for t in tables
        }
        return {
            **found,
            "objects": "|".join(self.lake.listing(LAKE, "training_sets/")) + "|".join(self.lake.listing(LAKE, "models/")),
        }


ROUND_ASSETS = [learning.evaluation, learning.training_set, learning.candidate_model, learning.promotion]
_WORLD = World()


def labelled_day(day: date) -> Iterator[tuple[CleanChunk, LabellingTask, GoldLabel, GoldLabel | None, Verdict]]:
    """Chunks of a morning that hold a planted statement, and every twelfth of the others."""
    start = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    for channel in CHANNELS:
        for n in range(0, 4 * 3600 // CHUNK_SECONDS):
            begun = start + timedelta(seconds=CHUNK_SECONDS * n)
            chunk_id = f"france/{channel}/{begun:%Y-%m-%dT%H:%M:%SZ}"
            truth = truth_of(chunk_id, _WORLD)
            if truth.assessment == "none" and int(sha256(chunk_id.encode()).hexdigest(), 16) % 12:
                continue
            items = _WORLD.items(channel, begun, begun + timedelta(seconds=CHUNK_SECONDS))
            text = " ".join(str(item["plaintext"]) for item in items).strip()
            if text:
                yield _rows(chunk_id, day, channel, text, truth.assessment, truth.category)


def _rows(
    chunk_id: str, day: date, channel: str, text: str, assessment: str, category: str
) -> tuple[CleanChunk, LabellingTask, GoldLabel, GoldLabel | None, Verdict]:
    digest = sha256(text.encode()).hexdigest()
    clean = CleanChunk(chunk_id, "france", day, channel, text, [], 0.0, 1, 1, 0, digest, "d", "m")
    known = (chunk_id, "france", day, channel, "climateguard", chunk_id, "s", "audit", 1.0, 0.5)
    task = LabellingTask(*known, "student-x", "p", "g", 1, abs(hash(chunk_id)) % 10**9, "ok", "")
    gold = GoldLabel(
        chunk_id, "assessment", "france", day, channel, "misinfo", assessment, "agreed", "two say so", "{}", 2, None, [],
        chunk_id, "audit", 1.0,
    )  # fmt: skip
    named = replace(gold, field="categories", value=category) if category else None
    verdict = Verdict(
        chunk_id, "france", day, channel, "student-x", "p", "student", 0, "0_no_misinformation", "", -1, 0, None, False, "",
        digest, "only",
    )  # fmt: skip
    return clean, task, gold, named, verdict


@pytest.fixture
def loop(tmp_path: Path, barometre: Barometre, lake: Lake) -> Loop:
    lake.ensure_bucket(LAKE)
    (tmp_path / "countries.yaml").write_text(COUNTRY)
    reference = ReferenceFiles(
        countries_file=str(tmp_path / "countries.yaml"), grids_folder=str(PACKAGE / "reference" / "grids")
    )
    registry = ModelRegistry(barometre=barometre, lake=lake)
    known = {
        "barometre": barometre,
        "lake": lake,
        "registry": registry,
        "reference": reference,
        "student": StudentShelf(registry=registry, reference=reference),
        "entities": Entities(),
    }
    return Loop(barometre, lake, known, dg.DagsterInstance.ephemeral())


def test_a_round_measures_trains_and_promotes_and_a_rollback_is_one_action(loop: Loop) -> None:
    assert loop.label(14) > 150
    begun = loop.tick(sensors.rounds_unfinished)
    assert begun.dynamic_partitions_requests, begun.skip_reason
    done = loop.make()
    held = {found.check_name: found.passed for found in done.get_asset_check_evaluations()}
    assert held.pop("the_standard_is_met") in (True, False)
    assert all(held.values()), held
    [made] = loop.barometre.read(Round)
    base, challenger = loop.registry.models("misinfo", "french")
    print(f"round 0: {made.why}")
    print(loop.barometre.read(Promotion)[-1].why)
    assert made.move == "retrain"
    assert (made.value or 0) < 0.8
    assert (challenger.stage, base.stage) == ("champion", "retired"), challenger.reason
    assert challenger.parent_id == base.model_id
    assert challenger.threshold is not None
    everywhere = {s.model_version for s in loop.barometre.read(Score, slice="all", label="misinfo")}
    assert everywhere == {base.model_id, challenger.model_id}
    f1 = {s.model_version: s.f1 for s in loop.barometre.read(Score, slice="all", label="misinfo")}
    assert (f1[challenger.model_id] or 0) > (f1[base.model_id] or 0)

    before = loop.fingerprint()
    assert loop.make().success
    assert loop.fingerprint() == before, "the same round again changes nothing"

    assert loop.resources["student"].in_use("french").model_id == challenger.model_id
    decided = appoint(base.model_id, "lead", "the new one is too eager on radio", loop.registry)
    assert decided.outcome == "rolled_back"
    assert loop.registry.champion("misinfo", "french").model_id == base.model_id  # type: ignore[union-attr]
    assert [m.stage for m in loop.registry.models("misinfo", "french")] == ["champion", "retired"]
    assert in_use(loop.barometre).order[base.model_id] > in_use(loop.barometre).order[challenger.model_id]
    with pytest.raises(Permanent, match="champion"):
        appoint(base.model_id, "lead", "again", loop.registry)


def test_a_near_duplicate_across_the_split_stops_the_training(loop: Loop) -> None:
    """A held-out item whose label is in dispute again is no label any more, and still held out: dividing does not see it."""
    loop.label(6)
    assert loop.make(learning.evaluation).success
    learnt = next(s for s in loop.barometre.read(Side) if s.split == "train")
    [text] = loop.barometre.read(CleanChunk, chunk_id=learnt.item_id)
    words = text.text.split()
    misheard = set(Random(1).sample(range(len(words)), len(words) // 20))
    heard = " ".join("euh" if n in misheard else word for n, word in enumerate(words))
    planted = "france/canal-un/2026-10-01T04:00:00Z"
    loop.barometre.upsert([replace(text, chunk_id=planted, text=heard)], CleanChunk)
    loop.barometre.upsert([Side("misinfo-french", planted, "test", planted)], Side)
    done = loop.make(learning.training_set, learning.candidate_model, raise_on_error=False)
    [found] = [c for c in done.get_asset_check_evaluations() if c.check_name == "nothing_leaks"]
    assert not found.passed
    assert not done.success
    assert not loop.barometre.read(ModelVersion, round=ROUND), "nothing was trained on what leaks"


def test_a_worse_challenger_is_refused_and_the_champion_stays(loop: Loop) -> None:
    loop.label(14)
    loop.make(learning.evaluation, learning.training_set)
    # What people said is turned around in the training set alone: the challenger learns the opposite.
    from climate_assets.learning.lines import training_key
    from climate_assets.learning.training_files import to_parquet

    turned = [
        replace(
            e,
            label="none" if e.label != "none" else "unchallenged",
            category="" if e.label != "none" else "1_its_not_happening",
            marked=[],
        )
        for e in examples_of(ROUND, loop.lake)
    ]
    loop.lake.put(LAKE, training_key(ROUND), to_parquet(turned))
    done = loop.make(learning.candidate_model, learning.promotion)
    assert done.success
    [*_, decision] = loop.barometre.read(Promotion, outcome="refused")
    print(decision.why)
    assert decision.why.startswith("Refused")
    base = next(m for m in loop.registry.models("misinfo", "french") if not m.round)
    assert loop.registry.champion("misinfo", "french") == base


def test_the_sensors_ask_once_and_again_after_an_outage(loop: Loop) -> None:
    loop.label(4)
    first = loop.tick(sensors.rounds_unfinished)
    [opened] = first.dynamic_partitions_requests or []
    assert opened.partition_keys == [ROUND]
    loop.instance.add_dynamic_partitions("round", [ROUND])
    second = loop.tick(sensors.rounds_unfinished, first.cursor)
    assert not second.run_requests, "the sensor of events has just asked"
    assert "evaluation" in str(second.skip_reason)
    long_ago = str(first.cursor).replace(datetime.now(UTC).strftime("%Y"), "2020")
    third = loop.tick(sensors.rounds_unfinished, long_ago)
    assert [r.partition_key for r in third.run_requests or []] == [ROUND]
    fourth = loop.tick(sensors.rounds_unfinished, third.cursor)
    assert not fourth.run_requests


def test_a_moved_champion_is_told_once_and_judges_the_last_days_again(loop: Loop) -> None:
    loop.label(14)
    assert "told" in str(loop.tick(sensors.champion_moved).skip_reason)
    loop.resources["student"].in_use("french")
    first = loop.tick(sensors.champion_moved)
    assert [e.partition for e in first.asset_events or []] == ["misinfo-french"]
    assert not first.run_requests, "the first model has nothing to judge again"
    loop.make()
    moved = loop.tick(sensors.champion_moved, first.cursor)
    days = sorted(str(r.partition_key).split("|")[1] for r in moved.run_requests or [])
    assert days == [(FIRST + timedelta(days=n)).isoformat() for n in range(7, 14)]
    assert not loop.tick(sensors.champion_moved, moved.cursor).asset_events


def test_which_verdict_stands_follows_the_champion() -> None:
    old, new = (_verdict(model, prompt) for model, prompt in (("student-a", "z"), ("student-b", "a")))
    clean = {old.chunk_id: CleanChunk(old.chunk_id, "france", FIRST, "canal-un", "t", [], 0, 1, 1, 0, "h", "d", "m")}
    assert InUse().standing([old, new], clean) == [old]
    assert InUse({"student-a": 0, "student-b": 1}).standing([old, new], clean) == [new]
    assert InUse({"student-a": 2, "student-b": 1}).standing([old, new], clean) == [old]


def _verdict(model: str, prompt: str) -> Verdict:
    known = ("france/canal-un/2026-10-05T04:00:00Z", "france", FIRST, "canal-un", model, prompt, "student")
    return Verdict(*known, 0, "0_no_misinformation", "", -1, 0, None, False, "", "h", "only")
