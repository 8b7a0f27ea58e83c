"""The loop of entities on written posts, with a real model: gold comes in portions, and it stops because the gate is met.

What is held out never changes and never trains: whole groups of near duplicates, by their hash. The fixture says names again
and again, as a small news cycle does, so a figure here says that the loop works, not how well a model does on other names.
"""

from dataclasses import dataclass
from typing import Final

from climate_assets.learning.comparison import Policy, compared
from climate_assets.learning.entity_examples import training_examples
from climate_assets.learning.iterations import Gate, Iteration, LoopPolicy, Move, Step, next_step
from climate_assets.learning.leakage import leaks
from climate_assets.learning.records import Score, Split
from climate_assets.learning.scores import ALL, Measured, scores_of
from climate_assets.learning.span_scores import Found, Match, Worst, answers, held_out, worst_label
from climate_assets.learning.splits import SALT, Item, sound_splits
from climate_assets.posts.records import GoldPost
from climate_assets.posts.repeats import groups_of
from climate_assets.posts.vocabulary import FRENCH, Label, unknown_to
from demo.posts.written import APART, FIRST, gold_posts, written_posts
from resources.entities import Entities

PORTION: Final = 50
TARGET: Final = 0.8
POLICY: Final = LoopPolicy(least_new_gold=PORTION)


@dataclass(frozen=True)
class Round:
    """One model and what it is worth on the posts held out."""

    scores: dict[str, Score]
    worst: Worst
    found: Found
    step: Step


def divided(salt: str) -> tuple[list[GoldPost], list[GoldPost]]:
    """French posts to learn from, in the order in which they were published, and posts held out."""
    written = written_posts()
    days = {post.post_id: (FIRST + place * APART).date() for place, post in enumerate(written)}
    groups = groups_of([(post.post_id, post.text) for post in written])
    gold = gold_posts([post for post in written if post.lang == "fr"], groups)
    texts = {post.post_id: post.text for post in gold}
    items = [Item(post.post_id, days[post.post_id], post.group_id) for post in gold]
    sides, _ = sound_splits(items, texts, dev=0.0, test=0.3, salt=salt)
    assert not leaks(texts, sides, {post.post_id: post.group_id for post in gold})
    return [p for p in gold if sides[p.post_id] is Split.TRAIN], [p for p in gold if sides[p.post_id] is Split.TEST]


def the_loop(salt: str, entities: Entities) -> list[Round]:
    """Rounds until it stops; a model continues from the one before and learns from all gold that is there."""
    coming, kept = divided(salt)
    model: bytes | None = None
    history: list[Iteration] = []
    rounds: list[Round] = []
    while True:
        spans = entities.find(model, "french", [post.text for post in kept])
        found = {post.post_id: [one.span for one in of] for post, of in zip(kept, spans, strict=True)}
        rows = {
            label: next(s for s in scores_of(items, measured(label, len(history))) if s.slice == ALL)
            for label, items in held_out(kept, found).items()
        }
        worst = worst_label(rows.values())
        history.append(Iteration(len(history), PORTION, PORTION, True, worst.value))
        had, have = PORTION * (len(history) - 1), PORTION * len(history)
        step = next_step(history, len(coming[had:have]), Gate("F1 of the worst label", TARGET, worst.reason), POLICY)
        rounds.append(Round(rows, worst, found, step))
        figures = " ".join(f"{label}={row.f1:.3f}" for label, row in rows.items() if row.f1 is not None)
        print(f"{salt} iteration {len(history) - 1}: worst {worst.label} of {worst.support}; {figures}; {step.move}")
        if step.move is not Move.RETRAIN:
            return rounds
        model = entities.train("french", training_examples(coming[:have], FRENCH), model, seed=1)


def measured(label: str, iteration: int) -> Measured:
    return Measured(
        round=f"ner-french-{iteration:03d}",
        model_version=f"entities-{iteration}",
        task_kind="ner",
        split=Split.TEST,
        label=label,
        match=Match.EXACT,
        threshold=None,
        basis="random",
        seed=1,
        rounds=200,
    )


def test_a_label_unknown_to_the_base_model_is_learnt_and_the_loop_stops_because_its_gate_is_met() -> None:
    rounds = the_loop(SALT, Entities())
    law = [one.scores[Label.LAW] for one in rounds]
    assert Label.LAW in unknown_to(FRENCH)
    assert (law[0].f1, law[0].tp) == (0.0, 0)
    assert law[0].support >= 20
    assert law[-1].f1 is not None
    assert law[-1].f1 >= TARGET
    assert len(rounds) - 1 <= POLICY.most_iterations
    assert [one.step.move for one in rounds] == [Move.RETRAIN] * (len(rounds) - 1) + [Move.STOP_MET]
    # The gate reads the worst label with enough gold, not the one that went best.
    assert all((one.worst.value or 0.0) < TARGET for one in rounds[:-1])
    assert rounds[-1].worst.value == min(s.f1 or 0.0 for n, s in rounds[-1].scores.items() if s.support >= 20 and n != ALL)
    # What the base model knew is not lost on the way.
    for label in (Label.PERSON, Label.ORGANISATION, Label.PLACE):
        assert (rounds[-1].scores[label].f1 or 0.0) >= (rounds[0].scores[label].f1 or 0.0) - 0.05
    _, kept = divided(SALT)
    found = compared(answers(kept, rounds[0].found), answers(kept, rounds[-1].found), Policy(rounds=200))
    assert found.difference.low is not None
    assert found.difference.low > 0
