"""Keyword detection against one regular expression a keyword, and against the bare scan of the matching library.

Synthetic: 2,000 French-looking keywords over the eleven themes, chunks of about 360 words and 2.2 kB with one to three
planted hits, all from one seed. Each ratio is the median of rounds in which both sides run one after the other.
"""

import random
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from climate_assets.broadcast.dictionaries import Dictionary, Entry, dictionary_of
from climate_assets.broadcast.folding import borders_as_spaces, folded
from climate_assets.broadcast.keywords import Matcher
from climate_assets.broadcast.records import CHUNK_SECONDS, WINDOW_SECONDS, Chunk, Theme

SEED = 20261121
KEYWORDS = 2_000
WORDS = 360
START = datetime(2026, 11, 20, 5, tzinfo=UTC)
# Frequent short words make up half of speech; they carry the apostrophes and accents of French.
FREQUENT_WORDS = "de la le les et à l' d' des en un une du est que qu' il pas pour dans on c' ce qui ne a sur au plus se être"
SYLLABLES_OF_WORDS = (
    "ba be bi bo bu ca cé ci co da de di do fa fe la lé li lo ma mé mi mo na né ni no pa pe po ra re ri ro sa se si so ta te "
    "ti to va ve vi vo bon cha cou dre gen gne lan men ment pla pré que rai sion tion tra tre ver voi eau ère aire eur ique"
)
FREQUENT, SYLLABLES = FREQUENT_WORDS.split(), SYLLABLES_OF_WORDS.split()


def measure() -> list[dict[str, Any]]:
    """The three lines of this benchmark; a ratio is speed of detection over speed of its baseline.

    Detection is `Matcher.hits_of` on chunks, from their raw text to finished hits. The raw scan is handed text that is folded
    already and makes nothing of the matches' indexes. Times are processor time, so that a busy machine does not blur them.
    """
    matcher, chunks = _world()
    patterns = [(e.keyword, _pattern(e)) for e in matcher.dictionary.entries]
    few = chunks[:4]
    against_regex, chunks_per_second, against_scan = [], [], []
    for _ in range(5):
        ours, theirs = (
            _seconds(lambda: matcher.hits_of(chunks)) / len(chunks),
            _seconds(lambda: _by_regex(patterns, few)) / len(few),
        )
        against_regex.append(theirs / ours)
    texts = [borders_as_spaces(folded(chunk.text)) for chunk in chunks]
    for _ in range(15):
        ours, theirs = _seconds(lambda: matcher.hits_of(chunks)), _seconds(lambda: _scan_only(matcher, texts))
        against_scan.append(theirs / ours)
        chunks_per_second.append(len(chunks) / ours)
    return [
        _line("keywords_vs_regex", median(against_regex), "x", f"one compiled regex a keyword, {KEYWORDS} keywords", 500.0),
        _line("keywords_vs_raw_scan", median(against_scan), "x", "the same automaton on the same text, already folded", 0.4),
        _line("keywords_chunks_per_s", median(chunks_per_second), "chunks/s", "one core", 10_000.0),
    ]


def _line(name: str, value: float, unit: str, baseline: str, target: float) -> dict[str, Any]:
    return {
        "name": f"broadcast.{name}",
        "value": round(value, 3),
        "unit": unit,
        "baseline": baseline,
        "target": target,
        "ok": value >= target,
    }


def _world() -> tuple[Matcher, list[Chunk]]:
    chance = random.Random(SEED)
    vocabulary = sorted({"".join(chance.choices(SYLLABLES, k=chance.choice((2, 2, 3, 3, 3, 4, 4)))) for _ in range(12_000)})
    chance.shuffle(vocabulary)
    # Keywords take the tail of the vocabulary, as real ones do: they are rare in speech.
    spoken, technical = vocabulary[:6_000], vocabulary[6_000:]
    dictionary = _dictionary(chance, technical)
    return Matcher(dictionary), list(_chunks(chance, spoken, technical, dictionary))


def _dictionary(chance: random.Random, technical: list[str]) -> Dictionary:
    keywords: set[str] = set()
    while len(keywords) < KEYWORDS:
        words = chance.choices(technical, k=chance.choice((1, 1, 2, 2, 2, 3, 4)))
        keywords.add(chance.choice((" ", " ", " ", " de ", " de l'", "-")).join(words))
    themes = list(Theme)
    return dictionary_of("french", (Entry(k, chance.choice(themes), hrfp=chance.random() < 0.2) for k in sorted(keywords)))


def _chunks(chance: random.Random, spoken: list[str], technical: list[str], dictionary: Dictionary) -> Iterator[Chunk]:
    weights = [1 / (rank + 20) for rank in range(len(spoken))]
    for number in range(300):
        words = chance.choices(FREQUENT, k=WORDS // 2) + chance.choices(spoken, weights, k=WORDS // 2)
        words[:2] = chance.choices(technical, k=2)
        chance.shuffle(words)
        for _ in range(chance.choice((1, 1, 2, 2, 3))):
            place = chance.randrange(len(words))
            words[place : place + 1] = chance.choice(dictionary.entries).keyword.replace("'", "' ").split(" ")
        start = START + timedelta(seconds=CHUNK_SECONDS * number)
        times = [index * 100 * CHUNK_SECONDS // len(words) for index in range(len(words))]
        yield Chunk(
            f"france/canal-un/{start:%Y-%m-%dT%H:%M:%SZ}",
            "france",
            start.date(),
            "canal-un",
            start,
            " ".join(words),
            times,
            "asr",
            0.0,
            float(CHUNK_SECONDS),
            "v1",
        )


def _pattern(entry: Entry) -> re.Pattern[str]:
    loosened = re.sub(r"(\w+)", r"\1s?", re.escape(_text(entry.keyword)).replace("'", "' ?").replace(r"\ ", " "))
    return re.compile(rf"\b{loosened}(?![\w-])")


def _text(text: str) -> str:
    return folded(text).decode().strip()


def _by_regex(patterns: list[tuple[str, re.Pattern[str]]], chunks: list[Chunk]) -> list[tuple[str, int, int]]:
    """Keyword, word and window of each match, the way of one expression a keyword."""
    found = []
    for chunk in chunks:
        text = _text(chunk.text)
        for keyword, pattern in patterns:
            for match in pattern.finditer(text):
                word = text.count(" ", 0, match.start())
                found.append((keyword, word, chunk.word_times[word] // (100 * WINDOW_SECONDS)))
    return found


def _scan_only(matcher: Matcher, texts: list[bytes]) -> None:
    scan = matcher.scan
    for text in texts:
        scan(text, True)


def _seconds(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before
