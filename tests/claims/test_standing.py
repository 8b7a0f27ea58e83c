"""One verdict of a chunk stands: on the text as it is, of the model that is in use."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.broadcast.records import CleanChunk
from climate_assets.claims.records import Verdict
from climate_assets.claims.standing import InUse

KNOWN = InUse({"student-old": 0, "student-new": 1}, {"student-new": 4})


def verdict(
    model: str, engine: str = "student", *, chunk: str = "c", text: str = "now", prompt: str = "p", score: int = 5
) -> Verdict:
    day = date(2026, 11, 20)
    return Verdict(
        chunk, "borealie", day, "canal-un", model, prompt, engine, score, "8_others", "q", 0, 1, None, False, "", text, "only"
    )


def clean(*chunks: str) -> dict[str, CleanChunk]:
    """Texts as they are now; of a clean chunk nothing else counts."""
    blank = dict.fromkeys(field.name for field in fields(CleanChunk))
    return {name: CleanChunk(**{**blank, "chunk_id": name, "text_sha256": "now"}) for name in chunks}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verdicts", "stands"),
    [
        ([], None),
        ([verdict("student-old")], "student-old"),
        # The text was cleaned again since; or the chunk is gone.
        ([verdict("student-new", text="before")], None),
        ([verdict("student-new", text="before"), verdict("student-old")], "student-old"),
        ([verdict("student-new", chunk="gone")], None),
        # The model last put in use, whatever its name or score.
        ([verdict("student-new", score=0), verdict("student-old", score=10)], "student-new"),
        # A candidate that judged and was never put in use.
        ([verdict("student-zzz", prompt="z"), verdict("student-old")], "student-old"),
        ([verdict("student-zzz")], "student-zzz"),
        # An endpoint's before the student's.
        ([verdict("gateway", "llm", prompt="a"), verdict("student-new", prompt="z")], "gateway"),
        ([verdict("gateway", "llm", text="before"), verdict("student-new")], "student-new"),
        ([verdict("gateway-a", "llm", prompt="v2-0"), verdict("gateway-b", "llm", prompt="v1-f")], "gateway-a"),
        ([verdict("gateway-a", "llm"), verdict("gateway-b", "llm")], "gateway-b"),
    ],
)
def test_which_verdict_stands_whatever_their_order(verdicts: list[Verdict], stands: str | None) -> None:
    for ordered in permutations(verdicts):
        assert [v.model for v in KNOWN.standing(ordered, clean("c"))] == ([stands] if stands else [])


def test_a_model_that_was_put_back_is_the_last_one_again() -> None:
    both = [verdict("student-old"), verdict("student-new")]
    [stands] = InUse({"student-new": 1, "student-old": 2}).standing(both, clean("c"))
    assert stands.model == "student-old"


VERDICTS = st.lists(
    st.builds(
        verdict,
        st.sampled_from(["student-old", "student-new", "student-zzz"]),
        st.sampled_from(["student", "llm"]),
        chunk=st.sampled_from(["c", "d", "gone"]),
        text=st.sampled_from(["now", "before"]),
        prompt=st.sampled_from(["p", "q"]),
    ),
    max_size=12,
    unique_by=lambda v: (v.chunk_id, v.model, v.prompt, v.engine, v.text_sha256),
)


@given(VERDICTS, st.randoms())
def test_each_chunk_with_a_verdict_on_its_text_has_one(verdicts: Sequence[Verdict], random: object) -> None:
    found = KNOWN.standing(verdicts, clean("c", "d"))
    assert {v.chunk_id for v in found} == {v.chunk_id for v in verdicts if v.text_sha256 == "now" and v.chunk_id != "gone"}
    assert len({v.chunk_id for v in found}) == len(found)
    assert all(v in verdicts and v.text_sha256 == "now" for v in found)
    mixed = list(verdicts)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert {v.chunk_id: v for v in KNOWN.standing(mixed, clean("c", "d"))} == {v.chunk_id: v for v in found}


@pytest.mark.parametrize(
    ("model", "score", "country", "flagged"),
    [
        ("student-new", 4, 6, True),
        ("student-new", 3, 2, False),
        ("student-old", 6, 6, True),
        ("student-old", 5, 6, False),
        ("gateway", 6, 6, True),
        ("gateway", 0, 0, True),
    ],
)
def test_from_which_score_on_people_are_asked(model: str, score: int, country: int, flagged: bool) -> None:
    one = verdict(model, score=score)
    assert KNOWN.flagged(one, country) == flagged
    assert KNOWN.threshold(one, country) == (4 if model == "student-new" else country)
    assert InUse().threshold(one, country) == country
