"""Thresholds by which a repeated passage is found and told apart, each with its reason, and the version they make.

Belongs here: numbers and their reasons. Does not: how they are applied (`shingles.py` to `breaks.py`).
Where no source is named, a threshold comes from measuring on marked synthetic days (tests/broadcast/broadcast_days.py);
the general form follows facts on adverts: 10-60 s long, clustered in breaks, spread over hours, mixed neighbours.
"""

import hashlib
from dataclasses import asdict, dataclass, fields

from climate_assets.failures import Permanent

RULE_VERSION = 1
"""Rises with every change of the code that can change an interval."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How passages are found and classified; seconds and words as the names say."""

    shingle_words: int = 5
    """Words of a shingle. At 8 % word noise a shingle survives in 66 % of airings; with 4 words idioms flood the index."""
    sampling: int = 1
    """One shingle in so many is kept, by its hash, so that all airings keep the same ones. A power of two."""
    silence_seconds: float = 15.0
    """A pause between two words that no passage crosses: a missing chunk, or music."""
    agreement: float = 0.6
    """Share of a shingle's occurrences that another must accompany to belong to the same passage. Neighbours inside an
    advert accompany each other in >= 0.85 of its airings at 8 % noise; the first words of the next advert in few."""
    near_words: int = 16
    """Reach of the first search for company, in words: enough to step over one misheard word and its dead shingles."""
    reach_words: int = 40
    """Longest stretch without a common shingle inside one passage: at 8 % noise on both sides one gap in 1,000 is longer."""
    core_shingles: int = 3
    """A passage has at least so many sampled shingles: fewer are an idiom."""
    density: float = 0.3
    """Share of a passage's sampled shingles that must be common to its airings: a text said twice has >= 0.4 at 8 % noise;
    stock phrases in a different order have less."""
    always: float = 0.8
    """Passages that follow each other in so many of their airings are one passage."""
    follow_seconds: float = 6.0
    """Longest pause between passages that are one: a stock phrase in the middle, or a misheard stretch."""
    break_seconds: float = 8.0
    """Longest pause between neighbours in a break: a break's own silences are < 2 s, a legal notice takes up to 6 s."""
    edge_words: int = 10
    """How far an edge that was misheard may be moved to where the other airings have it."""
    shortest_seconds: float = 3.0
    """Shorter repeated stretches are turns of phrase."""
    advert_seconds: float = 7.5
    """Shortest advert that stands on its own; below it is a jingle or, wedged between adverts, a legal notice."""
    longest_advert_seconds: float = 75.0
    """Longest advert; longer repeated stretches are programmes, songs, bulletins."""
    airings: int = 3
    """Independent airings an advert has at least; a programme that is rerun carries its adverts along, which counts once."""
    days: int = 2
    """Days on which an advert is heard at least (news dies overnight), or else ..."""
    channels: int = 3
    """... channels on which it is heard at least."""
    lasting_hours: float = 18.0
    """Hours between first and last airing for `days` to mean anything: an evening item repeated after midnight is one day."""
    long_look_back_days: int = 6
    """From this look-back on, an advert of one channel must be heard on `days` + 1 days: a recorded report is repeated
    on its channel until the next noon, an advert stays for weeks."""
    company: float = 0.5
    """Share of airings that have another advert right before or after: adverts come in breaks."""
    mixed: float = 0.35
    """Share of airings with a neighbour that is not the usual one; verses of a song and items of a bulletin have fixed ones."""
    market: int = 5
    """Adverts that are neighbours of neighbours, at least: fewer may be the parts of one script that is quoted a few times."""
    wedged: float = 0.25
    """Share of airings between two adverts of a short or young passage that counts as advert by its place: a legal notice
    stands inside breaks, a break's opening and closing jingles and the news after it do not."""
    again_seconds: float = 180.0
    """An airing so soon after the last one on the same channel is none of its own: a chorus, or a break's two halves."""
    same_minute_seconds: float = 120.0
    """Airings of one channel within so many seconds of the same minute of the half hour (or of the day) are regular."""
    partial: float = 0.4
    """Smallest share of an advert's length that is cut: a slogan quoted in the news is no airing."""
    bridge_seconds: float = 2.5
    """A pause between two adverts that belongs to the break: no editorial sentence is that short."""
    rerun_gap_seconds: float = 120.0
    """How far from a rerun stretch a passage may lie to count as carried along by it."""

    def __post_init__(self) -> None:
        """Refuses values that cannot work."""
        if self.sampling < 1 or self.sampling & (self.sampling - 1):
            raise Permanent(f"advert settings: sampling is {self.sampling}; write a power of two (1, 2, 4, ...)")
        for name in (f.name for f in fields(self)):
            if getattr(self, name) <= 0:
                raise Permanent(f"advert settings: {name} is {getattr(self, name)}; write a number above 0")


def method_of(settings: Settings) -> str:
    """Version of the finding method: the rule's version and a hash of every setting."""
    text = ",".join(f"{name}={value!r}" for name, value in sorted(asdict(settings).items()))
    return f"text-repeat-{RULE_VERSION}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


METHOD = method_of(Settings())
"""Version of the method with the settings as they stand."""
