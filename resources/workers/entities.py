"""The process in which spaCy runs: finds entities in texts, and trains its recogniser of them further.

Belongs here: the pipeline, built from an installed base model, into which weights are laid; finding; training. Does not
belong here: what bytes are a model (`learning/entity_weights.py`), which examples there are, when training is worth it.
"""

import random
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from climate_assets.learning.entity_examples import Parameters
from climate_assets.learning.entity_weights import EntityModel, from_bytes, to_bytes
from climate_assets.posts.spans import spans_of_doc
from climate_assets.posts.vocabulary import label_of, vocabulary_of
from resources.workers.loop import serve

RECOGNISER: Final = "ner"
# What the recogniser of a small base model does not listen to.
_WITHOUT: Final = ("tok2vec", "tagger", "morphologizer", "parser", "senter", "attribute_ruler", "lemmatizer")
_BEAM_WIDTH: Final = 8
_BEAM_DENSITY: Final = 1e-4


class Recogniser:
    """A base model with a recogniser of entities, and the weights of a trained one in it if there is one."""

    def __init__(self, settings: dict[str, Any]) -> None:
        """`settings`: language, its code, base (name and version), folder of the base, model (a file, or empty)."""
        import spacy

        self._language, self._base = settings["language"], settings["base"]
        self._vocabulary = vocabulary_of(settings["code"])
        self._pipeline = spacy.load(settings["folder"], exclude=list(_WITHOUT))
        self._recogniser: Any = self._pipeline.get_pipe(RECOGNISER)
        self._labels: tuple[str, ...] = ()
        if settings["model"]:
            self._lay(from_bytes(Path(settings["model"]).read_bytes()))

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Spans of `texts`, or the training of `examples` with its model in the file `into`."""
        if "texts" in question:
            return {"spans": self.found(question["texts"])}
        return self.trained(question)

    def found(self, texts: Sequence[str]) -> list[list[tuple[int, int, str, float]]]:
        """(start, end, our label, confidence) of each text's entities, in order.

        Confidence is the share that readings with this very entity have of the eight best readings of a beam search.
        """
        docs = list(self._pipeline.pipe(texts))
        beams = self._recogniser.beam_parse(
            [self._pipeline.make_doc(text) for text in texts], drop=0.0, beam_width=_BEAM_WIDTH, beam_density=_BEAM_DENSITY
        )
        found = []
        for text, doc, scores in zip(texts, docs, self._recogniser.scored_ents(beams), strict=True):
            confidence: dict[tuple[int, int, str | None], float] = {}
            for (first, last, name), score in scores.items():
                stretch = doc[first:last]
                confidence[stretch.start_char, stretch.end_char, label_of(name, self._vocabulary)] = float(score)
            found.append(
                [
                    (span.start, span.end, span.label.value, min(1.0, confidence.get((span.start, span.end, span.label), 0.0)))
                    for span in spans_of_doc(text, doc, self._vocabulary)
                ]
            )
        return found

    def trained(self, question: dict[str, Any]) -> dict[str, Any]:
        """Trains on all `examples` and writes the model; the same model, examples, seed and parameters give the same bytes."""
        from spacy.training import Example
        from spacy.util import compounding, minibatch
        from thinc.api import Adam, fix_random_seed

        parameters, seed = Parameters(**question["parameters"]), int(question["seed"])
        fix_random_seed(seed)
        chance = random.Random(seed)
        names = sorted({name for _, entities in question["examples"] for *_, name in entities})
        for name in names:
            label_of(name, self._vocabulary)
            if self._recogniser.add_label(name):
                self._labels += (name,)
        examples = [
            Example.from_dict(self._pipeline.make_doc(text), {"entities": [tuple(entity) for entity in entities]})
            for text, entities in question["examples"]
        ]
        # Where a span does not begin and end with a token, spaCy learns nothing of that place, rather than "no entity".
        cut = sum(tag is None for example in examples for tag in example.get_aligned_ner())
        optimizer = Adam(
            learn_rate=parameters.learn_rate, L2=parameters.l2, grad_clip=1.0, use_averages=True, L2_is_weight_decay=True
        )
        for _ in range(parameters.epochs):
            chance.shuffle(examples)
            sizes = compounding(parameters.first_batch, parameters.last_batch, parameters.compound)
            for batch in minibatch(examples, size=sizes):
                self._pipeline.update(batch, drop=parameters.dropout, sgd=optimizer)
        # Means of the weights over all steps: steadier than the last step's, on few examples most of all.
        for (number, name), mean in optimizer.averages.items():
            node = next(node for node in self._recogniser.model.walk() if node.id == number)
            node.set_param(name, mean)
        Path(question["into"]).write_bytes(to_bytes(self._model(cut)))
        return {"examples": len(examples)}

    def _model(self, cut: int) -> EntityModel:
        return EntityModel(
            language=self._language,
            base=self._base,
            labels=self._labels,
            actions=self._actions(),
            unseen=tuple(sorted(int(n) for n in self._recogniser.model.attrs["unseen_classes"])),
            cut=cut,
            weights={name: np.asarray(node.get_param(key), np.float32) for name, node, key in self._places()},
        )

    def _lay(self, model: EntityModel) -> None:
        """Puts a model's weights into the pipeline; raises `ValueError` if they do not fit it to the last number."""
        for label in model.labels:
            label_of(label, self._vocabulary)
            self._recogniser.add_label(label)
        self._labels = model.labels
        if self._actions() != model.actions:
            raise ValueError("the model decides between other things than its labels and base model allow")
        places = {name: (node, key) for name, node, key in self._places()}
        if places.keys() != model.weights.keys():
            raise ValueError("the model has other layers than its base model")
        for name, array in model.weights.items():
            node, key = places[name]
            if node.get_param(key).shape != array.shape:
                raise ValueError(f"layer {name} is of shape {array.shape}, not {node.get_param(key).shape}")
            node.set_param(key, np.array(array, np.float32))
        if not all(0 <= n < len(model.actions) for n in model.unseen):
            raise ValueError("the model names decisions that it does not have")
        self._recogniser.model.attrs["unseen_classes"] = set(model.unseen)

    def _actions(self) -> tuple[str, ...]:
        moves = self._recogniser.moves
        return tuple(moves.get_class_name(n) for n in range(moves.n_moves))

    def _places(self) -> list[tuple[str, Any, str]]:
        """Name, layer and key of every array of the recogniser, in the order of its layers."""
        layers = enumerate(self._recogniser.model.walk())
        return [
            (f"{n:03d}.{layer.name}.{key}", layer, key)
            for n, layer in layers
            for key in layer.param_names
            if layer.has_param(key)
        ]


def _start(settings: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    # spaCy imports torch where it finds it and needs none of it here: 13 s and 580 MB instead of 3 s and 90 MB.
    sys.modules["torch"] = None  # type: ignore[assignment]
    warnings.filterwarnings("ignore", module="spacy")
    recogniser = Recogniser(settings)
    return {"model": settings["base"]}, recogniser.answer


if __name__ == "__main__":
    serve(_start)
