"""The loop of verdicts: the student in use is measured on held-out labels, a challenger is trained and compared with it.

Figures are `verdict_quality.py`, what a label teaches `labelled.py`, training `claims/student_training.py`, who wins
`comparison.py` and `promotions.py`. Belongs here: reading, handing on, writing down.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson

from climate_assets import policies
from climate_assets.claims.records import Verdict
from climate_assets.claims.student import Student, student_from_bytes, train, version_of
from climate_assets.claims.student_training import RULES
from climate_assets.countries import Countries
from climate_assets.labelling.votes import CASE
from climate_assets.learning.comparison import Answer
from climate_assets.learning.dividing import divided
from climate_assets.learning.intervals import LEVEL
from climate_assets.learning.label_reading import codes_of, labelled_chunks
from climate_assets.learning.labelled import Labelled, example_of, lesson_of
from climate_assets.learning.lines import MISINFO, Line
from climate_assets.learning.metrics import score_threshold
from climate_assets.learning.missed import Below, Estimate, Missed, missed_cases, strata_of
from climate_assets.learning.records import ModelVersion, Split, Stage, TrainingExample
from climate_assets.learning.score_tables import calibration_rows, confusion_rows, missed_sentence, score_rows
from climate_assets.learning.scores import ALL
from climate_assets.learning.turning import Figures
from climate_assets.learning.verdict_quality import Judged, Quality, answer_of, quality
from climate_assets.tables import table
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.registry import ModelRegistry
from resources.student import StudentShelf

HELD_OUT: Final = (Split.DEV, Split.TEST)


@dataclass(frozen=True)
class VerdictLearning:
    """One line of students, and where it reads and writes."""

    line: Line
    countries: Countries
    barometre: Barometre
    registry: ModelRegistry
    shelf: StudentShelf
    reference: ReferenceFiles

    @property
    def codes(self) -> list[str]:
        """Countries whose labels it learns from."""
        return codes_of(self.line, self.countries)

    def champion(self) -> ModelVersion:
        """The model in use."""
        return self.shelf.in_use(self.line.language)

    def labels(self) -> list[Labelled]:
        """Every chunk with a label that stands."""
        return labelled_chunks(self.codes, self.countries, self.barometre)

    def divided(self, labels: Sequence[Labelled]) -> dict[str, Split]:
        """The side of each labelled chunk; those given earlier stand. New ones are written down."""
        return divided(self.line, [x.item for x in labels], {x.item_id: x.text for x in labels}, self.barometre)

    def figures(self, model: ModelVersion, round_key: str, labels: Sequence[Labelled]) -> Figures:
        """Every figure of a student on the test split, beside those of endpoints, and what people were not asked about."""
        sides = self.divided(labels)
        chunks = [x for x in labels if sides[x.item_id] is Split.TEST]
        if not chunks:
            return Figures([], None, "no chunk is held out yet: label more", {})
        made = quality(
            chunks,
            self._judged(self._student(model), model.threshold, chunks),
            model=model.model_id,
            round_key=round_key,
            split=Split.TEST,
            threshold=model.threshold,
            seed=policies.SEED,
        )
        gate = next(row for row in made.scores if row.slice == ALL and row.label == MISINFO)
        reason = "" if gate.f1 is not None else gate.reason
        others = [row for other in self.others(round_key, chunks) for row in other.scores]
        missed = self.missed(model)
        shown = {
            "scores": table(score_rows(made.scores)),
            "calibration": table(calibration_rows(made.calibration)),
            "confusion": table(confusion_rows(made.confusion)),
            "missed_cases": missed_sentence(missed),
            **{
                name: m.value
                for name, m in (("brier", made.brier), ("calibration_error", made.calibration_error))
                if m.value is not None
            },
        }
        return Figures([*made.scores, *others], gate, reason, shown)

    def others(self, round_key: str, chunks: Sequence[Labelled]) -> list[Quality]:
        """The same of each endpoint that judged all of these chunks, by its stored scores: nothing is asked again."""
        by_model: dict[str, dict[str, Judged]] = {}
        for verdict in self.barometre.read(Verdict, chunk_id=[x.item_id for x in chunks], engine="llm"):
            found = verdict.score >= self.countries[verdict.country].threshold
            by_model.setdefault(verdict.model, {})[verdict.chunk_id] = Judged(verdict.score / 10, found, verdict.category)
        whole = {model: said for model, said in by_model.items() if len(said) == len(chunks)}
        return [
            quality(chunks, said, model=model, round_key=round_key, split=Split.TEST, threshold=None, seed=policies.SEED)
            for model, said in sorted(whole.items())
        ]

    def missed(self, champion: ModelVersion) -> Missed:
        """Cases that people were not asked about, estimated from the random slice below the champion's threshold."""
        rows = self.barometre.rows(
            "SELECT v.country, v.day, v.channel, v.score, g.value, t.sampling, t.probability FROM verdicts v"
            " JOIN clean_chunks c USING (chunk_id, text_sha256)"
            " LEFT JOIN labelling_tasks t USING (chunk_id) LEFT JOIN gold_labels g ON g.item_id = chunk_id"
            " AND g.field = 'assessment' WHERE v.model = %(model)s AND v.country = ANY(%(countries)s)",
            {"model": champion.model_id, "countries": self.codes},
        )
        chances = {(r["country"], r["day"]): r["probability"] for r in rows if r["sampling"] == "audit"}
        below, found, known = [], 0, 0
        for row in rows:
            case = None if row["value"] is None else row["value"] == CASE
            if row["score"] >= self._cut(champion.threshold, row["country"]):
                found += case is True
            elif row["sampling"] == "score":
                # An earlier model had flagged it: asked about for certain, it says nothing of what nobody saw.
                known += case is True
            elif chance := chances.get((row["country"], row["day"]), self.countries[row["country"]].audit_share):
                below.append(Below(row["channel"], row["score"], chance, case if row["sampling"] == "audit" else None))
            else:
                return _not_estimated(
                    f"{row['country']} has no random slice (audit_share: 0): nobody looks below its threshold"
                )
        return missed_cases(strata_of(below), found, known=known)

    def training_set(self, parent: ModelVersion, labels: Sequence[Labelled]) -> list[TrainingExample]:
        """What the next model may see: labels to learn from, and labels to choose its threshold on; nothing of the test."""
        sides = self.divided(labels)
        return [example_of(x, sides[x.item_id]) for x in labels if sides[x.item_id] is not Split.TEST]

    def candidate(self, round_key: str, parent: ModelVersion, examples: Sequence[TrainingExample]) -> ModelVersion:
        """A challenger that has learnt what its parent has, and the labels to learn from; its threshold is chosen on dev."""
        student = self._student(parent)
        dev = [e for e in examples if e.split == Split.DEV]
        lessons = [lesson_of(e, student.passage) for e in examples if e.split == Split.TRAIN]
        statements = self.reference.statements(self.line.language)
        if known := self.barometre.read(ModelVersion, model_id=f"student-{version_of(statements, lessons)}"):
            return known[0]
        made = train(statements, lessons, languages=(self.line.language,))
        threshold, why = _threshold(made, dev)
        return ModelVersion(
            model_id=made.model,
            parent_id=parent.model_id,
            task_kind=self.line.task_kind,
            language=self.line.language,
            artefact_key=self.registry.keep("student", made.to_bytes(), ".npz"),
            round=round_key,
            data_hash=made.trained_on,
            code_version=RULES,
            parameters=orjson.dumps({"recall": policies.RECALL, "lessons": len(lessons), "dev": len(dev)}).decode(),
            seed=policies.SEED,
            threshold=threshold,
            stage=Stage.CANDIDATE.value,
            reason=f"Trained in {round_key} on {len(lessons)} labelled chunks beside the shipped statements; {why}",
            created_at=datetime.now(UTC),
        )

    def answers(self, model: ModelVersion, labels: Sequence[Labelled]) -> list[Answer]:
        """What a student says of chunks that no student has learnt from.

        The measure asks for no threshold, so chunks on which the challenger's was chosen are as good as any other; losses on
        channels do ask for one, and may look a little small there.
        """
        sides = self.divided(labels)
        held = [x for x in labels if sides[x.item_id] in HELD_OUT]
        judged = self._judged(self._student(model), model.threshold, held)
        return [answer_of(x, judged[x.item_id]) for x in held]

    def _student(self, model: ModelVersion) -> Student:
        return student_from_bytes(self.registry.artefact(model))

    def _cut(self, threshold: float | None, country: str) -> float:
        return self.countries[country].threshold if threshold is None else threshold

    def _judged(self, student: Student, threshold: float | None, chunks: Iterable[Labelled]) -> Mapping[str, Judged]:
        known = list(chunks)
        texts = [chunk.text for chunk in known]
        said = zip(known, student.judge_all(texts), student.probabilities(texts), strict=True)
        return {
            chunk.item_id: Judged(likely, one.score >= self._cut(threshold, chunk.country), one.category.value)
            for chunk, one, likely in said
        }


def _threshold(student: Student, dev: Sequence[TrainingExample]) -> tuple[float | None, str]:
    """The threshold that dev speaks for, and the sentence that says so."""
    gold, scores = [x.label == CASE for x in dev], [said.score for said in student.judge_all(x.text for x in dev)]
    if sum(gold) < policies.LEAST_CASES:
        return (
            None,
            f"dev has {sum(gold)} cases of {policies.LEAST_CASES} that a threshold needs: the country's stays in force.",
        )
    point = score_threshold(gold, scores, [1 / x.probability for x in dev], policies.RECALL, policies.LEAST_PRECISION)
    if point is None:
        return None, f"at no score is {policies.LEAST_PRECISION:.0%} of dev a case: the country's threshold stays in force."
    return float(point.score), f"its threshold of {point.score} keeps {point.recall:.0%} of the {sum(gold)} cases of dev."


def _not_estimated(reason: str) -> Missed:
    nothing = Estimate(None, None, None, LEVEL, reason)
    return Missed(nothing, nothing, 0.0, [])
