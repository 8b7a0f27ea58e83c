"""Names that a recogniser is told to expect: how people and bodies of climate and energy are spelt, language by language.

Belongs here: the shape of such a list, what of it fits a recogniser's prompt, its version. Does not: the lists
(`reference/glossaries/<language>.txt`: one name a line, the most important first, `#` starts a remark).
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from climate_assets.failures import Permanent

BUDGET: Final = 420
"""Bytes of hotwords. Whisper decodes at most 448 tokens, prompt included, and reserves half of them for a prompt; 30 s of
fast speech take 200. Names cost a token for 2 to 3 bytes, so this many leave room for what is said."""

NAME: Final = 60
"""Characters of a name at most: what is longer is a sentence, and a recogniser would repeat it."""


@dataclass(frozen=True, slots=True)
class Glossary:
    """Names in order of importance."""

    names: tuple[str, ...]

    @property
    def hotwords(self) -> str:
        """The names that fit the prompt, the most important first; a name is taken whole or not at all."""
        taken = ""
        for name in self.names:
            longer = f"{taken}, {name}" if taken else name
            if len(longer.encode()) > BUDGET:
                break
            taken = longer
        return taken


def glossary_from_text(text: str, source: str) -> Glossary:
    """The names of a file; raises `Permanent` for a line that is no name."""
    names: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name = " ".join(line.partition("#")[0].split())
        if len(name) > NAME or not name.isprintable() or "," in name or "<" in name:
            raise Permanent(f"{source}:{number}: {name!r:.80} is no name; write one name a line, {NAME} characters at most")
        if name:
            names[name] = None
    return Glossary(tuple(names))


def version(hotwords: str) -> str:
    """Version of the names told to a recogniser; part of what its text hangs on."""
    return f"names-{sha256(hotwords.encode()).hexdigest()[:8]}" if hotwords else "names-none"
