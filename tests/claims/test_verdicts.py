"""Answers: exactly as asked or unusable, and a quote that nobody said makes no verdict."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.broadcast.records import CleanChunk
from climate_assets.claims.records import Category, Judgement, Unusable, Verdict
from climate_assets.claims.verdicts import MAX_ANSWER, MAX_QUOTE, MAX_RATIONALE, quoted, read_answer, verdict_of

GOOD: dict[str, Any] = {
    "rationale": "The guest blames the sun.",
    "quote": "le soleil explique tout",
    "category": "2_humans_are_not_the_cause",
    "challenged": False,
    "score": 9,
}
NONE = GOOD | {"category": "0_no_misinformation", "score": 0, "quote": ""}


def answer(**changes: Any) -> str:
    return json.dumps(GOOD | changes, ensure_ascii=False)


def test_a_good_answer_is_read() -> None:
    assert read_answer(answer()) == Judgement(9, Category.NOT_US, "le soleil explique tout", False, "The guest blames the sun.")


@pytest.mark.parametrize("raw", [f"```json\n{answer()}\n```", f"```\n{answer()}\n```\n", f"  {answer()}\n"])
def test_a_code_block_is_no_text_around_it(raw: str) -> None:
    assert isinstance(read_answer(raw), Judgement)


@pytest.mark.parametrize("score", range(11))
def test_every_score_of_the_scale_is_read_as_it_is(score: int) -> None:
    read = read_answer(answer(score=score) if score else json.dumps(NONE))
    assert isinstance(read, Judgement)
    assert read.score == score


UNREADABLE: dict[str, str] = {
    "empty": "",
    "blank": " \n ",
    "bare number": "0",
    "bare ten": "10/10",
    "words": "climat climat",
    "null": "null",
    "true": "true",
    "list": f"[{answer()}]",
    "string": json.dumps(answer()),
    "two objects": answer() + answer(),
    "text before": "Here is the JSON: " + answer(),
    "text after": answer() + "\nAnything else?",
    "text around a code block": f"Sure:\n```json\n{answer()}\n```",
    "no number": '{"score": NaN}',
    "infinite": answer().replace("9}", "Infinity}"),
    "deep": "[" * 19_000,
    "huge number": answer().replace("9}", "9" * 5_000 + "}"),
    "too long": answer(rationale="a" * MAX_ANSWER),
    "field twice": answer()[:-1] + ', "score": 8}',
    "extra field": answer(confidence=1),
    "score as text": answer(score="9"),
    "score as bool": answer(score=True),
    "score as float": answer(score=9.0),
    "score null": answer(score=None),
    "score below": answer(score=-1),
    "score above": answer(score=11),
    "score hundred": answer(score=100),
    "unknown category": answer(category="9_aliens"),
    "category as number": answer(category=2),
    "category in capitals": answer(category="2_HUMANS_ARE_NOT_THE_CAUSE"),
    "challenged as text": answer(challenged="false"),
    "challenged as number": answer(challenged=0),
    "quote as list": answer(quote=["le soleil"]),
    "quote null": answer(quote=None),
    "rationale null": answer(rationale=None),
    "quote too long": answer(quote="a" * (MAX_QUOTE + 1)),
    "nothing claimed, high score": json.dumps(NONE | {"score": 4}),
    "claim without quote": answer(quote=""),
    "claim with unseen quote": answer(quote=" \u200b\n"),
    "claim with score 0": answer(score=0),
    **{f"without {name}": json.dumps({k: v for k, v in GOOD.items() if k != name}) for name in GOOD},
    **{f"cut at {n}": answer()[:n] for n in range(1, len(answer()), 7)},
}


@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_answer_not_as_asked_is_unusable_and_may_be_asked_again(raw: str) -> None:
    read = read_answer(raw)
    assert isinstance(read, Unusable)
    assert not read.permanent
    assert read.reason.isprintable()
    assert len(read.reason) < 400


@pytest.mark.parametrize(
    "raw",
    ["I'm sorry, but I can't assist with that.", "I cannot judge this.", "Désolé, je ne peux pas.", "As an AI, I must not"],
)
def test_a_refusal_is_permanent(raw: str) -> None:
    read = read_answer(raw)
    assert isinstance(read, Unusable)
    assert read.permanent
    assert "refused" in read.reason


@given(st.text(max_size=200))
def test_rubbish_never_raises_and_is_never_a_score(raw: str) -> None:
    assert isinstance(read_answer(raw), Unusable)


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "x"]), st.none() | st.booleans() | st.integers() | st.floats() | st.text(), max_size=6
    )
)
def test_whatever_is_read_keeps_the_rules(value: dict[str, Any]) -> None:
    read = read_answer(json.dumps(value))
    if isinstance(read, Judgement):
        assert 0 <= read.score <= 10
        assert bool(read.quote) or read.category is Category.NONE


def test_free_text_is_data_without_controls_and_of_bounded_length() -> None:
    markup = "<script>alert(1)</script> {{x}} '; DROP TABLE x; --"
    read = read_answer(answer(rationale=f"{markup}\x00\u202e\n\ud83d" + "a" * 3_000))
    assert isinstance(read, Judgement)
    assert read.rationale.startswith(markup)
    assert read.rationale.isprintable()
    assert len(read.rationale) == MAX_RATIONALE


def clean(text: str, kept: list[int] | None = None) -> CleanChunk:
    words = kept if kept is not None else list(range(len(text.split(" "))))
    return CleanChunk(
        "france/canal-un/2026-11-20T18:04:00Z", "france", date(2026, 11, 20), "canal-un", text, words,
        0.0, 1, 1, 0, "hash", "dictionary", "method",
    )  # fmt: skip


def judgement(**changes: Any) -> Judgement:
    read = read_answer(answer(**changes))
    assert isinstance(read, Judgement)
    return read


def verdict(judged: Judgement, chunk: CleanChunk, times: list[int]) -> Verdict | Unusable:
    return verdict_of(judged, chunk, times, model="m", prompt="v1-x", engine="llm", sampling="cascade")


def test_a_verdict_has_the_chunks_own_words_and_their_time() -> None:
    # The advert between words 2 and 6 of the chunk was cut: the clean text counts on, the times do not.
    chunk = clean("oui ¶ Le soleil, explique tout !", [0, -1, 6, 7, 8, 9, 10])
    made = verdict(judgement(), chunk, [0, 40, 80, 120, 160, 200, 2_345, 2_400, 2_500, 2_600, 2_700])
    assert isinstance(made, Verdict)
    assert (made.quote, made.quote_word, made.quote_words, made.quote_seconds) == ("Le soleil, explique tout", 2, 4, 23.45)
    assert (made.score, made.category, made.text_sha256, made.engine) == (9, "2_humans_are_not_the_cause", "hash", "llm")
    assert (made.sampling, made.prompt, made.chunk_id) == ("cascade", "v1-x", chunk.chunk_id)


def test_without_word_times_the_second_is_unknown_not_zero() -> None:
    made = verdict(judgement(), clean("le soleil explique tout"), [])
    assert isinstance(made, Verdict)
    assert made.quote_seconds is None


def test_a_verdict_on_nothing_has_no_quote() -> None:
    judged = read_answer(json.dumps(NONE))
    assert isinstance(judged, Judgement)
    made = verdict(judged, clean("il fait beau"), [0, 1, 2])
    assert isinstance(made, Verdict)
    assert (made.score, made.quote, made.quote_word, made.quote_words, made.quote_seconds) == (0, "", -1, 0, None)


@pytest.mark.parametrize("text", ["le soleil brille et explique tout", "le soleil ¶ explique tout", "rien"])
def test_a_quote_nobody_said_makes_no_verdict(text: str) -> None:
    assert isinstance(quoted(judgement(), text), Unusable)
    made = verdict(judgement(), clean(text), [])
    assert isinstance(made, Unusable)
    assert not made.permanent
    assert "not in the text" in made.reason


def test_an_invented_quote_beside_category_0_is_no_clean_chunk() -> None:
    judged = read_answer(json.dumps(NONE | {"quote": "nobody said this"}))
    assert isinstance(judged, Judgement)
    assert isinstance(verdict(judged, clean("il fait beau"), []), Unusable)


def test_markup_in_a_quote_is_data_and_unseen_characters_are_gone() -> None:
    chunk = clean("<b>le so\u200bleil\u202e explique</b> tout")
    made = verdict(judgement(quote="b le soleil explique b tout"), chunk, [])
    assert isinstance(made, Verdict)
    assert made.quote == "<b>le soleil explique</b> tout"


def test_word_times_that_do_not_belong_to_the_chunk_raise() -> None:
    with pytest.raises(IndexError):
        verdict(judgement(), clean("le soleil explique tout", [90, 91, 92, 93]), [0, 1])
