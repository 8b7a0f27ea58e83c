"""The loop: answers reconciled against bare paging of the same API, chunks that the student judges, and its training.

The sizes are those of `measure`; a figure's baseline says at which it was taken.
"""

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import climate_assets
from benchmarks.reconciling import PEOPLE, Reconciled, reconciled, servers
from climate_assets.claims.records import Category
from climate_assets.claims.statements import Statement, statements_from_csv
from climate_assets.claims.student import Student, student_from_bytes, train
from climate_assets.claims.student_heads import SHORT_WINDOW
from climate_assets.claims.student_lessons import Lesson
from climate_assets.claims.student_rehearsal import rehearsals

SEED: Final = 20261121
STATEMENTS: Final = Path(climate_assets.__file__).parent / "reference" / "statements" / "french.csv"
RECONCILE_TARGET, GROWTH_TARGET, JUDGE_TARGET, TRAIN_TARGET = 1.3, 1.25, 10_000.0, 3.0
CHUNK_WORDS: Final = 350
"""Fewest words of what counts as a chunk of two minutes."""
_PIECE: Final = 4
"""Words in a row that a composed lesson takes from a statement: fewer than make near twins of two lessons."""


def measure(answers: int = 100_000, few: int = 10_000, rounds: int = 8, lessons: int = 20_000) -> list[dict[str, Any]]:
    """Reconciling and its growth, chunks a core and second, seconds of training."""
    statements = statements_from_csv(STATEMENTS.read_text(encoding="utf-8"), STATEMENTS.name)
    judged = _judging(train(statements), statements, rounds)
    trained = _training(statements, lessons)
    with servers() as (label_studio, lake):
        small, large = (reconciled(label_studio, lake, size) for size in (few, answers))
    return [*_reconciling(small, large), judged, trained]


def _reconciling(small: Reconciled, large: Reconciled) -> list[dict[str, Any]]:
    ratio = large.ours / large.paging
    each = [1e3 * one.ours / one.answers for one in (small, large)]
    bare = [1e3 * one.paging / one.answers for one in (small, large)]
    growth = each[1] / each[0]
    return [
        {
            "name": "learning.reconcile_vs_paging",
            "value": round(ratio, 3),
            "unit": "x",
            "baseline": f"bare paging of {large.answers:,} answers, {PEOPLE} a task: {large.paging:.0f} s; "
            f"ours {large.ours:.0f} s",
            "target": f"<= {RECONCILE_TARGET}",
            "ok": ratio <= RECONCILE_TARGET,
        },
        {
            "name": "learning.reconcile_growth",
            "value": round(growth, 3),
            "unit": "x an answer",
            "baseline": f"{small.answers:,} answers at {each[0]:.2f} ms each, {large.answers:,} at {each[1]:.2f}; "
            f"bare paging {bare[0]:.2f} and {bare[1]:.2f}",
            "target": f"<= {GROWTH_TARGET}",
            "ok": growth <= GROWTH_TARGET,
        },
    ]


def _judging(student: Student, statements: Sequence[Statement], rounds: int) -> dict[str, Any]:
    """Every chunk is judged once, each by a student that has met no text yet but those before it."""
    composed = (rehearsal.text for rehearsal in rehearsals(statements, rounds, random.Random(SEED)))
    chunks = [text for text in composed if len(text.split()) >= CHUNK_WORDS]
    words = sum(len(text.split()) for text in chunks) / len(chunks)
    content, speeds, alone = student.to_bytes(), [], []
    for _ in range(5):
        fresh = student_from_bytes(content)
        before = time.process_time()
        fresh.judge_all(chunks)
        speeds.append(len(chunks) / (time.process_time() - before))
        before = time.process_time()
        for chunk in chunks[:500]:
            fresh.judge(chunk)
        alone.append(min(500, len(chunks)) / (time.process_time() - before))
    # The processor is shared with whatever else runs; the best round is nearest to what the code takes.
    value = max(speeds)
    return {
        "name": "learning.student_chunks_per_s",
        "value": round(value),
        "unit": "chunks/s",
        "baseline": f"one core, {len(chunks):,} chunks of {words:.0f} words, all of `judge_all`; one by one {max(alone):,.0f}",
        "target": f">= {JUDGE_TARGET:,.0f}",
        "ok": value >= JUDGE_TARGET,
    }


def _training(statements: Sequence[Statement], count: int) -> dict[str, Any]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    taught = composed_lessons(statements, count)
    before = time.perf_counter()
    train(statements, taught)
    ours = time.perf_counter() - before
    before = time.perf_counter()
    rows = TfidfVectorizer(ngram_range=(1, 2), min_df=2).fit_transform([lesson.text for lesson in taught])
    LogisticRegression(max_iter=1000, class_weight="balanced").fit(rows, [lesson.category.value for lesson in taught])  # type: ignore[no-untyped-call]
    theirs = time.perf_counter() - before
    name = "learning.train_20k" if count == 20_000 else f"learning.train_{count}"
    return {
        "name": name,
        "value": round(ours, 1),
        "unit": "s",
        "baseline": f"{count:,} lessons; one fit of scikit-learn's tf-idf (1-2 words) and logistic regression on their texts "
        f"{theirs:.1f} s, x {ours / theirs:.1f}; ours makes six fits of words and letters, and rehearses",
        "target": f"<= {TRAIN_TARGET:.0f} x the baseline",
        "ok": ours <= TRAIN_TARGET * theirs,
    }


def composed_lessons(statements: Sequence[Statement], count: int) -> list[Lesson]:
    """Chunks as labelled ones are: a passage made of pieces of one kind's statements, among pieces of neutral ones."""
    chance = random.Random(SEED)
    pieces: dict[tuple[Category, bool], list[list[str]]] = {}
    for statement in statements:
        words = statement.text.split()
        of = pieces.setdefault((statement.category, statement.challenged), [])
        of += [words[at : at + _PIECE] for at in range(0, len(words) - _PIECE + 1, _PIECE)]

    def said(kind: tuple[Category, bool], length: int) -> str:
        return " ".join(word for piece in chance.choices(pieces[kind], k=length // _PIECE) for word in piece)

    lessons = []
    for number in range(count):
        kind = chance.choice(statements)
        category, challenged = kind.category, kind.challenged
        passage = said((category, challenged), SHORT_WINDOW)
        around = [said((Category.NONE, False), chance.randrange(40, 320)) for _ in range(2)]
        text = f"{around[0]} {passage} {around[1]}"
        lessons.append(Lesson(f"lesson-{number}", f"group-{number}", text, category, challenged, (passage,)))
    return lessons


if __name__ == "__main__":
    for line in measure():
        print(line)
