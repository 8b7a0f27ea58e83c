"""A change of the bank is told from what it is now, what it was, and what the past still carries."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.speech.reattribution import (
    OPEN,
    Look,
    bank_version,
    erasure_proof,
    fingerprints,
    from_text,
    look_again,
    to_text,
    unheard,
    vector_hash,
)
from climate_assets.speech.records import Voice, VoiceVector

AT = datetime(2026, 11, 20, 6, tzinfo=UTC)
TODAY = date(2026, 11, 20)


def voice(person: str, **changes: object) -> Voice:
    blank = Voice(person, person.title(), "guest", "", "basis", "source", date(2027, 1, 1), AT, AT)
    return replace(blank, **changes)  # type: ignore[arg-type]


def vector(person: str, *values: float, model: str = "enc") -> VoiceVector:
    return VoiceVector(person, "a" * 64, model, 0, len(values), 1.0, list(values))


ANNA, BERT = voice("anna"), voice("bert")
SOUNDS = [vector("anna", 1.0, 0.0), vector("bert", 0.0, 1.0)]
BANK = fingerprints([ANNA, BERT], SOUNDS, TODAY)
CARRIED = [("anna", "auto"), ("bert", "human")]


@pytest.mark.parametrize(
    ("before", "after", "carried", "look"),
    [
        (BANK, BANK, CARRIED, Look()),
        ({}, BANK, [], Look(decisions=frozenset(OPEN))),
        (fingerprints([ANNA], SOUNDS, TODAY), BANK, CARRIED, Look(decisions=frozenset(OPEN))),
        (BANK, fingerprints([ANNA, BERT], [*SOUNDS, vector("anna", 0.6, 0.8)], TODAY), [], Look(decisions=frozenset(OPEN))),
        (BANK, fingerprints([voice("anna", name="Anne"), BERT], SOUNDS, TODAY), CARRIED, Look(persons=frozenset({"anna"}))),
        (BANK, fingerprints([voice("anna", role="politician"), BERT], SOUNDS, TODAY), [], Look(persons=frozenset({"anna"}))),
        (BANK, fingerprints([voice("anna", organisation="x"), BERT], SOUNDS, TODAY), CARRIED, Look()),
        (BANK, fingerprints([ANNA], SOUNDS, TODAY), CARRIED, Look(persons=frozenset({"bert"}))),
        (BANK, fingerprints([ANNA], SOUNDS, TODAY), CARRIED[:1], Look()),
        (BANK, fingerprints([ANNA, BERT], SOUNDS, date(2027, 1, 1)), CARRIED, Look()),
        (BANK, fingerprints([ANNA, BERT], SOUNDS, date(2027, 1, 2)), CARRIED, Look(matched=frozenset({"anna"}))),
        # Nothing is remembered, as after a loss: who is gone is seen all the same.
        ({}, fingerprints([BERT], SOUNDS[1:], TODAY), CARRIED, Look(persons=frozenset({"anna"}), decisions=frozenset(OPEN))),
    ],
)  # fmt: skip
def test_what_a_change_asks_for(before: dict, after: dict, carried: list, look: Look) -> None:  # type: ignore[type-arg]
    found = look_again(before, after, carried)
    assert replace(found, why="") == look
    assert bool(found) == bool(found.why) == bool(look)


def test_a_prolonged_voice_is_heard_again() -> None:
    expired = fingerprints([ANNA], SOUNDS, date(2027, 1, 2))
    later = fingerprints([voice("anna", expires_on=date(2028, 1, 1))], SOUNDS, date(2027, 1, 2))
    assert look_again(expired, later, []).decisions == frozenset(OPEN)


def test_while_the_bank_is_off_nobody_is_heard_and_whoever_goes_goes() -> None:
    assert not look_again({}, BANK, CARRIED, comparing=False)
    assert look_again(BANK, {}, CARRIED, comparing=False).persons == {"anna", "bert"}
    remembered = unheard({}, BANK)
    assert not look_again(remembered, BANK, CARRIED, comparing=False)
    assert look_again(remembered, BANK, CARRIED).decisions == frozenset(OPEN)
    assert not look_again(unheard(BANK, BANK), BANK, CARRIED)


def test_the_reason_holds_no_name() -> None:
    look = look_again(BANK, {}, CARRIED)
    assert look.why == "voice bank changed: 2 forgotten"


@pytest.mark.parametrize(
    "changed",
    [
        ([voice("anna", name="Anne"), BERT], SOUNDS),
        ([voice("anna", role="audience"), BERT], SOUNDS),
        ([voice("anna", expires_on=TODAY), BERT], SOUNDS),
        ([ANNA], SOUNDS),
        ([ANNA, BERT], SOUNDS[:1]),
        ([ANNA, BERT], [vector("anna", 1.0, 0.0, model="other"), SOUNDS[1]]),
        ([ANNA, BERT], [vector("anna", 1.0, 1e-5), SOUNDS[1]]),
    ],
)
def test_the_version_changes_with_what_a_match_hangs_on(changed: tuple[list[Voice], list[VoiceVector]]) -> None:
    assert bank_version(*changed) != bank_version([ANNA, BERT], SOUNDS)


def test_the_version_does_not_hang_on_order_or_on_when() -> None:
    assert bank_version([BERT, voice("anna", updated_at=AT.replace(year=2027))], SOUNDS[::-1]) == bank_version(
        [ANNA, BERT], SOUNDS
    )
    assert bank_version([], []) == ""


names = st.text(min_size=1, max_size=8)
banks = st.dictionaries(st.sampled_from("abcde"), st.tuples(st.sampled_from(["", "v1", "v2"]), st.sampled_from(["n1", "n2"])))


@given(banks)
def test_what_is_remembered_is_read_back(bank: dict[str, tuple[str, str]]) -> None:
    assert from_text(to_text(bank)) == bank


@pytest.mark.parametrize("text", [None, "", "{", "[]", "7", '{"a": 1}', '{"a": ["x"]}', "null"])
def test_a_memory_that_cannot_be_read_is_none(text: str | None) -> None:
    assert from_text(text) == {}


@given(banks, banks, st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["auto", "human"]))))
def test_only_what_changed_is_looked_at(before: dict, after: dict, carried: list) -> None:  # type: ignore[type-arg]
    look = look_again(before, after, carried)
    assert not look_again(after, after, [(p, h) for p, h in carried if p in after and (h == "human" or after[p][0])])
    assert all(p not in after or before[p] != after[p] for p in look.persons)
    assert {p for p, _ in carried if p not in after} <= look.persons
    assert look.matched <= {p for p, how in carried if how == "auto"}


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=8))
def test_a_vector_has_the_hash_of_what_is_stored(values: list[float]) -> None:
    shortest = [float(str(v)) for v in values]
    assert vector_hash(values) == vector_hash(shortest)


def test_the_proof_hangs_on_all_that_was_removed_and_not_on_order() -> None:
    assert erasure_proof(["a", "b"], ["c"]) == erasure_proof(["b", "a"], ["c"])
    assert len({erasure_proof(["a", "b"], ["c"]), erasure_proof(["a"], ["c"]), erasure_proof(["a", "b"], [])}) == 3
