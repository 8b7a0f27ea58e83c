"""Posts from files and from a server of Mastodon's protocol, made and checked as Dagster does it; and what goes wrong."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from climate_assets.partitions import key_of
from climate_assets.posts import assets, checks
from climate_assets.posts.batches import inbox_of
from climate_assets.posts.records import Post, PostBatch, RefusedPost
from climate_assets.states import StageState
from demo.posts.delivery import deliver_posts
from demo.posts.written import SOURCE, written_posts
from demo.tour import days, fingerprint
from resources.post_sources import PostSources
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.s3 import LAKE, Lake
from resources.s3_objects import entries
from sensors.posts import posts_arrived
from tests.mastodon_server import Served, serving, status

DAY = date(2026, 11, 16)
AT = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
KEY = "a-key-of-the-suite-alone"
COUNTRIES = """
countries:
  {code}:
    iso3: fra
    language: french
    zone: Europe/Paris
    bucket: {code}
    project: Line {code}
    posts:
      project: Posts {code}
      keywords: {keywords}
      sources: {sources}
    channels: [{{name: canal-un, title: Canal Un}}]
  quiet:
    iso3: bel
    language: french
    zone: Europe/Brussels
    bucket: quiet
    project: Quiet
    channels: [{{name: tele-meuse, title: Meuse}}]
"""


class Line:
    """One country with posts; each has a code of its own, for the lake is shared."""

    def __init__(
        self, folder: Path, barometre: Barometre, lake: Lake, sources: list[dict[str, str]], keywords: list[str]
    ) -> None:
        self.code = f"c{uuid.uuid4().hex[:8]}"
        self.barometre, self.lake = barometre, lake
        lake.ensure_bucket(LAKE)
        self.file = folder / "countries.yaml"
        said = COUNTRIES.format(code=self.code, keywords=json.dumps(keywords), sources=json.dumps(sources))
        self.file.write_text(said, encoding="utf-8")
        self.instance = dg.DagsterInstance.ephemeral()
        self.instance.add_dynamic_partitions("country", [self.code, "quiet"])

    def resources(self, key: str = KEY) -> dict[str, Any]:
        return {
            "reference": ReferenceFiles(countries_file=str(self.file)),
            "barometre": self.barometre,
            "lake": self.lake,
            "post_sources": PostSources(lake=self.lake, key=key),
        }

    def make(self, day: date = DAY, *, key: str = KEY, code: str = "") -> dict[str, Any]:
        """Make a day with its checks; metadata of the day, and which checks hold."""
        found = dg.materialize(
            [assets.posts, *dg.load_asset_checks_from_modules([checks])],
            instance=self.instance,
            partition_key=str(key_of(code or self.code, day)),
            resources=self.resources(key),
        )
        [made] = found.asset_materializations_for_node("posts")
        told = {name: value.value for name, value in made.metadata.items()}
        return {**told, **{one.check_name: one.passed for one in found.get_asset_check_evaluations()}}

    def put(self, name: str, *lines: dict[str, Any] | bytes) -> None:
        """Put a file into the inbox."""
        written = b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines)
        self.lake.put(LAKE, f"{inbox_of(self.code, SOURCE)}{name}", written)

    def tick(self, cursor: str | None = None) -> tuple[list[str], str | None]:
        """One tick of the sensor: days asked for, and its cursor."""
        with dg.build_sensor_context(self.instance, cursor, resources=self.resources()) as context:
            told = posts_arrived(context)
        if isinstance(told, dg.SkipReason):
            return [], cursor
        assert isinstance(told, dg.SensorResult)
        return [str(one.partition_key).partition("|")[2] for one in told.run_requests or []], told.cursor

    def posts(self) -> dict[str, Post]:
        return {post.post_id: post for post in self.barometre.read(Post, country=self.code)}

    def state(self) -> tuple[Any, ...]:
        """All rows of all tables, and all objects with the time they were written."""
        objects = entries(self.lake, LAKE, f"posts/raw/country={self.code}/", 1000)
        return fingerprint(self.barometre), [(one.key, one.modified) for one in objects]


def line_of(native: str, text: str = "Un parc éolien à Groix", at: datetime = AT, **changes: Any) -> dict[str, Any]:
    made = {"id": native, "author": "fanch29", "published_at": at.isoformat(), "lang": "fr", "text": text}
    return {**made, **changes}


TAGS = "/api/v1/timelines/tag/"
FILES = [{"name": SOURCE, "kind": "files"}]


@pytest.fixture
def files(tmp_path: Path, barometre: Barometre, lake: Lake) -> Line:
    return Line(tmp_path, barometre, lake, FILES, ["éolien"])


def test_the_written_posts_come_in_over_the_days_of_the_demo(tmp_path: Path, barometre: Barometre, lake: Lake) -> None:
    line = Line(tmp_path, barometre, lake, FILES, [])
    assert deliver_posts(lake, line.code, days()) == 3
    assert line.tick()[0] == [str(day) for day in reversed(days())]
    made = [line.make(day) for day in days()]
    written = {post.post_id: post.text for post in written_posts() if post.lang == "fr"}
    assert {post.post_id: post.text for post in line.posts().values()} == written
    assert sum(one["dagster/partition_row_count"] for one in made) == len(written) >= 200
    assert all(one[check] for one in made for check in ("every_post_line_is_read", "a_post_is_what_its_hash_says"))
    before = line.state()
    assert deliver_posts(lake, line.code, days()) == 0
    assert line.tick()[0] == []
    for day in days():
        assert line.make(day)["rows_inserted"] == 0
    assert line.state() == before


HOSTILE = [
    (b"{", "no JSON"),
    (b"[1]", "not an object"),
    (b'{"id": "x", "id": "y"}', "`lang`"),
    (b"\xff\xfe", "no JSON"),
    (b"[" * 5000, "no JSON"),
    (b'{"id": "' + b"a" * 70_000 + b'"}', "bytes"),
    (json.dumps(line_of("a b")).encode(), "printable"),
    (json.dumps(line_of("h1", "")).encode(), "text"),
    (json.dumps(line_of("h2", "\u202e \x00")).encode(), "empty"),
    (json.dumps(line_of("h3", lang="français")).encode(), "language"),
    (json.dumps(line_of("h4", published_at="2026-11-16")).encode(), "offset"),
    (json.dumps(line_of("h5", published_at="2999-01-01T00:00:00+00:00")).encode(), "outside"),
    (json.dumps(line_of("h6", published_at="1970-01-01T00:00:00+00:00")).encode(), "outside"),
    (json.dumps(line_of("h7", url="javascript:alert(1)")).encode(), "url"),
    (json.dumps(line_of("h8", url="https://someone:word@pouet.example/")).encode(), "url"),
    (json.dumps(line_of("good", "éolien, une autre fois")).encode(), "already"),
]


def test_a_hostile_line_is_set_aside_and_the_others_are_read(files: Line) -> None:
    files.put("a.jsonl", line_of("good"), *(line for line, _ in HOSTILE))
    made = files.make()
    assert list(files.posts()) == [f"{SOURCE}/good"]
    refused = files.barometre.read(RefusedPost, country=files.code)
    assert [row.number for row in refused] == list(range(2, len(HOSTILE) + 2))
    for row, (_, why) in zip(refused, HOSTILE, strict=True):
        assert why in row.reason
    assert made["refused_lines"] == len(HOSTILE)
    assert not made["every_post_line_is_read"]
    assert made["a_post_is_what_its_hash_says"]
    assert "fanch29" not in str(files.posts())
    before = files.state()
    files.make()
    assert files.state() == before


def test_a_mended_file_takes_the_place_of_the_old_one(files: Line) -> None:
    tomorrow = AT + timedelta(days=1)
    files.put("a.jsonl", line_of("one"), line_of("two", at=tomorrow), b"{")
    assert files.tick()[0] == ["2026-11-17", "2026-11-16"]
    files.make()
    files.make(tomorrow.date())
    assert files.tick()[0] == []
    files.put("a.jsonl", line_of("one", "L'éolien, dit autrement"), line_of("three"))
    assert files.tick()[0] == ["2026-11-17", "2026-11-16"], "a day that lost its posts is made again too"
    assert files.make()["every_post_line_is_read"]
    files.make(tomorrow.date())
    assert {post.post_id: post.text for post in files.posts().values()} == {
        f"{SOURCE}/one": "L'éolien, dit autrement",
        f"{SOURCE}/three": "Un parc éolien à Groix",
    }
    assert len(entries(files.lake, LAKE, f"posts/raw/country={files.code}/", 10)) == 2, "what came first is kept"
    files.put("a.jsonl", line_of("one"), line_of("two", at=tomorrow), b"{")
    assert files.tick()[0] == ["2026-11-17", "2026-11-16"], "back to what it was is a change as well"
    files.make(), files.make(tomorrow.date())
    assert set(files.posts()) == {f"{SOURCE}/one", f"{SOURCE}/two"}


def test_a_post_is_of_one_day_whichever_day_is_made_last(files: Line) -> None:
    files.put("a.jsonl", line_of("one"))
    files.make()
    files.put("b.jsonl", line_of("one", at=AT + timedelta(days=1)))
    for day in (DAY + timedelta(days=1), DAY):
        files.make(day)
    assert [post.day for post in files.posts().values()] == [DAY + timedelta(days=1)]
    before = files.state()
    for day in (DAY, DAY + timedelta(days=1), DAY):
        files.make(day)
    assert files.state() == before


def test_a_day_waits_until_it_is_read_whatever_becomes_of_ticks_and_runs(files: Line) -> None:
    files.put("a.jsonl", line_of("one"), line_of("two", at=AT + timedelta(days=1)))
    assert files.tick()[0] == files.tick()[0] == ["2026-11-17", "2026-11-16"], "a tick that was lost loses nothing"
    files.make()
    assert files.tick()[0] == ["2026-11-17"]
    files.put("b.jsonl", line_of("three", at=AT + timedelta(days=1)))
    files.make()
    assert files.tick()[0] == ["2026-11-17"], "what a run took for another day waits too"
    files.make(DAY + timedelta(days=1))
    assert files.tick()[0] == []
    assert len(files.posts()) == 3
    assert not files.barometre.read(StageState, stage="posts")


def test_posts_of_before_the_first_partition_are_kept_and_break_no_tick(files: Line) -> None:
    files.put("a.jsonl", line_of("old", at=datetime(2019, 5, 1, tzinfo=UTC)))
    assert files.tick()[0] == []
    assert files.barometre.read(PostBatch, country=files.code)[0].posts == 1


def test_a_country_without_posts_says_so(files: Line) -> None:
    made = files.make(code="quiet")
    assert made["dagster/partition_row_count"] == 0
    assert "no block `posts`" in made["why"]


@pytest.mark.parametrize("key", ["", "short"])
def test_without_a_key_nothing_is_read(files: Line, key: str) -> None:
    files.put("a.jsonl", line_of("one"))
    with pytest.raises(Exception, match="POSTS_KEY"):
        files.make(key=key)
    assert not files.posts()


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(Served()) as server:
        yield server


@pytest.fixture
def pouet(tmp_path: Path, barometre: Barometre, lake: Lake, served: Served) -> Line:
    source = {"name": f"pouet-{uuid.uuid4().hex[:6]}", "kind": "mastodon", "url": served.url}
    return Line(tmp_path, barometre, lake, [source], ["éolien", "énergie verte"])


def test_a_server_is_read_page_by_page_and_a_replay_asks_for_nothing(pouet: Line, served: Served) -> None:
    served.statuses["eolien"] = [status(AT + timedelta(seconds=n), f"<p>Post {n} sur l'<b>#éolien</b></p>") for n in range(95)]
    served.statuses["eolien"] += [status(AT + timedelta(days=1), "<p>#eolien demain</p>")]
    served.statuses["energieverte"] = [status(AT, "<p>#EnergieVerte</p>", 7), served.statuses["eolien"][3]]
    made = pouet.make()
    assert {post.text for post in pouet.posts().values()} == {*(f"Post {n} sur l'#éolien" for n in range(95)), "#EnergieVerte"}
    assert made["every_source_is_read_to_the_end"]
    [raw] = {
        one["content"]
        for listed in entries(pouet.lake, LAKE, f"posts/raw/country={pouet.code}/", 10)
        for one in json.loads(pouet.lake.get(LAKE, listed.key))
        if one["id"] == served.statuses["eolien"][0]["id"]
    }
    assert raw == "<p>Post 0 sur l'<b>#éolien</b></p>", "as it came"
    asked, before = len(served.asked), pouet.state()
    assert [one["path"] for one in served.asked] == [f"{TAGS}energieverte"] * 2 + [f"{TAGS}eolien"] * 4
    pouet.make()
    assert len(served.asked) == asked, "the day is long over, and was read to its end"
    assert pouet.state() == before


def test_after_an_outage_the_reading_goes_on_where_it_stopped(pouet: Line, served: Served) -> None:
    served.statuses["eolien"] = [status(AT + timedelta(seconds=n), f"<p>#eolien {n}</p>") for n in range(90)]
    served.fails_after = 2
    served.failing = (404, {}, b"{}")
    made = pouet.make()
    assert not made["every_source_is_read_to_the_end"]
    assert made["not_read_to_the_end"] == 1, "one tag was read to its end, the other one was not"
    [state] = pouet.barometre.read(StageState, stage="posts")
    assert (state.state, state.attempts) == ("dead", 1)
    assert "HTTP 404" in state.reason
    assert len(pouet.posts()) == 40
    pouet.make()
    [state] = pouet.barometre.read(StageState, stage="posts")
    assert state.attempts == 2
    asked, served.fails_after = len(served.asked), None
    assert pouet.make()["every_source_is_read_to_the_end"]
    assert len(pouet.posts()) == 90
    assert not pouet.barometre.read(StageState, stage="posts")
    [_, first, *_] = [int(one["min_id"]) for one in served.asked if one["tag"] == "eolien"]
    assert min(int(one["min_id"]) for one in served.asked[asked:] if one["tag"] == "eolien") == first


def test_what_is_no_status_is_set_aside_with_its_place(pouet: Line, served: Served) -> None:
    good = status(AT, "<p>L'éolien</p><script>alert(1)</script><br>&lt;b&gt;")
    hostile = [
        status(AT, "", 1),
        status(AT, "<p>éolien</p>", 2, created_at=None),
        status(AT, "<p>éolien</p>", 3, account="fanch29"),
        status(AT, "<p>éolien</p>", 4, url="javascript:alert(1)"),
        status(AT, "<p>éolien</p>", 5, language={"a": "b"}),
        status(AT, "x" * 70_000, 6),
    ]
    served.statuses["eolien"] = [good, *hostile]
    made = pouet.make()
    [post] = pouet.posts().values()
    assert post.text == "L'éolien\n\n<b>"
    assert len(post.author) == 32
    assert made["refused_lines"] == len(hostile)
    assert [row.number for row in pouet.barometre.read(RefusedPost, country=pouet.code)] == [1, 2, 3, 4, 5, 6]


def test_several_days_are_made_in_one_run(files: Line) -> None:
    files.put("a.jsonl", *(line_of(f"p{n}", at=AT + timedelta(days=n)) for n in range(40)))
    keys = [str(key_of(files.code, DAY - timedelta(days=n))) for n in range(30)]
    files.put("b.jsonl", *(line_of(f"q{n}", at=AT - timedelta(days=n)) for n in range(30)))
    tags = {"dagster/asset_partition_range_start": keys[-1], "dagster/asset_partition_range_end": keys[0]}
    found = dg.materialize([assets.posts], instance=files.instance, tags=tags, resources=files.resources())
    assert found.success
    assert len([one for one in files.posts() if "/q" in one]) == 30
