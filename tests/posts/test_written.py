"""The written posts: enough of everything, exact, varied, and nothing that is marked here and forgotten there."""

import re
from collections import Counter
from pathlib import Path

import orjson
import pytest

from climate_assets.failures import Permanent
from climate_assets.learning.records import Split
from climate_assets.learning.splits import Item, splits_of
from climate_assets.posts.repeats import groups_of
from climate_assets.posts.spans import Span, from_json, trimmed, without_overlaps
from climate_assets.posts.vocabulary import FRENCH, Label, unknown_to
from demo.posts.written import APART, FIRST, gold_lines, main, source_lines, written_posts

POSTS = written_posts()
FRENCH_POSTS = [post for post in POSTS if post.lang == "fr"]
GROUPS = groups_of([(post.post_id, post.text) for post in POSTS])


def count(posts: list, label: Label) -> int:  # type: ignore[type-arg]
    return sum(span.label is label for post in posts for span in post.spans)


def test_there_are_enough_posts_and_enough_with_nothing_in_them() -> None:
    assert len(FRENCH_POSTS) >= 160
    assert len(POSTS) - len(FRENCH_POSTS) >= 30
    assert sum(not post.spans for post in FRENCH_POSTS) >= 25
    assert {post.lang for post in POSTS} == {"fr", "en"}


@pytest.mark.parametrize("label", [Label.ENERGY, Label.FIGURE, Label.LAW])
def test_a_label_that_no_base_model_knows_can_be_learnt_and_measured(label: Label) -> None:
    assert label in unknown_to(FRENCH)
    assert count(FRENCH_POSTS, label) >= 80
    forms = {post.text[s.start : s.end].lower() for post in FRENCH_POSTS for s in post.spans if s.label is label}
    assert len(forms) >= 15
    items = [
        Item(post.post_id, (FIRST + place * APART).date(), GROUPS[post.post_id])
        for place, post in enumerate(POSTS)
        if post.lang == "fr"
    ]
    sides = splits_of(items, dev=0.0, test=0.3)
    assert count([post for post in FRENCH_POSTS if sides[post.post_id] is Split.TEST], label) >= 20
    assert count([post for post in FRENCH_POSTS if sides[post.post_id] is Split.TRAIN], label) >= 40


@pytest.mark.parametrize("label", Label)
def test_every_label_occurs(label: Label) -> None:
    assert count(FRENCH_POSTS, label) >= 10
    assert count(POSTS, label) > count(FRENCH_POSTS, label)


def test_spans_are_exact_trimmed_and_apart() -> None:
    for post in POSTS:
        assert without_overlaps(post.spans) == sorted(post.spans)
        for span in post.spans:
            assert trimmed(post.text, span) == span
            # A span begins and ends where a word does.
            assert not re.match(r"\w\w", post.text[max(0, span.start - 1) : span.start + 1]), post.text
            assert not re.match(r"\w\w", post.text[span.end - 1 : span.end + 1]), post.text
            assert post.text[span.start] not in "#@«“"


def test_gold_lines_say_what_the_posts_hold() -> None:
    rows = [orjson.loads(line) for line in gold_lines(POSTS).splitlines()]
    assert [row["post_id"] for row in rows] == [post.post_id for post in POSTS]
    for row, post in zip(rows, POSTS, strict=True):
        assert from_json(post.text, orjson.dumps(row["spans"]).decode()) == post.spans


def test_both_files_are_derived(tmp_path: Path) -> None:
    main(str(tmp_path / "derived"))
    found = {path.name: path.read_bytes() for path in (tmp_path / "derived").iterdir()}
    assert found == {"posts.jsonl": source_lines(POSTS), "gold.jsonl": gold_lines(POSTS)}


# Said of something else than energy.
ELSEWHERE = {("gaz", "lacrymogènes"), ("bois", "stère de"), ("bois", "je bois")}


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_what_is_marked_once_is_marked_wherever_it_is_said(lang: str) -> None:
    posts = [post for post in POSTS if post.lang == lang]
    label_of: dict[str, set[Label]] = {}
    for post in posts:
        for span in post.spans:
            label_of.setdefault(post.text[span.start : span.end].lower(), set()).add(span.label)
    assert not {form: labels for form, labels in label_of.items() if len(labels) > 1}
    for post in posts:
        for form in label_of:
            if any(form == word and beside in post.text for word, beside in ELSEWHERE):
                continue
            for found in re.finditer(rf"(?<!\w){re.escape(form)}(?!\w)", post.text.lower()):
                assert any(s.start <= found.start() and found.end() <= s.end for s in post.spans), (form, post.text)


def test_the_texts_are_as_varied_as_posts_are() -> None:
    text = "\n".join(post.text for post in FRENCH_POSTS)
    for feature in ("🌊", "#", "« ", "\n- ", "\n1. ", "@", "RT ", "https://", "??", "lol"):
        assert feature in text, feature
    assert sum(any(letter > "\uffff" for letter in post.text) for post in FRENCH_POSTS) >= 25
    side_by_side = [
        post
        for post in FRENCH_POSTS
        for s in post.spans
        if any(s.end + 1 == o.start and s.label is o.label for o in post.spans)
    ]
    assert len(side_by_side) >= 3
    assert len({post.text for post in POSTS}) == len(POSTS)


def test_reposts_are_planted_and_nothing_else_is_alike() -> None:
    sizes = Counter(Counter(GROUPS.values()).values())
    assert sizes[2] == 4
    assert set(sizes) == {1, 2}


def test_an_id_does_not_hang_on_the_place() -> None:
    one, both = written_posts("== fr\nb [law|loi X]"), written_posts("== fr\na\n\nb [law|loi X]")
    assert one[0] == both[1]
    assert one[0].spans == {Span(2, 7, Label.LAW)}
    assert written_posts("#! x\n\n== en\n\na\n#! y\nb\n")[0].text == "a\nb"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("a", "line|posts.txt:1: a post before"),
        ("== fr\na\n\na", "posts.txt:4: this post is there since line 2"),
        ("== fr\n[loi|x]", "code 'loi'"),
        ("== fr\n[law| x]", "white space"),
        ("== fr\n[law|x", "left over"),
        ("== fr\n[law|[fig|3 €]]", "left over"),
    ],
)
def test_broken_markup_is_refused(written: str, why: str) -> None:
    with pytest.raises(Permanent, match=why):
        written_posts(written)
