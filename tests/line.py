"""The whole line on real servers, for tests: resources bound to the suite's own database, buckets and broadcaster.

A day is made as Dagster makes it: assets and checks of the real definitions, materialised for a partition.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from climate_assets import schema
from climate_assets.broadcast import assets as broadcast
from climate_assets.claims import assets as claims
from climate_assets.labelling import assets as labelling
from climate_assets.partitions import key_of
from climate_assets.speech import assets as speech_assets
from demo.broadcaster import DEMO_PASSWORD, DEMO_USER, Broadcaster, Source
from demo.sound.archive import Archive
from resources.diarizer import Diarizer
from resources.doorbell import Doorbell
from resources.label_studio import LabelStudio
from resources.llm import Llm
from resources.media import AudioExport
from resources.mediatree import Mediatree
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.registry import ModelRegistry
from resources.s3 import DUMPS, LAKE, Lake
from resources.student import StudentShelf
from resources.voice_bank import VoiceBank
from resources.whisper import Whisper
from tests.broadcast.served import served

STAGES: dict[str, dg.AssetsDefinition] = {
    "mediatree_dumps": broadcast.mediatree_dumps,
    "programme_labels": broadcast.programme_labels,
    "keyword_chunks": broadcast.keyword_chunks,
    "ad_intervals": broadcast.ad_intervals,
    "clean_chunks": broadcast.clean_chunks,
    "airtime": broadcast.airtime,
    "classified_chunks": claims.classified_chunks,
    "audio_clips": speech_assets.audio_clips,
    "whisper_transcripts": speech_assets.whisper_transcripts,
    "speaker_turns": speech_assets.speaker_turns,
    "named_speakers": speech_assets.named_speakers,
    "attributed_transcripts": speech_assets.attributed_transcripts,
    "labelstudio_tasks": labelling.labelstudio_tasks,
}
UNTIL_VERDICTS = list(STAGES)[: list(STAGES).index("audio_clips")]
SPEECH = list(STAGES)[list(STAGES).index("audio_clips") : -1]
COUNTRY = """countries:
  {code}:
    iso3: fra
    language: french
    zone: Europe/Paris
    bucket: {bucket}
    project: Line {bucket}
    hours: {{start: "06:00", end: "{end}"}}
    threshold: 6
    audit_share: 0.2
    channels:
      - {{name: canal-un, title: Canal Un, audio: {audio}}}
      - {{name: radio-littoral, title: Radio Littoral, radio: true, audio: {audio}}}
"""
# Values that differ from run to run and say nothing of the data.
_VOLATILE = {"fetched_at", "called_at", "latency_seconds", "call_id", "created_at", "decided_at", "decision_id"}
# What happened, and not what was made: a load of a model, a look into the voice bank.
_DIARIES = {"model_events", "voice_access"}


@dataclass
class Line:
    """One country's line, ready to run."""

    resources: dict[str, Any]
    barometre: Barometre
    lake: Lake
    broadcaster: Broadcaster
    code: str = "france"
    buckets: tuple[str, ...] = ()
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)

    def make(self, day: date, stages: list[str] | None = None, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
        """Materialise stages of a day, in one run, as the platform's job does."""
        if self.code not in self.instance.get_dynamic_partitions("country"):
            self.instance.add_dynamic_partitions("country", [self.code])
        chosen = [STAGES[name] for name in (stages or list(STAGES))]
        return dg.materialize(
            [*STAGES.values(), broadcast.programme_grid],
            instance=self.instance,
            partition_key=key_of(self.code, day),
            resources=self.resources,
            selection=[a.key for a in chosen],  # type: ignore[arg-type]
            raise_on_error=raise_on_error,
        )

    def checks(self, day: date, checks: Sequence[dg.AssetChecksDefinition]) -> dict[str, bool]:
        """Whether each of these checks holds of a day, by name, beside one more run of `airtime`: checks alone have no day."""
        result = dg.materialize(
            [*STAGES.values(), broadcast.programme_grid, *checks],
            instance=self.instance,
            partition_key=key_of(self.code, day),
            resources=self.resources,
            selection=dg.AssetSelection.assets(broadcast.airtime.key) | dg.AssetSelection.checks(*checks),
        )
        return {found.check_name: found.passed for found in result.get_asset_check_evaluations()}

    def rows(self, *, volatile: bool = False) -> dict[str, str]:
        """A hash over all rows of each table, values that differ from run to run left out."""
        found = {}
        for table in schema.metadata.sorted_tables:
            if table.name in _DIARIES and not volatile:
                continue
            columns = [c.name for c in table.columns if volatile or c.name not in _VOLATILE]
            if table.name == "labelling_tasks" and not volatile:
                columns = [c for c in columns if c not in ("task_id", "project_id")]
            names = ", ".join(f'"{c}"' for c in columns)
            rows = self.barometre.rows(f"SELECT md5(ROW({names})::text) AS h FROM {table.name} ORDER BY 1")
            found[table.name] = f"{len(rows)}:" + hashlib.md5("".join(r["h"] for r in rows).encode()).hexdigest()
        return found

    def objects(self) -> dict[str, list[str]]:
        """Keys of all objects of the line's buckets, models left out."""
        return {b: [k for k in self.lake.listing(b, "") if f"country={self.code}" in k] for b in self.buckets}


@contextmanager
def line(
    source: Source,
    barometre: Barometre,
    lake: Lake,
    folder: Path,
    *,
    bucket: str,
    code: str = "france",
    end: str = "07:00",
    label_studio: tuple[str, str] = ("http://127.0.0.1:9", "none"),
    llm: Mapping[str, Any] | None = None,
    mediatree: Mapping[str, Any] | None = None,
    speech: Mapping[str, Any] | None = None,
) -> Iterator[Line]:
    """A line whose broadcaster serves `source`; Label Studio, a model endpoint and models of speech if they are given.

    `speech`: `archive` of sound, `whisper` and `diarization` folders, `voices` on; without it the channels have no sound.
    """
    heard = dict(speech or {})
    audio = "true" if speech else "false"
    (folder / "countries.yaml").write_text(COUNTRY.format(code=code, bucket=bucket, end=end, audio=audio))
    reference = ReferenceFiles(countries_file=str(folder / "countries.yaml"), grids_folder=str(folder))
    for name in (DUMPS, LAKE, bucket):
        lake.ensure_bucket(name)
    broadcaster = Broadcaster(source, DEMO_USER, DEMO_PASSWORD, archive=heard.get("archive") or Archive())
    with served(broadcaster.app()) as url:
        archive = Mediatree(url=url, user=DEMO_USER, password=DEMO_PASSWORD, **(mediatree or {}))
        registry = ModelRegistry(barometre=barometre, lake=lake)
        resources = {
            "audio": AudioExport(mediatree=archive),
            "whisper": Whisper(model=str(heard.get("whisper", ""))),
            "diarizer": Diarizer(model=str(heard.get("diarization", ""))),
            "voice_bank": VoiceBank(barometre=barometre, lake=lake, enabled=bool(heard.get("voices"))),
            "reference": reference,
            "barometre": barometre,
            "lake": lake,
            "mediatree": archive,
            "registry": registry,
            "student": StudentShelf(registry=registry, reference=reference),
            "llm": Llm(**(llm or {})),
            "label_studio": LabelStudio(url=label_studio[0], api_key=label_studio[1]),
            "doorbell": Doorbell(),
        }
        yield Line(resources, barometre, lake, broadcaster, code, (DUMPS, bucket))
