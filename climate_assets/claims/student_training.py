"""How the student is trained: from labelled statements to weights, curves and the threshold's evidence, the same each time.

scikit-learn and scipy are imported where they train; judging needs neither. Belongs here: features to weights, folds,
calibration, the version. Does not belong here: what a feature is (`student_words.py`), what is rehearsed on
(`student_rehearsal.py`), and judging (`student_model.py`).
"""

import hashlib
import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from climate_assets.claims import student_heads, student_rehearsal
from climate_assets.claims.records import Category
from climate_assets.claims.statements import Statement, statements_version
from climate_assets.claims.student_counts import Counted, counted, counts_of
from climate_assets.claims.student_heads import CATEGORIES, Finding, Heads
from climate_assets.claims.student_lessons import Lesson, as_statements, lessons_version
from climate_assets.claims.student_model import Calibration, Student
from climate_assets.claims.student_rehearsal import Rehearsal, rehearsals
from climate_assets.claims.student_sums import Floats
from climate_assets.claims.student_words import stretches
from climate_assets.failures import Permanent

RULES: Final = "1"
"""Version of the code that words, features, windows and curves come from; raise it with any change of theirs."""
SEED: Final = 20261121
FOLDS: Final = 5
INVERSE_PENALTY: Final = 10.0
"""scikit-learn's C; cross-validated, 3 to 30 differ by less than .005 in area under the curve."""
MIN_STATEMENTS: Final = 2
"""Statements a feature must be in to be kept."""
CHARACTER_WEIGHT: Final = 0.35
"""Character n-grams are ten times as many as words, and say less each."""
CONTRADICTED_WEIGHT: Final = 0.2
"""Weight of a contradicted claim in the category head, so that the words of a contradiction do not speak for a claim."""
PRIOR: Final = 1 / 3
"""Share of chunks with misinformation at which probabilities are stated: what people confirmed of legacy flagged tasks
(172 of 491, and 402 of 1,213). Among all chunks of a day it is far lower: scores rank, they are no field frequencies."""
SHARED_RUN: Final = 6
"""Statements that share this many words in a row are near twins and stay in one fold."""
ROUNDS: Final = 2
LEAST: Final = 10
"""Statements of each category, and contradicted ones, that two per fold need."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What fold heads, which had not seen its statements, found in a rehearsal text."""

    fold: int
    rehearsal: Rehearsal
    finding: Finding


def version_of(statements: Iterable[Statement], lessons: Sequence[Lesson] = (), seed: int = SEED) -> str:
    """Twelve hexadecimal digits of SHA-256 over what is learnt, every parameter and the version of the code's rules."""
    content = [
        RULES,
        seed,
        statements_version(statements),
        [FOLDS, INVERSE_PENALTY, MIN_STATEMENTS, CHARACTER_WEIGHT, CONTRADICTED_WEIGHT, PRIOR, SHARED_RUN, ROUNDS],
        [
            student_heads.SHORT_WINDOW,
            student_heads.LONG_WINDOW,
            student_heads.STRIDE,
            student_heads.CONTEXT,
            student_heads.FEWEST_WORDS,
        ],
        [student_heads.FEWEST_WORDS, student_heads.REPLY_WINDOW],
        [student_rehearsal.CHUNK_WORDS, student_rehearsal.MOST_STATEMENTS],
        *([lessons_version(lessons)] if lessons else []),
    ]
    return hashlib.sha256(orjson.dumps(content)).hexdigest()[:12]


def trained_on(statements: Iterable[Statement], lessons: Sequence[Lesson] = ()) -> str:
    """Version of what is learnt: of the statements, and of the lessons if there are any."""
    shipped = statements_version(statements)
    return f"{shipped}+{lessons_version(lessons)}" if lessons else shipped


def train(
    statements: Iterable[Statement],
    lessons: Iterable[Lesson] = (),
    *,
    seed: int = SEED,
    languages: tuple[str, ...] = ("french",),
) -> Student:
    """The student that has learnt these statements and lessons, whatever their order.

    The problem is convex, so where training begins does not matter to where it ends: a student goes on from another one by
    learning all that the other has learnt, and more. Raises `Permanent` if a category, the neutral statements or the
    contradicted ones are fewer than `LEAST`.
    """
    shipped = sorted(statements, key=lambda s: (s.text, s.category, s.challenged))
    taught = sorted(lessons, key=lambda x: (x.item_id, x.group, x.text, x.category, x.challenged, x.passages))
    _check_counts(shipped)
    material = material_of(shipped, taught)
    known = counted(material.statements)
    rehearsed = rehearse(material, known, seed)
    positives, negatives = out_of_fold(rehearsed)
    return Student(
        version=version_of(shipped, taught, seed),
        trained_on=trained_on(shipped, taught),
        languages=languages,
        heads=heads_of_some(known, material.statements, range(len(material.statements))),
        calibration=calibration_of(rehearsed),
        positives=positives,
        negatives=negatives,
    )


def _check_counts(statements: Sequence[Statement]) -> None:
    counts: Counter[str] = Counter({category.value: 0 for category in Category} | {"challenged": 0})
    counts.update(s.category.value for s in statements)
    counts["challenged"] = sum(s.challenged for s in statements)
    if few := [f"{name} ({count})" for name, count in counts.items() if count < LEAST]:
        raise Permanent(f"too few statements to train on: {', '.join(few)}; write at least {LEAST} of each")


def heads_of(statements: Sequence[Statement]) -> Heads:
    """Weights learnt from whole statements: nine categories against each other, and contradicted against standing claims."""
    return heads_of_some(counted(statements), statements, range(len(statements)))


def heads_of_some(known: Counted, statements: Sequence[Statement], chosen: Sequence[int]) -> Heads:
    """The same from some of the statements that were counted; `chosen` are their indices."""
    counts, spread, kept = counts_of(known, np.array(chosen), MIN_STATEMENTS)
    vocabulary = tuple(known.vocabulary[kept].tolist())
    # Rare features weigh more (smoothed inverse document frequency), character n-grams less.
    rarity = np.array([math.log((1 + len(chosen)) / (1 + n)) + 1 for n in spread.tolist()])
    rarity *= np.array([CHARACTER_WEIGHT if f.startswith("c") else 1.0 for f in vocabulary])
    weighted = counts.multiply(rarity).tocsr()
    # The mean squared length becomes 1, so the penalty means the same for any vocabulary.
    scale = 1 / math.sqrt(float(weighted.multiply(weighted).sum()) / len(chosen))
    rows = weighted * scale
    learnt = [statements[n] for n in chosen]
    categories = np.array([CATEGORIES.index(s.category) for s in learnt])
    claims = np.flatnonzero(categories)
    challenged = np.array([s.challenged for s in learnt])
    what = _logistic(rows, categories, importance=np.where(challenged, CONTRADICTED_WEIGHT, 1.0))
    against = _logistic(rows[claims], challenged[claims])
    weights = np.vstack([what.coef_, against.coef_]) * rarity * scale
    return Heads(vocabulary, np.ascontiguousarray(weights.T, dtype=np.float32), np.append(what.intercept_, against.intercept_))


def _logistic(rows: Any, labels: NDArray[Any], *, penalty: float = INVERSE_PENALTY, importance: Floats | None = None) -> Any:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=penalty, max_iter=1000, class_weight="balanced")  # type: ignore[no-untyped-call]
    return model.fit(rows, labels, sample_weight=importance)


@dataclass(frozen=True, slots=True)
class Material:
    """All that is learnt: statements, whether they are shipped, and lessons with their group among the statements'."""

    statements: list[Statement]
    groups: list[int]
    """Statements of one number are near twins, or passages of one group of lessons."""
    shipped: int
    """The first so many come with the project; the others are passages."""
    lessons: list[tuple[Lesson, int]]
    """Each lesson with its group."""


def material_of(shipped: Sequence[Statement], lessons: Sequence[Lesson]) -> Material:
    """Shipped statements, the passages of lessons, and what belongs to one fold; what was heard before is learnt once."""
    statements = list(shipped)
    owners: list[list[str]] = [[] for _ in shipped]
    known = {(s.text.casefold(), s.category, s.challenged): index for index, s in enumerate(shipped)}
    for lesson in lessons:
        for statement in as_statements(lesson):
            key = (statement.text.casefold(), statement.category, statement.challenged)
            if key not in known:
                known[key] = len(statements)
                statements.append(statement)
                owners.append([])
            # Whoever said it too must not be rehearsed by heads that have learnt it.
            owners[known[key]].append(lesson.group)
    groups = near_twins(statements, owners)
    of_owner = {owner: group for named, group in zip(owners, groups, strict=True) for owner in named}
    # A lesson without a passage of its own stands in a group of its own.
    alone = {name: len(statements) + n for n, name in enumerate(sorted({x.group for x in lessons} - of_owner.keys()))}
    return Material(statements, groups, len(shipped), [(x, of_owner.get(x.group, alone.get(x.group, -1))) for x in lessons])


def folds_of(material: Material, seed: int) -> list[tuple[list[int], list[int]]]:
    """Indices of statements to learn from and to try on, `FOLDS` times; no group is on both sides."""
    from sklearn.model_selection import StratifiedGroupKFold

    labels = [2 * CATEGORIES.index(s.category) + s.challenged for s in material.statements]
    splits = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed % 2**32)  # type: ignore[no-untyped-call]
    parts: Any = splits.split(labels, labels, material.groups)  # type: ignore[no-untyped-call]
    return [(learn.tolist(), tried.tolist()) for learn, tried in parts]


def near_twins(statements: Sequence[Statement], owners: Sequence[Sequence[str]] = ()) -> list[int]:
    """A group number for each statement: those that share `SHARED_RUN` words in a row, or an owner, have the same."""
    group = list(range(len(statements)))

    def root(index: int) -> int:
        while group[index] != index:
            group[index] = group[group[index]]
            index = group[index]
        return index

    first: dict[tuple[str, ...], int] = {}
    for index, statement in enumerate(statements):
        for owner in owners[index] if owners else ():
            group[root(index)] = root(first.setdefault(("owner", owner), index))
        words = [word for stretch in stretches(statement.text) for word in stretch.words]
        for run in zip(*(words[i:] for i in range(SHARED_RUN)), strict=False):
            group[root(index)] = root(first.setdefault(run, index))
    return [root(index) for index in range(len(statements))]


def rehearse(material: Material, known: Counted, seed: int) -> list[Rehearsed]:
    """Every fold's texts, composed ones and lessons, as seen by heads that learnt from the other folds only."""
    chance = random.Random(seed)
    found: list[Rehearsed] = []
    for fold, (learn, tried) in enumerate(folds_of(material, seed)):
        heads = heads_of_some(known, material.statements, learn)
        groups = {material.groups[i] for i in tried}
        composed = rehearsals([material.statements[i] for i in tried if i < material.shipped], ROUNDS, chance)
        taught = [
            Rehearsal(lesson.text, lesson.claims, lesson.challenged)
            for lesson, group in material.lessons
            if group in groups or (group >= len(material.statements) and group % FOLDS == fold)
        ]
        texts = [*composed, *taught]
        findings = heads.find_all(rehearsal.text for rehearsal in texts)
        found += [
            Rehearsed(fold, rehearsal, finding)
            for rehearsal, finding in zip(texts, findings, strict=True)
            if finding is not None
        ]
    return found


def calibration_of(rehearsed: Sequence[Rehearsed]) -> Calibration:
    """The curves fitted on rehearsals, moved to `PRIOR`."""
    claims = np.array([r.rehearsal.claims for r in rehearsed])
    claim = _curve([r.finding.claim for r in rehearsed], claims, PRIOR)
    with_claim = [r for r in rehearsed if r.rehearsal.claims]
    challenged = np.array([r.rehearsal.challenged for r in with_claim])
    challenge = _curve([r.finding.challenge for r in with_claim], challenged, float(challenged.mean()))
    return Calibration(claim=(claim[0], claim[1], claim[2], claim[3]), challenge=(challenge[0], challenge[1], challenge[2]))


def _curve(measures: Sequence[tuple[float, ...]], labels: NDArray[np.bool_], prior: float) -> list[float]:
    """Intercept and slopes; fitted on balanced classes, then the intercept moves by the prior's log-odds."""
    fitted = _logistic(np.array(measures), labels, penalty=1.0)
    return [float(fitted.intercept_[0]) + math.log(prior / (1 - prior)), *map(float, fitted.coef_[0])]


def out_of_fold(rehearsed: Sequence[Rehearsed]) -> tuple[Floats, Floats]:
    """Sorted probabilities of texts with standing misinformation and of the others; curves too are of other folds."""
    positives: list[float] = []
    negatives: list[float] = []
    for fold in range(FOLDS):
        curves = calibration_of([r for r in rehearsed if r.fold != fold])
        for one in (r for r in rehearsed if r.fold == fold):
            claimed, contradicted = curves.probabilities(one.finding)
            stands = one.rehearsal.claims and not one.rehearsal.challenged
            (positives if stands else negatives).append(claimed * (1 - contradicted))
    return np.sort(positives), np.sort(negatives)
