"""The loop of entities: the model in use is measured on held-out posts, trained further on gold, and compared with the result.

What a training set is made of is `entity_examples.py` and `labelled_posts.py`, how spans are counted `span_scores.py`, who wins
`comparison.py` and `promotions.py`; spaCy is behind `resources/entities.py`. Belongs here: reading, handing on, writing down.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

import orjson

from climate_assets import policies
from climate_assets.countries import Countries
from climate_assets.failures import Permanent
from climate_assets.learning.comparison import Answer
from climate_assets.learning.dividing import divided
from climate_assets.learning.entity_examples import REHEARSED_SHARE, Parameters, data_hash
from climate_assets.learning.entity_reading import labelled_posts
from climate_assets.learning.label_reading import codes_of
from climate_assets.learning.labelled_posts import REHEARSED, LabelledPost, example_of, lessons_of
from climate_assets.learning.lines import Line
from climate_assets.learning.promotions import RULE, appointment
from climate_assets.learning.records import ModelVersion, Outcome, Score, Split, Stage, TrainingExample
from climate_assets.learning.rehearsing import rehearsal
from climate_assets.learning.score_tables import score_rows
from climate_assets.learning.scores import ALL, RANDOM, Measured, scores_of
from climate_assets.learning.span_scores import Match, Worst, answers, held_out, post_accuracy, worst_label
from climate_assets.learning.turning import Figures
from climate_assets.posts.records import GoldPost
from climate_assets.posts.spans import Span
from climate_assets.posts.vocabulary import vocabulary_of
from climate_assets.speech.languages import code
from climate_assets.tables import table
from resources.entities import Entities
from resources.postgres import Barometre
from resources.registry import ModelRegistry

RULES: Final = "entities-1"
"""Version of what a training does; another one makes another model of the same gold."""


@dataclass(frozen=True)
class EntityLearning:
    """One line of models of entities, and where it reads and writes."""

    line: Line
    countries: Countries
    barometre: Barometre
    registry: ModelRegistry
    entities: Entities

    @property
    def codes(self) -> list[str]:
        """Countries whose posts it learns from."""
        return codes_of(self.line, self.countries)

    def champion(self) -> ModelVersion:
        """The model in use; where there is none yet, the base model that is installed, which is put in place."""
        found = self.registry.champion(self.line.task_kind, self.line.language)
        installed = self.entities.base_version(self.line.language)
        if found and (found.artefact_key or found.model_id == installed):
            return found
        return self._base(installed, found)

    def labels(self) -> list[LabelledPost]:
        """Every post in the language whose spans stand."""
        return labelled_posts(self.codes, self.line.language, self.barometre)

    def divided(self, labels: Sequence[LabelledPost]) -> dict[str, Split]:
        """To learn from, or held out; spans have no threshold that a third side would be needed for."""
        return divided(self.line, [x.item for x in labels], {x.item_id: x.post.text for x in labels}, self.barometre, dev=0.0)

    def figures(self, model: ModelVersion, round_key: str, labels: Sequence[LabelledPost]) -> Figures:
        """Every figure of a model on held-out posts, by label, exact and overlapping; the gate reads the worst label's."""
        posts = self._held_out(labels)
        if not posts:
            return Figures([], None, "no post is held out yet: label more", {})
        found = self._found(model, posts)
        scores: list[Score] = []
        for match in Match:
            for label, items in held_out(posts, found, match).items():
                scores += scores_of(items, _measured(model, round_key, label, match))
        worst, (accuracy, _) = worst_label(scores), post_accuracy(posts, found, seed=policies.SEED)
        shown = {
            "scores": table(score_rows(row for row in scores if row.match == Match.EXACT)),
            "scores_overlapping": table(score_rows(row for row in scores if row.match == Match.OVERLAP and row.slice == ALL)),
            "worst_label": str(worst.label) or worst.reason,
            "labels_with_too_little_gold": ", ".join(worst.thin),
            **({"posts_all_right": accuracy.value} if accuracy.value is not None else {}),
        }
        return Figures(scores, _gate(worst, scores), "" if worst.label else worst.reason, shown)

    def training_set(self, parent: ModelVersion, labels: Sequence[LabelledPost]) -> list[TrainingExample]:
        """All gold that may be learnt from, and posts that nobody labelled as the model in use finds them."""
        sides = self.divided(labels)
        gold = [example_of(x, Split.TRAIN) for x in labels if sides[x.item_id] is Split.TRAIN]
        # A base model cannot say most of our labels, and its silence teaches that they are not there: on the written posts, F1
        # of held-out posts is 0.82 with its answers on other posts and 0.88 without.
        if not parent.artefact_key:
            return gold
        old = rehearsal(self.line, self.codes, labels, sides, partial(self._spans, parent), self.barometre)
        return [*gold, *old]

    def candidate(self, round_key: str, parent: ModelVersion, examples: Sequence[TrainingExample]) -> ModelVersion:
        """A challenger: the model that the round has measured, trained further; the same is not trained twice."""
        parameters, language = Parameters(), self.line.language
        lang = code(language)
        lessons = lessons_of(examples, lang, vocabulary_of(lang))
        known = data_hash(lessons)
        told = {**asdict(parameters), "base": self.entities.base_version(language), "rehearsed_share": REHEARSED_SHARE}
        said = orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()
        rests_on = [RULES, parent.model_id, known, said, str(policies.SEED)]
        name = f"{self.line}-{hashlib.sha256(orjson.dumps(rests_on)).hexdigest()[:12]}"
        if known_already := self.barometre.read(ModelVersion, model_id=name):
            return known_already[0]
        made = self.entities.train(language, lessons, self._bytes(parent), policies.SEED, parameters)
        old = sum(e.source == REHEARSED for e in examples)
        return ModelVersion(
            model_id=name,
            parent_id=parent.model_id,
            task_kind=self.line.task_kind,
            language=language,
            artefact_key=self.registry.keep("entities", made),
            round=round_key,
            data_hash=known,
            code_version=RULES,
            parameters=said,
            seed=policies.SEED,
            threshold=None,
            stage=Stage.CANDIDATE.value,
            reason=f"Trained in {round_key} on {len(lessons) - old} labelled posts and {old} rehearsed ones.",
            created_at=datetime.now(UTC),
        )

    def answers(self, model: ModelVersion, labels: Sequence[LabelledPost]) -> list[Answer]:
        """What a model finds in posts that no model has learnt from."""
        posts = self._held_out(labels)
        return answers(posts, self._found(model, posts))

    def _held_out(self, labels: Sequence[LabelledPost]) -> list[GoldPost]:
        sides = self.divided(labels)
        return [x.post for x in labels if sides[x.item_id] is Split.TEST]

    def _found(self, model: ModelVersion, posts: Sequence[GoldPost]) -> dict[str, list[Span]]:
        spans = self._spans(model, [post.text for post in posts])
        return {post.post_id: found for post, found in zip(posts, spans, strict=True)}

    def _spans(self, model: ModelVersion, texts: Sequence[str]) -> list[list[Span]]:
        found = self.entities.find(self._bytes(model), self.line.language, texts)
        return [[one.span for one in of] for of in found]

    def _bytes(self, model: ModelVersion) -> bytes | None:
        """What a model is loaded from; none for the base model, which has to be the one that is installed."""
        if model.artefact_key:
            return self.registry.artefact(model)
        if (installed := self.entities.base_version(self.line.language)) != model.model_id:
            raise Permanent(f"{model.model_id} is not installed, {installed} is; install it, or put another model in place")
        return None

    def _base(self, installed: str, before: ModelVersion | None) -> ModelVersion:
        """Register the base model, and put it in place; somebody else may do the same at this moment."""
        now, line = datetime.now(UTC), self.line
        gone = f"{before.model_id} is not installed any more." if before else ""
        first = ModelVersion(
            model_id=installed,
            parent_id=None,
            task_kind=line.task_kind,
            language=line.language,
            artefact_key="",
            round="",
            data_hash="",
            code_version=RULES,
            parameters="{}",
            seed=policies.SEED,
            threshold=None,
            stage=Stage.CANDIDATE.value,
            reason="A base model, as it is installed.",
            created_at=now,
        )
        self.registry.register(first)
        self.registry.decide(
            appointment(
                Outcome.PROMOTED,
                task_kind=line.task_kind,
                language=line.language,
                champion_id=before.model_id if before else None,
                model_id=installed,
                decided_by=RULE,
                why=gone or "The first model, as it is installed: there is no other.",
                decided_at=now,
            )
        )
        return self.registry.model(installed)


def _measured(model: ModelVersion, round_key: str, label: str, match: Match) -> Measured:
    return Measured(
        round=round_key,
        model_version=model.model_id,
        task_kind=model.task_kind,
        split=Split.TEST,
        label=str(label),
        match=match.value,
        threshold=None,
        basis=RANDOM,  # all posts are asked about, in an order that is chance
        seed=policies.SEED,
    )


def _gate(worst: Worst, scores: Sequence[Score]) -> Score | None:
    """The row of the worst label; never found although it is there, its F1 is 0 and not undefined."""
    rows = (s for s in scores if (s.label, s.slice, s.match) == (worst.label, ALL, Match.EXACT))
    found = next(rows, None)
    return replace(found, f1=worst.value) if found else None
