"""A task says what was said, marks the quote to the character, and carries nothing that acts."""

import dataclasses
import json
import re
from datetime import UTC, date, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.claims.records import Category
from climate_assets.failures import Permanent
from climate_assets.labelling.shown import shown
from climate_assets.labelling.tasks import canonical_bytes, object_key, player_url, quote_spans, task_json
from tests.labelling.cases import CHANNEL, COUNTRY, QUOTE, TEXT, chunk, clean, picked, programme, task, verdict

LEGACY_FIELDS = {
    *("id", "plaintext", "plaintext_whisper", "start", "channel", "channel_name", "channel_title", "channel_program"),
    *("channel_program_type", "model_name", "prompt_version", "pipeline_version", "model_result", "model_reason"),
    *("year", "month", "day", "country", "url_mediatree"),
}


def region(made: dict) -> dict:  # type: ignore[type-arg]
    return made["predictions"][0]["result"][0]


def test_a_task_has_every_legacy_field_with_its_meaning() -> None:
    made = task()
    item = made["data"]["item"]
    assert set(item) >= LEGACY_FIELDS
    assert item["id"] == "borealie/canal-un/2026-11-20T18:04:00Z"
    assert item["legacy_id"] == "a" * 64
    assert (item["year"], item["month"], item["day"], item["country"]) == (2026, 11, 20, "borealie")
    assert (item["start"], item["start_local"]) == ("2026-11-20T18:04:00Z", "2026-11-20 19:04 (Europe/Paris)")
    assert (item["pipeline_version"], item["model_result"]) == ("student-2/training-7", 9)
    assert (item["channel_program"], item["channel_title"]) == ("Le grand débat", "Canal Un")
    assert made["annotations"] == []
    assert made["predictions"][0]["score"] == 0.9


def test_days_are_local_across_midnight() -> None:
    late = dataclasses.replace(chunk(), start=datetime(2026, 11, 20, 23, 30, tzinfo=UTC))
    of = clean(late)
    item = task_json(verdict(of), late, of, None, COUNTRY, CHANNEL, picked(late), "", "g")["data"]["item"]
    assert (item["day"], item["start_local"]) == (21, "2026-11-21 00:30 (Europe/Paris)")
    assert (item["channel_program"], item["legacy_id"]) == ("", "")


words = st.lists(st.text(st.characters(exclude_characters=" \n"), min_size=1, max_size=8), min_size=3, max_size=40)


@given(words, st.data())
def test_the_marked_region_is_exactly_the_quote_in_the_text_shown(said: list[str], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(said) - 1))
    length = data.draw(st.integers(1, len(said) - first))
    source = chunk(" ".join(said))
    of = clean(source)
    made = task_json(verdict(of, span=(first, length)), source, of, None, COUNTRY, CHANNEL, picked(source), "", "g")
    value = region(made)["value"]
    text = made["data"]["item"]["plaintext"]
    assert text[value["start"] : value["end"]] == value["text"]
    assert value["text"] == " ".join(shown(word) for word in said[first : first + length])
    before = text[: value["start"]]
    assert before == "".join(shown(word) + " " for word in said[:first])


@given(st.text())
def test_a_text_shown_can_be_stored_and_does_nothing(text: str) -> None:
    safe = shown(text)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", safe)
    assert "://" not in safe
    assert safe.encode("utf-8").decode() == shown(safe)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<b>ici</b> & là", "<b>ici</b> & là"),
        ("nul\x00 saut\n tab\t", "nul  saut  tab "),
        ("\u202eà l envers\u2069", "à l envers"),
        ("\ud83d", ""),
        ("s3://seau/clef https://exemple.org", "s3:/seau/clef https:/exemple.org"),
        ("😀 l’été", "😀 l’été"),
    ],
)
def test_what_is_shown(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_a_quote_over_a_cut_advert_is_marked_on_both_sides() -> None:
    source = chunk("un deux pub pub trois quatre")
    of = clean(source, [0, 1, -1, 4, 5])
    spans = quote_spans(verdict(of, span=(1, 3)), source, of)
    assert spans == [(3, 7, "deux"), (16, 21, "trois")]
    assert [source.text[start:end] for start, end, _ in spans] == ["deux", "trois"]


def test_a_chunk_without_quote_has_neither_region_nor_category() -> None:
    made = task(score=0, quote="", category=Category.NONE)
    assert made["predictions"][0]["result"] == []
    assert made["data"]["item"]["quote"] == ""


def test_predictions_name_fields_of_the_screen() -> None:
    found = {(r["from_name"], r["to_name"], r["type"]) for r in task()["predictions"][0]["result"]}
    assert found == {("spans", "source_text", "labels"), ("category", "source_text", "choices")}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"span": (80, 50)}, "outside its text"),
        ({"text_sha256": "0" * 64}, "another text"),
        ({"chunk_id": "borealie/canal-un/2026-11-20T18:10:00Z"}, "different chunks"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(change: dict[str, object], message: str) -> None:
    source = chunk()
    of = clean(source)
    judged = verdict(of, span=change.pop("span", None))  # type: ignore[arg-type]
    with pytest.raises(Permanent, match=message):
        task_json(dataclasses.replace(judged, **change), source, of, None, COUNTRY, CHANNEL, picked(source), "", "g")


def test_the_player_opens_five_seconds_before_the_quote() -> None:
    url = urlsplit(player_url(CHANNEL, date(2026, 11, 20), datetime(2026, 11, 20, 18, 4, tzinfo=UTC), 42.7))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert (url.scheme, url.hostname, url.path) == ("https", "keywords.mediatree.fr", "/player/")
    assert int(query["position_cts"]) - int(query["start_cts"]) == 37
    assert int(query["end_cts"]) - int(query["start_cts"]) == 120
    assert query["fifo"] == "canal-un"


@pytest.mark.parametrize("seconds", [None, 0.0, 3.0])
def test_the_player_never_opens_before_the_chunk(seconds: float | None) -> None:
    url = player_url(CHANNEL, date(2026, 11, 20), datetime(2026, 11, 20, 18, 4, tzinfo=UTC), seconds)
    query = parse_qs(urlsplit(url).query)
    assert query["position_cts"] == query["start_cts"]


@pytest.mark.parametrize(("day", "name"), [(date(2026, 6, 30), "radio-nord"), (date(2026, 7, 1), "rnord")])
def test_the_player_knows_a_channel_under_its_name_of_the_day(day: date, name: str) -> None:
    url = player_url(COUNTRY.channel("radio-nord"), day, datetime(2026, 7, 1, tzinfo=UTC), None)
    assert parse_qs(urlsplit(url).query)["fifo"] == [name]


@pytest.mark.parametrize("name", ['x"><script>', "a b", "javascript:1", "é", "a)](http"])
def test_a_channel_name_that_could_leave_the_address_is_refused(name: str) -> None:
    hostile = CHANNEL.model_copy(update={"name": name})
    with pytest.raises(Permanent, match="player"):
        player_url(hostile, date(2026, 11, 20), datetime(2026, 11, 20, tzinfo=UTC), None)


def test_the_same_task_is_the_same_bytes() -> None:
    made = task()
    shuffled = json.loads(json.dumps(made), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    assert canonical_bytes(made) == canonical_bytes(shuffled) == canonical_bytes(task())
    assert json.loads(canonical_bytes(made)) == made
    assert canonical_bytes(made) != canonical_bytes(task(minute=6))


def test_keys_are_zero_padded_and_tell_chunks_apart() -> None:
    key = object_key("borealie", date(2026, 1, 2), "canal-un", "borealie/canal-un/2026-01-02T05:06:00Z")
    assert key == "country=borealie/day=2026-01-02/channel=canal-un/20260102T050600Z.json"
    other = object_key("borealie", date(2026, 1, 2), "canal-un", "borealie/canal-un/2026-01-02T05:06:00.500Z")
    assert other == "country=borealie/day=2026-01-02/channel=canal-un/20260102T050600.500Z.json"


@pytest.mark.parametrize(
    "chunk_id",
    ["", "borealie/canal-un/../x", "borealie/autre/2026-01-02T05:06:00Z", "borealie/canal-un/2026-01-02T05:06:00+01:00"],
)
def test_a_strange_chunk_id_makes_no_key(chunk_id: str) -> None:
    with pytest.raises(Permanent, match="chunk id"):
        object_key("borealie", date(2026, 1, 2), "canal-un", chunk_id)


def test_the_example_quote_is_in_the_text() -> None:
    assert QUOTE in TEXT
    assert programme(chunk()).programme
