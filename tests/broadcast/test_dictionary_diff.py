"""What another dictionary would change, by channel, chunk and keyword."""

from datetime import timedelta

from climate_assets.broadcast.dictionaries import Entry, dictionary_of
from climate_assets.broadcast.dictionary_diff import differences
from climate_assets.broadcast.keywords import Matcher
from climate_assets.broadcast.records import Theme
from tests.broadcast.spoken import START, chunk, interval

CLIMATE = Theme.CLIMATE_STATEMENT


def matcher(*entries: Entry) -> Matcher:
    return Matcher(dictionary_of("french", entries))


OLD = matcher(Entry("climat", CLIMATE), Entry("digue", Theme.CLIMATE_ADAPTATION), Entry("eau", Theme.RESOURCES))
NEW = matcher(Entry("climat", CLIMATE), Entry("canicule", CLIMATE), Entry("eau", Theme.RESOURCES))
CHUNKS = [
    chunk("le climat et la canicule"),
    chunk("une digue", start=START + timedelta(minutes=2)),
    chunk("la canicule", start=START + timedelta(minutes=4)),
    chunk("de l' eau", channel="canal-deux"),
]


def test_channels_gained_lost_and_changed() -> None:
    result = differences(OLD, NEW, CHUNKS)
    assert (result.old, result.new) == (OLD.dictionary.version, NEW.dictionary.version)
    climate = next(row for row in result.channels if (row.channel, row.subject) == ("canal-un", "climat"))
    assert (climate.chunks, climate.gained, climate.lost, climate.changed) == (3, 1, 1, 1)
    assert (climate.seconds_before, climate.seconds_after) == (40, 60)
    assert len(result.channels) == 6
    assert [(c.chunk_id, c.change, c.windows_before, c.windows_after) for c in result.chunks] == [
        (CHUNKS[0].chunk_id, "changed", [0], [0, 2]),
        (CHUNKS[1].chunk_id, "lost", [0], []),
        (CHUNKS[2].chunk_id, "gained", [], [0]),
    ]


def test_keywords_at_stake_first_and_unchanged_ones_left_out() -> None:
    rows = [
        (k.keyword, k.hits_before, k.hits_after, k.seconds_before, k.seconds_after)
        for k in differences(OLD, NEW, CHUNKS).keywords
    ]
    assert rows == [("canicule", 0, 2, 0, 40), ("digue", 1, 0, 20, 0)]


def test_sole_seconds_tell_what_hangs_on_one_keyword() -> None:
    both = matcher(Entry("climat", CLIMATE), Entry("canicule", CLIMATE))
    said = [chunk("climat canicule", times=[100, 200]), chunk("canicule", start=START + timedelta(minutes=2))]
    (row,) = [k for k in differences(matcher(Entry("climat", CLIMATE)), both, said).keywords if k.keyword == "canicule"]
    assert (row.seconds_after, row.sole_seconds_after) == (40, 20)


def test_hits_in_adverts_are_left_out_on_both_sides() -> None:
    result = differences(OLD, NEW, CHUNKS[:1], [interval(35, 45)])
    assert result.chunks == []
    assert result.keywords == []


def test_a_dictionary_against_itself_changes_nothing() -> None:
    result = differences(OLD, OLD, CHUNKS)
    assert (result.chunks, result.keywords) == ([], [])
    assert all(row.seconds_before == row.seconds_after for row in result.channels)
