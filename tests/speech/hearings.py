"""Hearings made by hand."""

from climate_assets.speech.records import Heard, Segment, Word


def segment(text: str, start: float = 0.0, end: float | None = None, **figures: float | str) -> Segment:
    """Words spread evenly over a stretch; three a second if no end is given."""
    texts = text.split()
    end = start + max(1, len(texts)) / 3 if end is None else end
    step = (end - start) / max(1, len(texts))
    probability = float(figures.pop("probability", 0.9))
    words = tuple(Word(start + n * step, start + (n + 1) * step, word, probability) for n, word in enumerate(texts))
    usual: dict[str, float | str] = {
        "avg_logprob": -0.2,
        "no_speech_prob": 0.05,
        "compression_ratio": 1.4,
        "temperature": 0.0,
        "language": "fr",
    }
    return Segment(start=start, end=end, text=text, words=words, **{**usual, **figures})  # type: ignore[arg-type]


def heard(*segments: Segment, speech: tuple[tuple[float, float], ...] | None = None) -> Heard:
    """A hearing with voice activity everywhere, if not said otherwise."""
    seconds = max((s.end for s in segments), default=10.0)
    speech = ((0.0, seconds),) if speech is None else speech
    return Heard(segments, "fr", seconds, sum(end - start for start, end in speech), speech)
