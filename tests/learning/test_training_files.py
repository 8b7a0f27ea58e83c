"""A training set comes back from its file as it went in, and nothing else comes out of other bytes."""

import io
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.learning.records import TrainingExample
from climate_assets.learning.training_files import from_parquet, to_parquet
from tests.learning.cases import example

EXAMPLES = st.lists(
    st.builds(
        TrainingExample,
        item_id=st.sampled_from(["a", "b", "é", ""]) | st.text(max_size=5),
        text=st.text(max_size=30),
        label=st.sampled_from(["none", "unchallenged", "[]"]),
        category=st.sampled_from(["", "8_others"]),
        split=st.sampled_from(["train", "dev"]),
        group_id=st.text(max_size=5),
        week=st.just("2026-W47"),
        source=st.just("gold"),
        sampling=st.just("score"),
        probability=st.floats(0.01, 1),
        marked=st.lists(st.text(max_size=8), max_size=3),
    ),
    max_size=8,
)


@settings(max_examples=100, deadline=None)
@given(EXAMPLES, st.randoms())
def test_what_goes_in_comes_out_and_the_bytes_know_no_order(examples: list[TrainingExample], random: object) -> None:
    content = to_parquet(examples)
    assert sorted(from_parquet(content), key=repr) == sorted(examples, key=repr)
    mixed = list(examples)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert to_parquet(iter(mixed)) == content
    assert to_parquet(from_parquet(content)) == content


def test_rows_are_in_order_of_their_ids() -> None:
    names = ["b", "é", "a", "borealie/2", "borealie/10"]
    assert [e.item_id for e in from_parquet(to_parquet(example(item_id=name) for name in names))] == sorted(names)


def test_another_example_is_another_file() -> None:
    one = example(marked=["a"])
    others = [replace(one, text="x"), replace(one, probability=0.5), replace(one, marked=["a", "b"]), replace(one, split="dev")]
    assert len({to_parquet([e]) for e in [one, *others]}) == 5


def stored(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


GOOD = to_parquet([example(item_id=f"i{n}", marked=["a b"]) for n in range(3)])
TABLE = pq.read_table(io.BytesIO(GOOD))


def changed(column: str, values: pa.Array) -> bytes:
    return stored(TABLE.set_column(TABLE.schema.get_field_index(column), column, values))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "0 bytes are no training set"),
        (b"PAR1 no PAR1", "12 bytes"),
        (GOOD[:-9], "no training set"),
        (GOOD[100:], "no training set"),
        (b"item_id,text\na,b\n", "no training set"),
        (stored(pa.table({"x": [1]})), "its columns are 'x'"),
        (stored(TABLE.drop_columns(["marked"])), "its columns are"),
        (stored(TABLE.append_column("more", pa.array(["a", "b", "c"]))), "its columns are"),
        (stored(TABLE.select(list(reversed(TABLE.schema.names)))), "its columns are"),
        (changed("text", pa.array([1, 2, 3])), "of other types"),
        (changed("probability", pa.array(["1", "1", "1"])), "of other types"),
        (changed("marked", pa.array(["a", "b", "c"])), "of other types"),
        (changed("text", pa.array(["a", None, "c"])), "a value is missing"),
        (changed("probability", pa.array([1.0, None, 1.0])), "a value is missing"),
        (changed("marked", pa.array([["a"], None, []])), "a value is missing"),
        (changed("marked", pa.array([["a"], ["b", None], []])), "a value is missing"),
        # A few thousand bytes that would be millions of rows.
        (stored(pa.table({"item_id": pa.nulls(2_000_001, pa.string())})), "2000001 rows are more than 2000000"),
    ],
)
def test_other_bytes_are_refused(content: bytes, says: str) -> None:
    with pytest.raises(Permanent, match=says) as refused:
        from_parquet(content)
    assert "make training_set of its round again" in str(refused.value)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_byte_gone_wrong_gives_examples_or_a_reason(place: int, by: int) -> None:
    content = bytearray(GOOD)
    content[place] ^= by
    try:
        found = from_parquet(bytes(content))
    except Permanent:
        return
    assert all(isinstance(e.text, str) and isinstance(e.probability, float) for e in found)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_refused(content: bytes) -> None:
    with pytest.raises(Permanent):
        from_parquet(content)
