"""The tables of `barometre`, derived from the records: one fact, one place.

A table is a record type, a name, a key and its indexes. Column names, types, nullability and comments come from the
record's annotations, so the database, the Dagster columns tab and the code cannot disagree. Migrations live beside
this file in `migrations/`; a test holds that they end at exactly these tables. Views are in `views.py`.
"""

import dataclasses
import types
import typing
from datetime import date, datetime
from typing import Any, Final

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.types import TypeEngine

from climate_assets import states
from climate_assets.broadcast import records as broadcast
from climate_assets.claims import records as claims
from climate_assets.labelling import records as labelling
from climate_assets.learning import records as learning
from climate_assets.posts import records as posts
from climate_assets.speech import records as speech

metadata: Final = MetaData()
TABLE_OF: Final[dict[type, Table]] = {}

_TYPES: Final[dict[Any, TypeEngine[Any]]] = {
    str: Text(),
    int: Integer(),
    float: Double(),
    bool: Boolean(),
    date: Date(),
    datetime: DateTime(timezone=True),
    list[int]: ARRAY(SmallInteger),
    list[str]: ARRAY(Text),
    list[float]: VECTOR(),
}
_BIG: Final = {
    ("labelling_tasks", "project_id"),
    ("labelling_tasks", "task_id"),
    ("adjudications", "project_id"),
    ("adjudications", "task_id"),
    ("clips", "bytes"),
    ("recordings", "bytes"),
    *(("annotations", name) for name in ("project_id", "annotation_id", "task_id", "annotator")),
    *(("refused_annotations", name) for name in ("project_id", "annotation_id", "task_id")),
    ("read_marks", "project_id"),
    ("rings", "project_id"),
    ("post_batches", "bytes"),
}


@dataclasses.dataclass(frozen=True)
class Field:
    """One column of a record: its name, Python type, whether it may be empty, and what it means."""

    name: str
    type: Any
    nullable: bool
    description: str


def fields_of(record: type) -> list[Field]:
    """The columns of a record type, in order."""
    hints = typing.get_type_hints(record, include_extras=True)
    return [_field(f.name, hints[f.name]) for f in dataclasses.fields(record)]


def _field(name: str, hint: Any) -> Field:
    inner, *extras = typing.get_args(hint) if typing.get_origin(hint) is typing.Annotated else (hint,)
    options = typing.get_args(inner) if isinstance(inner, types.UnionType) else (inner,)
    kept = [o for o in options if o is not types.NoneType]
    return Field(name, kept[0], len(kept) < len(options), str(extras[0]) if extras else "")


def _sql_type(table: str, field: Field) -> TypeEngine[Any]:
    if (table, field.name) in _BIG:
        return BigInteger()
    base = field.type
    if isinstance(base, type) and issubclass(base, str):
        return _TYPES[str]
    return _TYPES[base]


def _table(name: str, record: type, key: tuple[str, ...], *indexes: tuple[str, ...]) -> Table:
    columns = [
        Column(
            f.name,
            _sql_type(name, f),
            primary_key=f.name in key,
            nullable=f.nullable,
            autoincrement=False,
            comment=f.description,
        )
        for f in fields_of(record)
    ]
    made = [Index(f"ix_{name}_{'_'.join(columns)}", *columns) for columns in indexes]
    TABLE_OF[record] = Table(name, metadata, *columns, *made, comment=(record.__doc__ or "").split("\n")[0])
    return TABLE_OF[record]


_SLICE: Final = ("country", "day", "channel")

channels = _table("channels", broadcast.ChannelLabel, ("country", "channel"))
dumps = _table("dumps", broadcast.Dump, ("country", "day", "channel", "version"))
channel_days = _table("channel_days", broadcast.Completeness, ("country", "day", "channel"))
chunks = _table("chunks", broadcast.Chunk, ("chunk_id",), _SLICE)
programme_labels = _table("programme_labels", broadcast.ProgrammeLabel, ("chunk_id",), _SLICE)
keyword_hits = _table("keyword_hits", broadcast.KeywordHit, ("chunk_id", "theme", "keyword", "word"), _SLICE)
ad_intervals = _table("ad_intervals", broadcast.AdInterval, ("country", "channel", "start", "passage"), _SLICE)
ad_decisions = _table("ad_decisions", broadcast.AdDecision, ("decision_id",), ("country",))
clean_chunks = _table("clean_chunks", broadcast.CleanChunk, ("chunk_id",), _SLICE)
airtime = _table("airtime", broadcast.Airtime, ("country", "day", "channel", "subject", "theme"))
verdicts = _table("verdicts", claims.Verdict, ("chunk_id", "model", "prompt"), _SLICE)
stage_states = _table("stage_states", states.StageState, ("stage", "item_id"), ("country", "day"), ("state",))
llm_calls = _table(
    "llm_calls", claims.LlmCall, ("call_id",), ("model", "prompt", "text_sha256"), ("country", "called_at"), ("chunk_id",)
)
clips = _table("clips", speech.Clip, ("clip_id",), _SLICE)
transcripts = _table("transcripts", speech.Transcript, ("clip_id",), _SLICE)
speaker_turns = _table("speaker_turns", speech.Turn, ("clip_id", "exclusive", "start", "speaker"), ("country", "day"))
divisions = _table("divisions", speech.Division, ("clip_id",), ("country", "day"))
identities = _table("identities", speech.Identity, ("clip_id", "speaker"), ("country", "day"), ("person_id",))
utterances = _table("utterances", speech.Utterance, ("clip_id", "number"), _SLICE, ("person_id",))
attributed_clips = _table("attributed_clips", speech.AttributedClip, ("clip_id",), ("country", "day"))
recordings = _table("recordings", speech.Recording, ("recording_id",))
voices = _table("voices", speech.Voice, ("person_id",))
voice_samples = _table("voice_samples", speech.VoiceSample, ("person_id", "sha256"))
voice_vectors = _table("voice_vectors", speech.VoiceVector, ("person_id", "sha256", "model", "number"))
voice_erasures = _table("voice_erasures", speech.VoiceErasure, ("person_id",))
voice_access = _table("voice_access", speech.VoiceAccess, ("access_id",), ("at",))
speaker_names = _table("speaker_names", speech.SpeakerName, ("clip_id", "speaker"))
model_events = _table("model_events", speech.ModelEvent, ("event_id", "event"), ("stage", "at"))
labelling_tasks = _table("labelling_tasks", labelling.LabellingTask, ("chunk_id",), _SLICE, ("project_id",))
assignments = _table("assignments", labelling.Assignment, ("chunk_id",), ("country", "handed_over_on"))
adjudications = _table("adjudications", labelling.Adjudication, ("item_id",), ("country",), ("project_id",))
annotations = _table(
    "annotations",
    labelling.Annotation,
    ("project_id", "annotation_id", "updated_at"),
    ("country", "item_id"),
    ("project_id", "task_id"),
)
refused_annotations = _table(
    "refused_annotations", labelling.RefusedAnnotation, ("project_id", "annotation_id", "updated_at", "sha256"), ("country",)
)
read_marks = _table("read_marks", labelling.ReadMark, ("project_id",))
rings = _table("rings", labelling.Ring, ("project_id",))
gold_labels = _table("gold_labels", labelling.GoldLabel, ("item_id", "field"), _SLICE, ("group_id",))
posts_table = _table("posts", posts.Post, ("post_id",), ("country", "day"), ("content_sha256",))
post_batches = _table("post_batches", posts.PostBatch, ("batch_id",), ("country", "first_day", "last_day"), ("origin",))
refused_posts = _table("refused_posts", posts.RefusedPost, ("batch_id", "number"), ("country", "day"))
post_marks = _table("post_marks", posts.PostMark, ("country", "source", "stream", "day"))
post_entities = _table("post_entities", posts.PostEntity, ("post_id", "model_version", "start", "end", "label"))
post_readings = _table("post_readings", posts.PostReading, ("post_id", "model_version"), ("country", "day"))
rounds = _table("rounds", learning.Round, ("round",), ("line",))
scores = _table("scores", learning.Score, ("round", "model_version", "split", "slice", "label", "match"))
sides = _table("sides", learning.Side, ("line", "item_id"))
model_versions = _table("model_versions", learning.ModelVersion, ("model_id",), ("task_kind", "language"))
promotions = _table("promotions", learning.Promotion, ("decision_id",), ("task_kind", "language"))
