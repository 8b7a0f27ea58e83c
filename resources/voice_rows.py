"""Statements on the rows of the voice bank: vectors in and out, what is kept of each voice, clips that are marked.

Belongs here: SQL, and one row written. What happens when, and under which lock, is `voice_bank.py`.
"""

import secrets
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

from climate_assets.speech.records import Voice, VoiceAccess

VECTORS: Final = """
    SELECT person_id, sha256, model, number, dimensions, quality, vector::real[] AS vector FROM voice_vectors
    WHERE (%(model)s::text IS NULL OR model = %(model)s) AND (%(person)s::text IS NULL OR person_id = %(person)s)
    ORDER BY person_id, sha256, model, number
"""
ADD_VECTOR: Final = """
    INSERT INTO voice_vectors (person_id, sha256, model, number, dimensions, quality, vector)
    VALUES (%(person_id)s, %(sha256)s, %(model)s, %(number)s, %(dimensions)s, %(quality)s, %(vector)s::real[]::vector)
    ON CONFLICT DO NOTHING
"""
MARK: Final = """
    INSERT INTO stage_states (stage, item_id, country, day, state, reason, attempts)
    SELECT DISTINCT ON (clip_id) %(stage)s, clip_id, country, day, 'pending', %(why)s, 0 FROM ({clips}) AS c ORDER BY clip_id
    ON CONFLICT (stage, item_id) DO UPDATE SET state = 'pending', reason = EXCLUDED.reason, attempts = 0
    RETURNING item_id
"""
CONCERNED: Final = """
    SELECT clip_id, country, day FROM identities
    WHERE person_id = ANY(%(persons)s) OR (person_id = ANY(%(matched)s) AND decision = 'auto') OR decision = ANY(%(decisions)s)
"""
CARRYING: Final = """
    SELECT clip_id, country, day FROM identities WHERE person_id = %(person)s
    UNION SELECT clip_id, country, day FROM utterances WHERE person_id = %(person)s
"""
KEPT: Final = """
    SELECT person_id, count(*) AS samples, sum(seconds) AS seconds,
           (SELECT count(*) FROM voice_vectors v WHERE v.person_id = s.person_id) AS vectors
    FROM voice_samples s GROUP BY person_id
"""
TURNS: Final = "SELECT clip_id, country, day, speaker FROM speaker_turns WHERE clip_id = %(clip)s"


def access(who: str, action: str, person_id: str) -> VoiceAccess:
    """A line of the access log, of now."""
    return VoiceAccess(secrets.token_hex(8), datetime.now(UTC), who, action, person_id)


def upsert_voice(connection: psycopg.Connection[Any], voice: Voice) -> None:
    """Write a voice as it is now."""
    columns = [c for c in Voice.__slots__ if c != "person_id"]
    changes = ", ".join(f"{c} = EXCLUDED.{c}" for c in columns)
    insert(connection, "voices", voice, f"ON CONFLICT (person_id) DO UPDATE SET {changes}")


def insert(connection: psycopg.Connection[Any], table: str, row: Any, conflict: str = "") -> None:
    """Write one record into its table; `conflict` says what becomes of a row that is there."""
    columns = list(type(row).__slots__)
    places = ", ".join(f"%({c})s" for c in columns)
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places}) {conflict}"  # noqa: S608
    connection.execute(statement.encode(), {c: getattr(row, c) for c in columns})
