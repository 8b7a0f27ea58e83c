"""Sensors by real ticks on the real database and object store: what each asks for, what it skips, what it remembers."""

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster_shared.error import SerializableErrorInfo

from climate_assets import policies
from climate_assets.broadcast.records import ChannelLabel, Completeness
from climate_assets.definitions import defs
from climate_assets.failures import Permanent
from climate_assets.labelling.records import LabellingTask
from climate_assets.partitions import COUNTRY, key_of
from climate_assets.states import StageState
from resources.label_studio import LabelStudio
from resources.notifier import Notifier
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.s3 import Lake
from sensors import alerts, countries, follow_ups, grids
from tests.label_studio_server import Running

TODAY = datetime.now(UTC).date()
DAY = date(2026, 11, 16)
BLOCK = """  {code}:
    iso3: nor
    language: french
    zone: Europe/Paris
    bucket: sensors-{code}
    project: Sensors {code}
    hours: {{start: "06:00", end: "07:00"}}
    threshold: 6
    audit_share: 0.2
    channels:
      - {{name: canal-un, title: {title}}}
"""


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        made.add_dynamic_partitions(COUNTRY, ["france", "belgium"])
        yield made


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    return defs().get_repository_def()


class Told(Notifier):
    """A notifier without a webhook that remembers what it was asked to tell."""

    def tell(self, title: str, body: str, **facts: Any) -> bool:
        TOLD.append(f"{title}\n{body}")
        return super().tell(title, body, **facts)


TOLD: list[str] = []


@pytest.fixture(autouse=True)
def nothing_told() -> None:
    TOLD.clear()


def tick(
    sensor: dg.SensorDefinition, instance: dg.DagsterInstance, repository: Any, cursor: str | None = None, **resources: Any
) -> Any:
    """One tick, checked as the daemon checks it: partitions and assets asked for exist."""
    context = dg.build_sensor_context(
        instance, cursor=cursor, resources=resources, repository_def=repository, sensor_name=sensor.name
    )
    with partition_loading_context(dynamic_partitions_store=instance):
        return sensor.evaluate_tick(context)


def state(stage: str, code: str, day: date, of: str = "failed") -> StageState:
    return StageState(stage, f"{code}/{day}/{stage}/{of}", code, day, of, "no answer", 1)


def asked(data: Any) -> list[tuple[str, str]]:
    return [(r.asset_selection[0].to_user_string(), str(r.partition_key)) for r in data.run_requests]


# Failed states


def test_nothing_failed_is_a_skip(instance: dg.DagsterInstance, repository: Any, barometre: Barometre) -> None:
    barometre.upsert([state("classified_chunks", "france", DAY, of) for of in ("ok", "dead", "skipped")], StageState)
    data = tick(follow_ups.failed_states, instance, repository, barometre=barometre)
    assert (data.run_requests, data.skip_message) == ([], "no item is in state failed or pending")


def test_failed_and_pending_items_are_asked_for_once_a_day_and_stage(
    instance: dg.DagsterInstance, repository: Any, barometre: Barometre
) -> None:
    rows = [state("classified_chunks", "france", DAY, of) for of in ("failed", "pending", "dead")]
    barometre.upsert([*rows, state("mediatree_dumps", "belgium", DAY)], StageState)
    post = dataclasses.replace(task("france", DAY), chunk_id="ecume/1", task_kind="ner")
    barometre.upsert([task("france", DAY), post], LabellingTask)
    data = tick(follow_ups.failed_states, instance, repository, barometre=barometre)
    assert sorted(asked(data)) == [
        ("classified_chunks", f"france|{DAY}"), ("labelstudio_tasks", f"france|{DAY}"), ("mediatree_dumps", f"belgium|{DAY}"),
        ("post_tasks", f"france|{DAY}"),
    ]  # fmt: skip
    again = tick(follow_ups.failed_states, instance, repository, barometre=barometre)
    hours = {r.run_key.rsplit("/", 1)[1] for r in [*data.run_requests, *again.run_requests]}
    if len(hours) == 1:  # both ticks were in one hour: the keys are the same, so Dagster starts each once
        assert [r.run_key for r in again.run_requests] == [r.run_key for r in data.run_requests]


def test_pages_follow_each_other_and_begin_anew(instance: dg.DagsterInstance, repository: Any, barometre: Barometre) -> None:
    days = [DAY - timedelta(days=back) for back in range(45)]
    barometre.upsert([state("classified_chunks", "france", day) for day in days], StageState)
    seen, cursor, sizes = set[tuple[str, str]](), None, []
    for _ in range(3):
        data = tick(follow_ups.failed_states, instance, repository, cursor, barometre=barometre)
        seen |= set(asked(data))
        sizes.append(len(data.run_requests))
        cursor = data.cursor
    assert sizes == [20, 20, 5]
    assert seen == {("classified_chunks", f"france|{day}") for day in days}
    assert cursor == "0"


def test_a_place_past_the_end_begins_anew(instance: dg.DagsterInstance, repository: Any, barometre: Barometre) -> None:
    barometre.upsert([state("classified_chunks", "france", DAY)], StageState)
    data = tick(follow_ups.failed_states, instance, repository, "40", barometre=barometre)
    assert (data.run_requests, data.cursor) == ([], "0")


def task(code: str, day: date) -> LabellingTask:
    import typing

    hints = typing.get_type_hints(LabellingTask)
    values: dict[type, Any] = {str: "x", int: 1, float: 0.5, bool: False, date: day, datetime: datetime.now(UTC)}
    made = {f.name: values.get(hints[f.name]) for f in dataclasses.fields(LabellingTask)}
    return LabellingTask(**{**made, "country": code, "day": day, "state": "pending"})


# Late data


def complete(code: str, day: date, received: int, expected: int = 30) -> Completeness:
    return Completeness(code, day, "canal-un", expected, received, 0, expected * 120.0, received * 120.0, [], "")


def test_complete_days_are_a_skip(instance: dg.DagsterInstance, repository: Any, barometre: Barometre) -> None:
    old = TODAY - timedelta(days=policies.LATE_DAYS + 1)
    rows = [complete("france", TODAY - timedelta(days=2), 30), complete("france", old, 3), complete("france", TODAY, 3)]
    barometre.upsert(rows, Completeness)
    data = tick(follow_ups.late_data, instance, repository, barometre=barometre, notifier=Told())
    assert data.run_requests == []
    assert "complete" in data.skip_message
    assert TOLD == []


def test_holes_are_fetched_again_and_told_once_a_turn(
    instance: dg.DagsterInstance, repository: Any, barometre: Barometre
) -> None:
    day = TODAY - timedelta(days=2)
    barometre.upsert([complete("france", day, 27), complete("belgium", day, 30)], Completeness)
    data = tick(follow_ups.late_data, instance, repository, barometre=barometre, notifier=Told())
    assert asked(data) == [("mediatree_dumps", f"france|{day}")]
    assert [r.tags["climate/why"] for r in data.run_requests] == ["late data"]
    again = tick(follow_ups.late_data, instance, repository, data.cursor, barometre=barometre, notifier=Told())
    assert again.run_requests == []
    assert [f"1 days are incomplete and are fetched again\nfrance {day}: 3 chunks are missing"] == TOLD
    later = tick(follow_ups.late_data, instance, repository, "late data/2026-01-01T00", barometre=barometre, notifier=Told())
    assert len(later.run_requests) == 1


# Adverts learnt


def learnt(instance: dg.DagsterInstance, repository: Any, metadata: dict[str, Any]) -> Any:
    instance.report_runless_asset_event(dg.AssetMaterialization("ad_intervals", metadata=metadata))
    return tick(follow_ups.adverts_learnt, instance, repository)


@pytest.mark.parametrize("metadata", [{}, {"changed_days": dg.MetadataValue.json([])}], ids=["not said", "none"])
def test_no_changed_day_is_a_skip(instance: dg.DagsterInstance, repository: Any, metadata: dict[str, Any]) -> None:
    data = learnt(instance, repository, metadata)
    assert (data.run_requests, data.skip_message) == ([], "no earlier day would be cut otherwise")


@pytest.mark.parametrize("number", [1, 14, 45])
def test_every_changed_day_is_cut_again(instance: dg.DagsterInstance, repository: Any, number: int) -> None:
    days = [DAY - timedelta(days=back) for back in range(number)]
    data = learnt(instance, repository, {"changed_days": dg.MetadataValue.json([["france", d.isoformat()] for d in days])})
    assert asked(data) == [("ad_intervals", f"france|{day}") for day in days]
    assert len({r.run_key for r in data.run_requests}) == number


# Countries


def written(folder: Path, *blocks: str) -> ReferenceFiles:
    (folder / "countries.yaml").write_text("countries:\n" + "".join(blocks), encoding="utf-8")
    return ReferenceFiles(countries_file=str(folder / "countries.yaml"), grids_folder=str(folder))


def test_a_new_block_opens_partitions_bucket_and_project(
    repository: Any, barometre: Barometre, lake: Lake, label_studio_server: Running, tmp_path: Path
) -> None:
    label_studio = LabelStudio(url=label_studio_server.url, api_key=label_studio_server.token)
    known: dict[str, Any] = {"barometre": barometre, "lake": lake, "label_studio": label_studio}
    nord, sud = BLOCK.format(code="nordland", title="Canal Un"), BLOCK.format(code="sudland", title="Canal Un")
    with dg.DagsterInstance.ephemeral() as instance:
        first = tick(countries.countries_added, instance, repository, reference=written(tmp_path, nord), **known)
        (request,) = first.dynamic_partitions_requests
        assert (request.partitions_def_name, request.partition_keys) == (COUNTRY, ["nordland"])
        assert lake.has_bucket("sensors-nordland")
        instance.add_dynamic_partitions(COUNTRY, ["nordland"])
        # Nothing new, also after a restart: the cursor is kept by Dagster.
        same = tick(countries.countries_added, instance, repository, first.cursor, reference=written(tmp_path, nord), **known)
        assert (same.dynamic_partitions_requests, same.skip_message) == ([], "the 1 countries are as they were")
        # A second block asks for the second country alone.
        both = written(tmp_path, nord, sud)
        second = tick(countries.countries_added, instance, repository, first.cursor, reference=both, **known)
        assert [r.partition_keys for r in second.dynamic_partitions_requests] == [["sudland"]]
        instance.add_dynamic_partitions(COUNTRY, ["sudland"])
        # An edited channel reaches the database without a partition.
        edited = written(tmp_path, nord.replace("Canal Un", "Canal Premier"), sud)
        third = tick(countries.countries_added, instance, repository, second.cursor, reference=edited, **known)
        assert third.dynamic_partitions_requests == []
    titles = {(c.country, c.title) for c in barometre.read(ChannelLabel)}
    assert titles == {("nordland", "Canal Premier"), ("sudland", "Canal Un")}
    made = countries.establish(edited, barometre, lake, label_studio)
    assert made == ["nordland", "sudland"], "a second time changes nothing"


def test_a_country_that_is_established_twice_in_a_moment_has_one_project(
    tmp_path: Path, barometre: Barometre, lake: Lake, label_studio_server: Running
) -> None:
    """As at the first start: the command line, the sensor and a delivery may all ask in the same second."""
    label_studio = LabelStudio(url=label_studio_server.url, api_key=label_studio_server.token)
    reference = written(tmp_path, BLOCK.format(code="ostland", title="Canal Un"))
    with ThreadPoolExecutor(4) as callers:
        asked = [callers.submit(countries.establish, reference, barometre, lake, label_studio) for _ in range(4)]
        assert [one.result() for one in asked] == [["ostland"]] * 4
    # With two of that title this raises.
    assert countries.establish(reference, barometre, lake, label_studio) == ["ostland"]


# Grids


def test_an_edited_grid_is_reported_and_remembered(instance: dg.DagsterInstance, repository: Any, tmp_path: Path) -> None:
    files = ReferenceFiles(grids_folder=str(tmp_path))
    (tmp_path / "france.csv").write_text("one", encoding="utf-8")
    first = tick(grids.grids_edited, instance, repository, reference=files)
    assert [e.asset_key.to_user_string() for e in first.asset_events] == ["programme_grid"]
    same = tick(grids.grids_edited, instance, repository, first.cursor, reference=files)
    assert (same.asset_events, same.skip_message) == ([], "no grid file was edited")
    (tmp_path / "france.csv").write_text("two", encoding="utf-8")
    (tmp_path / "belgium.csv").write_text("one", encoding="utf-8")
    # A restart keeps the cursor, so an edit made while nothing ran is seen.
    edited = tick(grids.grids_edited, instance, repository, first.cursor, reference=files)
    assert edited.asset_events[0].metadata["files"].value == "belgium.csv, france.csv"
    (tmp_path / "belgium.csv").unlink()
    gone = tick(grids.grids_edited, instance, repository, edited.cursor, reference=files)
    assert gone.asset_events[0].metadata["files"].value == "belgium.csv"


def test_a_grid_that_was_reported_at_start_up_is_not_reported_again(
    instance: dg.DagsterInstance, repository: Any, tmp_path: Path
) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization("programme_grid"))
    data = tick(grids.grids_edited, instance, repository, reference=ReferenceFiles(grids_folder=str(tmp_path)))
    assert data.asset_events == []
    assert data.cursor == "{}"


def test_a_folder_that_is_away_is_no_edit(instance: dg.DagsterInstance, repository: Any, tmp_path: Path) -> None:
    files = ReferenceFiles(grids_folder=str(tmp_path / "not mounted"))
    with pytest.raises(Permanent, match="CLIMATE_GRIDS"):
        tick(grids.grids_edited, instance, repository, '{"france.csv": "1"}', reference=files)


# Alerts


@pytest.mark.parametrize(
    ("job", "partition", "error", "said"),
    [
        (
            "keyword_chunks",
            "france|2026-11-16",
            "no dictionary\nstack",
            "keyword_chunks (france, 2026-11-16) failed: no dictionary",
        ),
        ("fetch", None, "out of order", "fetch (no partition) failed: out of order"),
        ("fetch", "", None, "fetch (no partition) failed: no message"),
        ("fetch", "france|2026-11-16", "  \n \n", "fetch (france, 2026-11-16) failed: no message"),
    ],
)
def test_the_sentence_of_an_alert(job: str, partition: str | None, error: str | None, said: str) -> None:
    assert alerts.sentence(job, partition, error) == said


def test_an_alert_is_short() -> None:
    assert len(alerts.sentence("fetch", None, "x" * 5000)) < 400


def test_the_cause_is_told_and_not_its_wrapper() -> None:
    inner = SerializableErrorInfo("Permanent: no dictionary", [], "Permanent")
    assert alerts.root_cause(SerializableErrorInfo("Error occurred while executing op", [], "Wrapper", inner)) == inner.message


@dg.op(retry_policy=None)
def breaks() -> None:
    """An op that meets trouble."""
    raise Permanent("no dictionary for klingon; put one there")


@dg.job
def breaking() -> None:
    breaks()


def test_a_failed_run_is_told_with_its_cause(instance: dg.DagsterInstance) -> None:
    tags = {"dagster/partition": str(key_of("france", DAY))}
    done = breaking.execute_in_process(instance=instance, raise_on_error=False, tags=tags)
    context = dg.build_run_status_sensor_context(
        "run_failed", done.get_run_failure_event(), instance, done.dagster_run, resources={"notifier": Told()}
    ).for_run_failure()
    alerts.run_failed(context)
    (told,) = TOLD
    assert told.startswith(f"breaks (france, {DAY}) failed: ")
    assert "no dictionary for klingon; put one there" in told
    assert f"run {done.run_id}" in told
