"""Sound that is none, or never ends: each hostile answer of the archive becomes a state with its reason, and no clip."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from climate_assets.claims.records import Verdict
from climate_assets.speech.records import Clip
from climate_assets.states import StageState, State
from demo.faults import SOUND
from demo.fixed_items import FixedItems
from demo.sound.archive import Archive
from resources.media import AudioExport
from resources.postgres import Barometre
from resources.s3 import Lake
from tests.line import Line, line
from tests.speech.hostile_audio import FILES, sound

DAY = date(2026, 11, 16)
FIRST = datetime(2026, 11, 16, 5, 0, tzinfo=UTC)
CHANNELS = ("canal-un", "radio-littoral")
SAID = "mon invité dit que le réchauffement climatique est un canular et que le dioxyde de carbone ne fait rien au climat"


class Poisoned(Archive):
    """An archive that has something of every minute: the same bytes for any stretch that starts near a chunk's start."""

    def __init__(self, contents: dict[tuple[str, datetime], bytes]) -> None:
        self._contents = contents

    def has(self, channel: str, start: float, end: float) -> bool:
        return True

    def audio(self, channel: str, start: float, end: float, kind: str) -> bytes:
        near = [(abs(at.timestamp() - start), content) for (name, at), content in self._contents.items() if name == channel]
        return min(near, key=lambda found: found[0])[1]


@contextmanager
def judged(
    contents: dict[tuple[str, datetime], bytes], barometre: Barometre, lake: Lake, folder: Path, code: str
) -> Iterator[Line]:
    """A line whose chunks all have a verdict and are all to be heard."""
    rows = [{"channel_name": channel, "start": at.isoformat(), "plaintext": SAID} for channel, at in contents]
    with line(
        FixedItems(rows), barometre, lake, folder, bucket=code, code=code, speech={"archive": Poisoned(contents)}
    ) as ready:
        yaml = folder / "countries.yaml"
        yaml.write_text(yaml.read_text().replace("audit_share: 0.2", "audit_share: 1.0"))
        # What is said again and again is an advert; here it is not looked for.
        ready.make(DAY, ["mediatree_dumps", "keyword_chunks", "clean_chunks", "classified_chunks"])
        assert len(barometre.read(Verdict)) == len(contents)
        yield ready


@pytest.fixture
def code(request: pytest.FixtureRequest) -> str:
    return "hostile-" + hashlib.sha256(request.node.name.encode()).hexdigest()[:10]


def test_every_hostile_file_is_a_state_with_its_reason(barometre: Barometre, lake: Lake, tmp_path: Path, code: str) -> None:
    places = [(channel, FIRST + timedelta(minutes=2 * n)) for n in range(30) for channel in CHANNELS]
    named = dict(zip(FILES, places, strict=False))
    assert len(named) == len(FILES) >= 30
    contents = {place: FILES[name].write(tmp_path / "hostile").read_bytes() for name, place in named.items()}
    with judged(contents, barometre, lake, tmp_path, code) as ready:
        ready.make(DAY, ["audio_clips"])
        states = {s.item_id: s for s in barometre.read(StageState, stage="audio_clips")}
    assert barometre.read(Clip) == []
    for name, (channel, at) in named.items():
        state = states[f"{code}/{channel}/{at:%Y-%m-%dT%H:%M:%SZ}"]
        assert state.state in (State.FAILED, State.DEAD), name
        assert re.search(FILES[name].reason, state.reason), name
        print(f"{name}: {state.state}, {state.reason}")


def test_every_fault_of_the_archive_is_a_state_and_passes_with_it(
    barometre: Barometre, lake: Lake, tmp_path: Path, code: str
) -> None:
    whole = sound("mp3", "libmp3lame", 130.0)
    with judged({("canal-un", FIRST): whole}, barometre, lake, tmp_path, code) as ready:
        known: AudioExport = ready.resources["audio"]
        limits = {"silence_seconds": 1.0, "whole_seconds": 4.0, "max_attempts": 2, "max_bytes": 2 * len(whole)}
        ready.resources["audio"] = AudioExport(mediatree=known.mediatree, **limits)
        for fault in SOUND:
            ready.broadcaster.faults.dial({fault: 1.0}, 1, retry_after=0, slow_seconds=60)
            ready.make(DAY, ["audio_clips"])
            [state] = barometre.read(StageState, stage="audio_clips")
            print(f"{fault}: {state.state}, {state.reason}")
            assert state.state in (State.FAILED, State.DEAD), fault
            assert state.reason, fault
            assert barometre.read(Clip) == []
            barometre.execute("DELETE FROM stage_states WHERE stage = 'audio_clips'")
        ready.broadcaster.faults.dial({}, 1)
        ready.make(DAY, ["audio_clips"])
        [state] = barometre.read(StageState, stage="audio_clips")
        assert state.state == State.OK
        assert len(barometre.read(Clip)) == 1
