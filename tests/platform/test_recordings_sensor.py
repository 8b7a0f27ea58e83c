"""The sensor on recordings, by real ticks on real inbox, tables and instance: restarts, double ticks, crashes, limits."""

import dataclasses
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from climate_assets.partitions import RECORDING
from climate_assets.recording_progress import VERSION_TAG
from climate_assets.speech import progress
from climate_assets.speech.arrivals import INBOX
from climate_assets.speech.progress import RECORDING_ASSETS, version_of
from climate_assets.speech.records import RECORDINGS, AttributedClip, Clip, Recording
from climate_assets.states import StageState, State
from resources.inbox import Inbox
from resources.postgres import Barometre
from resources.s3 import LAKE, Lake
from sensors.recordings import recordings_arrived, take_all
from tests.platform.recording_line import line, made

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def ahead() -> datetime:
    """A clock by which everything in the inbox has settled."""
    return datetime.now(UTC) + timedelta(minutes=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    folder = str(tmp_path_factory.mktemp("dagster"))
    with dg.DagsterInstance.local_temp(folder, {"telemetry": {"enabled": False}}) as made:
        yield made


@pytest.fixture
def instance(home: dg.DagsterInstance) -> dg.DagsterInstance:
    """One instance for the module, emptied for each test: making one takes longer than most tests."""
    home.wipe()
    for key in home.get_dynamic_partitions(RECORDING):
        home.delete_dynamic_partition(RECORDING, key)
    return home


@pytest.fixture
def fates(tmp_path: Path) -> Path:
    return tmp_path / "fates.json"


@pytest.fixture(autouse=True)
def empty_inbox(lake: Lake) -> None:
    """The bucket is of the suite, and the sensor looks at all of its inbox."""
    lake.ensure_bucket(LAKE)
    for key in list(lake.listing(LAKE, INBOX)):
        lake._client.delete_object(Bucket=LAKE, Key=key)


def row(number: int = 0, **more: Any) -> Recording:
    digest = sha256(f"{number}".encode()).hexdigest()
    values = dict(title=f"Débat {number}", language="", day=date(2026, 11, 20), **more)
    key = f"recordings/sha256={digest}/a.ogg"
    return Recording(digest, "a.ogg", bucket=LAKE, object_key=key, bytes=5, added_at=NOW - timedelta(minutes=number), **values)


def finish(barometre: Barometre, one: Recording) -> None:
    """The rows that a recording has when it is made."""
    clip = Clip(
        one.recording_id, RECORDINGS, one.day, one.title, one.language or "french", NOW, 0.0, 5.0, one.bucket,
        one.object_key, one.recording_id, 5, "ogg", "opus", 48_000, 1, "recording",
    )  # fmt: skip
    joined = AttributedClip(
        one.recording_id,
        RECORDINGS,
        one.day,
        one.recording_id,
        "results/20261120/x/",
        1,
        1,
        None,
        None,
        "",
        "",
        "",
        False,
        "",
        "",
    )
    barometre.upsert([clip], Clip)
    barometre.upsert([joined], AttributedClip)


def tick(instance: dg.DagsterInstance, fates: Path, cursor: str | None = None, **resources: Any) -> Any:
    """One tick, checked as the daemon checks it, with the partitions it opened."""
    sensor = dg.Definitions(sensors=[recordings_arrived], resources=resources)
    repository = dg.Definitions.merge(line(fates), sensor).get_repository_def()
    # As a code server makes it: with a reference to the instance, partitions that the tick itself opens count.
    with dg.SensorEvaluationContext(
        instance.get_ref(), None, None, cursor, None, None, repository, sensor_name="recordings_arrived", resources=resources
    ) as context:
        data = recordings_arrived.evaluate_tick(context)
    for request in data.dynamic_partitions_requests or []:
        instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
    return data


def asked(data: Any) -> list[str]:
    return [str(r.partition_key) for r in data.run_requests]


def test_nothing_to_do_is_a_skip(instance: dg.DagsterInstance, fates: Path, lake: Lake, barometre: Barometre) -> None:
    lake.put(LAKE, f"{INBOX}a.ogg.part", b"half")
    data = tick(instance, fates, lake=lake, barometre=barometre)
    assert data.run_requests == []
    assert "no recording is to be asked for" in data.skip_message
    assert "a.ogg.part: a temporary name" in data.skip_message


def test_a_file_becomes_a_partition_and_a_run_of_all_its_assets(
    instance: dg.DagsterInstance, fates: Path, lake: Lake, barometre: Barometre
) -> None:
    content = f"sound of {barometre.url}".encode()
    lake.put(LAKE, f"{INBOX}Le débat.ogg", content)
    fresh = tick(instance, fates, lake=lake, barometre=barometre)
    assert (fresh.run_requests, barometre.read(Recording)) == ([], []), "it is left to settle"
    time.sleep(11)
    data = tick(instance, fates, lake=lake, barometre=barometre)
    [request] = data.run_requests
    assert request.partition_key == sha256(content).hexdigest()
    assert [key.to_user_string() for key in request.asset_selection] == list(RECORDING_ASSETS)
    assert instance.get_dynamic_partitions(RECORDING) == [request.partition_key]
    [kept] = barometre.read(Recording)
    assert (kept.title, request.tags[VERSION_TAG]) == ("Le débat", version_of(kept))
    assert list(lake.listing(LAKE, INBOX)) == []
    assert int(request.tags["dagster/max_runtime"]) == progress.MAX_RUN_SECONDS


def test_a_row_without_a_run_is_asked_for_with_the_same_key_until_it_has_one(
    instance: dg.DagsterInstance, fates: Path, lake: Lake, barometre: Barometre
) -> None:
    # The process died between taking and asking, and once more before the run was made.
    barometre.upsert([row()], Recording)
    first, second = (tick(instance, fates, lake=lake, barometre=barometre) for _ in range(2))
    assert asked(first) == asked(second) == [row().recording_id]
    assert first.run_requests[0].run_key == second.run_requests[0].run_key, "Dagster starts it once"
    made(fates, instance, row().recording_id, {}, **first.run_requests[0].tags)
    assert asked(tick(instance, fates, lake=lake, barometre=barometre)) == []


def test_a_failure_waits_and_is_not_asked_for_at_once(
    instance: dg.DagsterInstance, fates: Path, lake: Lake, barometre: Barometre
) -> None:
    barometre.upsert([row()], Recording)
    made(fates, instance, row().recording_id, {RECORDING_ASSETS[1]: "fail"}, **{VERSION_TAG: version_of(row())})
    assert asked(tick(instance, fates, lake=lake, barometre=barometre)) == []


def test_a_run_that_waits_is_not_asked_for_again(
    instance: dg.DagsterInstance, fates: Path, lake: Lake, barometre: Barometre
) -> None:
    barometre.upsert([row()], Recording)
    tick(instance, fates, lake=lake, barometre=barometre)
    fates.write_text("{}")
    job = line(fates).get_implicit_global_asset_job_def()
    instance.create_run_for_job(job, tags={"dagster/partition": row().recording_id})
    assert asked(tick(instance, fates, lake=lake, barometre=barometre)) == []


def test_what_is_finished_is_not_asked_for_when_events_are_purged(
    instance: dg.DagsterInstance, fates: Path, lake: Lake, barometre: Barometre
) -> None:
    barometre.upsert([row()], Recording)
    finish(barometre, row())
    data = tick(instance, fates, lake=lake, barometre=barometre)
    assert asked(data) == []
    # Dagster's storage was lost: the partition comes back, so that it can be made anew.
    assert instance.get_dynamic_partitions(RECORDING) == [row().recording_id]


@pytest.mark.parametrize("change", [{"title": "Le vrai titre"}, {"language": "dutch"}, {"day": date(2026, 11, 1)}])
def test_what_is_described_anew_is_asked_for(
    instance: dg.DagsterInstance, fates: Path, lake: Lake, barometre: Barometre, change: dict[str, Any]
) -> None:
    barometre.upsert([row()], Recording)
    finish(barometre, row())
    made(fates, instance, row().recording_id, {}, **{VERSION_TAG: version_of(row())})
    assert asked(tick(instance, fates, lake=lake, barometre=barometre)) == []
    barometre.upsert([dataclasses.replace(row(), **change)], Recording)
    assert asked(tick(instance, fates, lake=lake, barometre=barometre)) == [row().recording_id]


def test_an_item_that_failed_in_a_sound_run_is_looked_at(
    instance: dg.DagsterInstance, fates: Path, lake: Lake, barometre: Barometre
) -> None:
    barometre.upsert([row()], Recording)
    finish(barometre, row())
    state = StageState("recording_turns", row().recording_id, RECORDINGS, row().day, State.FAILED, "out of memory", 1)
    barometre.upsert([state], StageState)
    # A run that a person started, so that nothing has to wait.
    made(fates, instance, row().recording_id, {})
    assert asked(tick(instance, fates, lake=lake, barometre=barometre)) == [row().recording_id]
    barometre.upsert([dataclasses.replace(state, state=State.DEAD)], StageState)
    assert asked(tick(instance, fates, lake=lake, barometre=barometre)) == [], "a person decides"


def test_pages_follow_each_other(instance: dg.DagsterInstance, fates: Path, lake: Lake, barometre: Barometre) -> None:
    barometre.upsert([row(n) for n in range(70)], Recording)
    seen: list[str] = []
    cursor, sizes = None, []
    for _ in range(3):
        data = tick(instance, fates, cursor, lake=lake, barometre=barometre)
        seen += asked(data)
        sizes.append(len(data.run_requests))
        cursor = data.cursor
    assert sizes == [30, 30, 10]
    assert sorted(seen) == sorted(row(n).recording_id for n in range(70))
    assert cursor == "0"


def test_what_is_refused_is_kept_and_the_others_are_taken(
    instance: dg.DagsterInstance, lake: Lake, barometre: Barometre
) -> None:
    lake.put(LAKE, f"{INBOX}a.ogg", b"refused")
    lake.put(LAKE, f"{INBOX}a.json", b"no json")
    lake.put(LAKE, f"{INBOX}b.ogg", b"taken")
    take_all(Inbox(lake, barometre, clock=ahead), dg.build_sensor_context(instance))
    assert [r.recording_id for r in barometre.read(Recording)] == [sha256(b"taken").hexdigest()]
    assert list(lake.listing(LAKE, INBOX)) == []
    assert b"refused" in [lake.get(LAKE, key) for key in lake.listing(LAKE, "refused/recordings/")]


def test_a_tick_takes_a_bounded_number_of_files(instance: dg.DagsterInstance, lake: Lake, barometre: Barometre) -> None:
    for number in range(7):
        lake.put(LAKE, f"{INBOX}{number}.ogg", f"sound {number}".encode())
    for expected in (5, 7):
        take_all(Inbox(lake, barometre, clock=ahead), dg.build_sensor_context(instance))
        assert len(barometre.read(Recording)) == expected
