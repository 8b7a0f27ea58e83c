"""The student: judges a chunk with trained weights alone, no key and no network, and says how sure it is.

Belongs here: what a finding of `student_heads.py` means as probability, score and judgement, and the student's bytes.
Does not belong here: how it is trained (`student_training.py`).
"""

import io
import json
import math
import re
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from climate_assets.claims.records import Category, Judgement
from climate_assets.claims.student_heads import CATEGORIES, Finding, Heads
from climate_assets.claims.student_sums import Floats
from climate_assets.claims.verdicts import HIGHEST_WITHOUT_CLAIM
from climate_assets.failures import Permanent

FORMAT: Final = 1
_CUES: Final = 3
_SHOWN_CUE: Final = re.compile(r"[\w-]{3,30}")
_MEANINGS: Final = {
    Category.NONE: "nothing false about climate",
    Category.NOT_HAPPENING: "a claim that the climate is not warming",
    Category.NOT_US: "a claim that humans are not the cause",
    Category.NOT_BAD: "a claim that the impacts are not bad",
    Category.SOLUTIONS_FAIL: "a claim that climate solutions fail or harm",
    Category.SCIENCE_UNCERTAIN: "a claim that the science cannot be relied on",
    Category.ADVOCATES_BIASED: "a claim that scientists or advocates are corrupt or lying",
    Category.FOSSIL_NEEDED: "a claim that fossil fuels are harmless or cannot be replaced",
    Category.OTHER: "another false claim about climate",
}


@dataclass(frozen=True, slots=True)
class Calibration:
    """Two logistic curves from log-odds of a finding to probabilities: intercept first, then one slope a measure."""

    claim: tuple[float, float, float, float]
    challenge: tuple[float, float, float]

    def probabilities(self, finding: Finding | None) -> tuple[float, float]:
        """Probability that something is claimed, and that the claim is contradicted if there is one."""
        if finding is None:
            return 0.0, 0.0
        return _logistic(self.claim, finding.claim), _logistic(self.challenge, finding.challenge)


def _logistic(curve: tuple[float, ...], measures: tuple[float, ...]) -> float:
    odds = curve[0] + sum(slope * measure for slope, measure in zip(curve[1:], measures, strict=True))
    return 1 / (1 + math.exp(-max(-500.0, min(500.0, odds))))


@dataclass(frozen=True, eq=False)
class Student:
    """A trained judge of the languages it names. `positives` and `negatives` are probabilities it gave, in
    cross-validation, to rehearsal chunks it had not learnt from, sorted: what `threshold` is chosen from."""

    version: str
    trained_on: str
    languages: tuple[str, ...]
    heads: Heads
    calibration: Calibration
    positives: Floats
    negatives: Floats

    @property
    def model(self) -> str:
        """Name of this model in a verdict."""
        return f"student-{self.version}"

    def probability(self, text: str) -> float:
        """Probability, 0..1, that the chunk holds misinformation that stands, at the prior of `student_training.PRIOR`."""
        claimed, contradicted = self.calibration.probabilities(self.heads.find(text))
        return claimed * (1 - contradicted)

    def judge(self, text: str) -> Judgement:
        """What the student says of a whole chunk.

        The score is ten times `probability`, rounded; at most `HIGHEST_WITHOUT_CLAIM` where a claim is less likely
        than not (category none, no quote), at least 1 where it is. The quote is the run of words that speaks most for
        the category; it never crosses a barrier. Challenged: a contradiction near the quote is more likely than not.
        """
        return self._judgement(text, self.heads.find(text))

    def judge_all(self, texts: Iterable[str]) -> list[Judgement]:
        """The same of each text, several times as quick as one by one."""
        known = list(texts)
        return [self._judgement(*one) for one in zip(known, self.heads.find_all(known), strict=True)]

    def probabilities(self, texts: Iterable[str]) -> list[float]:
        """`probability` of each text, several times as quick as one by one."""
        found = map(self.calibration.probabilities, self.heads.find_all(list(texts)))
        return [claimed * (1 - contradicted) for claimed, contradicted in found]

    def _judgement(self, text: str, finding: Finding | None) -> Judgement:
        claimed, contradicted = self.calibration.probabilities(finding)
        score = round(10 * claimed * (1 - contradicted))
        if finding is None or claimed < 0.5:
            rationale = f"Most likely {_MEANINGS[Category.NONE]}: a claim has probability {claimed:.2f}."
            return Judgement(min(score, HIGHEST_WITHOUT_CLAIM), Category.NONE, "", False, rationale)
        # The words up to the quote's end are all that is shown, cues among them.
        words = text.split(None, finding.quote[1])
        cues = [cue for place in finding.cues if (cue := words[place].strip("'’-")) and _SHOWN_CUE.fullmatch(cue)]
        return Judgement(
            score=max(1, score),
            category=finding.category,
            quote=" ".join(words[slice(*finding.quote)]),
            challenged=contradicted >= 0.5,
            rationale=_rationale(finding.category, claimed, contradicted, list(dict.fromkeys(cues))[:_CUES]),
        )

    def passage(self, text: str) -> str:
        """The words in which most is claimed, whatever that is: what a label of the whole text hangs on; empty for silence."""
        finding = self.heads.find(text)
        return " ".join(text.split()[slice(*finding.window)]) if finding else ""

    def threshold(self, recall: float) -> float:
        """Highest probability at or above which lay at least `recall` of the cross-validated positives.

        Raises `ValueError` outside 0 < recall <= 1. The positives are rehearsed chunks, not field data: measure the
        recall again on the audit slice.
        """
        if not 0 < recall <= 1:
            raise ValueError(f"recall {recall} is not within 0..1; give the share of positives to keep, such as 0.99")
        missed = math.floor((1 - recall) * len(self.positives) + 1e-9)
        return float(self.positives[missed])

    def passing(self, recall: float) -> float:
        """Share of the cross-validated negatives that `threshold(recall)` still sends on."""
        return float(np.mean(self.negatives >= self.threshold(recall)))

    def to_bytes(self) -> bytes:
        """The student as an npz archive of plain arrays and JSON; the same student gives the same bytes."""
        header = {
            "format": FORMAT,
            "version": self.version,
            "trained_on": self.trained_on,
            "languages": self.languages,
            "calibration": asdict(self.calibration),
        }
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            header=_array_of(json.dumps(header, sort_keys=True)),
            vocabulary=_array_of("\n".join(self.heads.vocabulary)),
            weights=self.heads.weights,
            bias=self.heads.bias,
            positives=self.positives,
            negatives=self.negatives,
        )
        return buffer.getvalue()


def student_from_bytes(content: bytes) -> Student:
    """The student of `Student.to_bytes`; nothing in it is executed. Raises `Permanent` for bytes that are no student."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(_text_of(arrays["header"]))
        if header["format"] != FORMAT:
            raise ValueError(f"format {header['format']!r} is not {FORMAT}")
        student = Student(
            version=str(header["version"]),
            trained_on=str(header["trained_on"]),
            languages=tuple(header["languages"]),
            heads=Heads(tuple(_text_of(arrays["vocabulary"]).split("\n")), arrays["weights"], arrays["bias"]),
            calibration=Calibration(**{name: tuple(curve) for name, curve in header["calibration"].items()}),
            positives=arrays["positives"],
            negatives=arrays["negatives"],
        )
        _check(student)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        OSError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise Permanent(
            f"{len(content)} bytes are no student ({error}); delete the file and train the student again"
        ) from error
    return student


def _check(student: Student) -> None:
    heads, columns = student.heads, len(CATEGORIES) + 1
    if heads.weights.shape != (len(heads.vocabulary), columns) or heads.bias.shape != (columns,):
        raise ValueError(f"weights of {heads.weights.shape} do not fit {len(heads.vocabulary)} features and {columns} columns")
    if len(student.calibration.claim) != 4 or len(student.calibration.challenge) != 3:
        raise ValueError("the calibration curves have a wrong number of slopes")
    for values in (student.positives, student.negatives):
        if values.ndim != 1 or not len(values) or np.any(np.diff(values) < 0):
            raise ValueError("the cross-validated probabilities are not a sorted list")
    for name, array in (("weights", heads.weights), ("bias", heads.bias), ("curves", np.array(student.calibration.claim))):
        if not np.isfinite(array).all():
            raise ValueError(f"{name} hold a number that is not finite")


def _array_of(text: str) -> Any:
    return np.frombuffer(text.encode(), np.uint8)


def _text_of(array: Any) -> str:
    return bytes(array.astype(np.uint8)).decode()


def _rationale(category: Category, claimed: float, contradicted: float, cues: list[str]) -> str:
    said = f", by words like {', '.join(cues)}" if cues else ""
    sounds = f"Sounds like {_MEANINGS[category]} (probability {claimed:.2f}{said})"
    return f"{sounds}; contradicted with probability {contradicted:.2f}."
