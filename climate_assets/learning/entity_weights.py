"""A trained model of entities as bytes: plain arrays behind a header of JSON, in the layout of safetensors.

The layout is eight bytes of length (little-endian), that much JSON, then the arrays one after the other. Nothing in it is
code, and the same model gives the same bytes. Belongs here: the bytes, and the refusal of any others. Does not belong here:
the pipeline that the arrays are laid into (`resources/workers/entities.py`).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray

from climate_assets.failures import Permanent

FORMAT: Final = "entities/1"
LARGEST: Final = 64 << 20
"""Bytes of a model; one over a small base model has 6 MB."""
MOST_HEADER: Final = 1 << 20
MOST_ARRAYS: Final = 1_000
_DTYPE: Final = "F32"

Weights = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class EntityModel:
    """What training changed of a base model: the weights of its recogniser of entities, and the labels it gained."""

    language: Annotated[str, "Language, as the countries file says it."]
    base: Annotated[str, "Name and version of the base model whose tokenizer and layers it needs."]
    labels: Annotated[tuple[str, ...], "Labels it gained, in the order in which they were added."]
    actions: Annotated[tuple[str, ...], "Names of the decisions it chooses from, in the order of the last layer's rows."]
    unseen: Annotated[tuple[int, ...], "Decisions that no example has shown it, which it never takes."]
    cut: Annotated[int, "Tokens of its last examples that a span cuts in two: nothing was learnt of them."]
    weights: Annotated[Weights, "Name of an array -> its numbers."]


def to_bytes(model: EntityModel) -> bytes:
    """The model as bytes, the same for the same model."""
    header: dict[str, Any] = {
        "__metadata__": {
            "format": FORMAT,
            "language": model.language,
            "base": model.base,
            "labels": json.dumps(model.labels),
            "actions": json.dumps(model.actions),
            "unseen": json.dumps(model.unseen),
            "cut": json.dumps(model.cut),
        }
    }
    parts, end = [], 0
    for name in sorted(model.weights):
        array = np.ascontiguousarray(model.weights[name], "<f4")
        header[name] = {"dtype": _DTYPE, "shape": list(array.shape), "data_offsets": [end, end + array.nbytes]}
        parts.append(array.tobytes())
        end += array.nbytes
    said = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    said += b" " * (-len(said) % 8)
    return b"".join([len(said).to_bytes(8, "little"), said, *parts])


def from_bytes(content: bytes) -> EntityModel:
    """The model of `to_bytes`; nothing in it is executed. Raises `Permanent` for bytes that are no such model."""
    try:
        if len(content) > LARGEST:
            raise ValueError(f"more than {LARGEST} bytes")
        size = int.from_bytes(content[:8], "little")
        if len(content) < 8 or size > min(MOST_HEADER, len(content) - 8):
            raise ValueError("it has no header")
        header = json.loads(content[8 : 8 + size])
        said = header.pop("__metadata__")
        if said["format"] != FORMAT:
            raise ValueError(f"format {said['format']!r:.40} is not {FORMAT}")
        labels, actions, unseen, cut = (json.loads(said[name]) for name in ("labels", "actions", "unseen", "cut"))
        if not all(type(name) is str for name in [*labels, *actions]) or not all(type(n) is int for n in [*unseen, cut]):
            raise ValueError("labels and decisions are no texts, or numbers none")
        return EntityModel(
            language=str(said["language"]),
            base=str(said["base"]),
            labels=tuple(labels),
            actions=tuple(actions),
            unseen=tuple(unseen),
            cut=cut,
            weights=_arrays(header, memoryview(content)[8 + size :]),
        )
    # A hostile header may be of any shape: what it then breaks is one of these.
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError) as error:
        raise Permanent(
            f"{len(content)} bytes are no model of entities ({error!r:.200}); roll back to the model before, or train again"
        ) from error


def _arrays(header: Mapping[str, Any], data: memoryview) -> dict[str, NDArray[np.float32]]:
    """The arrays, which together fill the data without a gap."""
    if len(header) > MOST_ARRAYS:
        raise ValueError(f"{len(header)} arrays, more than {MOST_ARRAYS}")
    arrays: dict[str, NDArray[np.float32]] = {}
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        start, stop = entry["data_offsets"]
        shape = tuple(entry["shape"])
        if entry["dtype"] != _DTYPE or not all(type(n) is int and n >= 0 for n in (start, stop, *shape)):
            raise ValueError(f"array {name!r:.80} is not of {_DTYPE}")
        if start != end or stop > len(data) or stop - start != 4 * math.prod(shape):
            raise ValueError(f"array {name!r:.80} does not lie where it says")
        array = np.frombuffer(data[start:stop], "<f4").reshape(shape)
        if not np.isfinite(array).all():
            raise ValueError(f"array {name!r:.80} holds a number that is not finite")
        arrays[name] = array
        end = stop
    if end != len(data):
        raise ValueError("bytes are left over")
    return arrays
