"""Labels of a line's countries from the database: chunks with a label that stands, and how far people have come.

What they mean is `labelled.py`.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Final

from climate_assets.broadcast.records import CleanChunk, ProgrammeLabel
from climate_assets.claims.in_use import in_use
from climate_assets.claims.records import Verdict
from climate_assets.countries import Countries
from climate_assets.labelling.records import GoldLabel
from climate_assets.learning.labelled import Labelled, marked_words
from climate_assets.learning.lines import MISINFO, Line
from climate_assets.learning.rounds import Standing
from resources.postgres import Barometre

WEEKS: Final = 4
"""Weeks of tasks of which most are answered before a model is measured: older ones that nobody answered never will be."""
_ASKED: Final = """
    WITH asked AS (
      SELECT chunk_id FROM labelling_tasks WHERE country = ANY(%(countries)s) AND task_kind = %(kind)s AND state = 'ok'
        AND day > (SELECT max(day) FROM labelling_tasks WHERE country = ANY(%(countries)s) AND task_kind = %(kind)s)
          - %(days)s)
    SELECT count(*) AS asked, count(*) FILTER (WHERE g.standing <> 'waiting' AND g.standing IS NOT NULL) AS answered
    FROM asked LEFT JOIN gold_labels g ON g.item_id = asked.chunk_id AND g.field = %(field)s"""
_GOLD: Final = """
    SELECT count(*) FILTER (WHERE field = %(field)s) AS labels, encode(sha256(coalesce(string_agg(
        encode(sha256(convert_to(concat_ws(chr(31), item_id, field, value, group_id), 'UTF8')), 'hex'),
        '' ORDER BY item_id, field), '')::bytea), 'hex') AS known FROM gold_labels
    WHERE country = ANY(%(countries)s) AND task_kind = %(kind)s AND value IS NOT NULL"""
_MARKS: Final = """
    SELECT DISTINCT ON (project_id, annotation_id) project_id || '/' || annotation_id AS name, item_id, spans
    FROM annotations WHERE country = ANY(%(countries)s) AND task_kind = 'misinfo'
    ORDER BY project_id, annotation_id, updated_at DESC"""


def codes_of(line: Line, countries: Countries) -> list[str]:
    """Countries whose labels a line learns from: those that speak its language, and for entities those that read posts."""
    spoken = [code for code in countries.codes if countries[code].language == line.language]
    return [code for code in spoken if line.task_kind == MISINFO or countries[code].posts]


def standing_of(line: Line, countries: Sequence[str], barometre: Barometre) -> Standing:
    """How far people have come with the tasks of the last weeks, and what is known now."""
    field = "assessment" if line.task_kind == MISINFO else "spans"
    asked = {"countries": list(countries), "kind": line.task_kind, "field": field, "days": 7 * WEEKS}
    [row] = barometre.rows(_ASKED, asked)
    # Counted and hashed where the labels lie: sensors ask every minute.
    [gold] = barometre.rows(_GOLD, asked)
    return Standing(row["asked"], row["answered"], gold["labels"], gold["known"])


def labelled_chunks(codes: Sequence[str], countries: Countries, barometre: Barometre) -> list[Labelled]:
    """Every chunk of the countries with a label that stands, by chunk id; none whose text is gone."""
    gold = barometre.read(GoldLabel, country=list(codes), task_kind=MISINFO)
    known = {g.item_id: g for g in gold if g.field == "assessment" and g.value}
    categories = {g.item_id: g.value for g in gold if g.field == "categories" and g.value}
    ids = sorted(known)
    texts = {c.chunk_id: c for c in barometre.read(CleanChunk, chunk_id=ids)}
    types = {p.chunk_id: p.programme_type for p in barometre.read(ProgrammeLabel, chunk_id=ids)}
    marks = {row["name"]: row for row in barometre.rows(_MARKS, {"countries": list(codes)})}
    certain = _flagged(ids, countries, barometre)
    found = []
    for item_id in ids:
        label, chunk = known[item_id], texts.get(item_id)
        if chunk is None:
            continue
        behind = [marks[name] for name in label.annotations if name in marks and marks[name]["item_id"] == item_id]
        spans = [span for row in behind for span in json.loads(row["spans"])]
        found.append(
            Labelled(
                item_id=item_id,
                country=label.country,
                day=label.day,
                channel=label.channel,
                programme_type=types.get(item_id, ""),
                whole=chunk.advert_seconds == 0,
                text=chunk.text,
                assessment=str(label.value),
                category=categories.get(item_id) or "",
                marked=marked_words(spans),
                group_id=label.group_id,
                sampling=label.sampling,
                chance=1.0 if item_id in certain else label.probability,
            )
        )
    return found


def _flagged(ids: Iterable[str], countries: Countries, barometre: Barometre) -> set[str]:
    """Chunks that a model flagged while it was in use: they would have been asked about without the random slice too."""
    models = in_use(barometre)
    verdicts = barometre.read(Verdict, chunk_id=list(ids))
    asking = [v for v in verdicts if v.engine == "llm" or v.model in models.order]
    return {v.chunk_id for v in asking if models.flagged(v, countries[v.country].threshold)}


def held_out_texts(line: Line, barometre: Barometre) -> dict[str, str]:
    """Text of each item that no model of a line may learn from: dev and test."""
    query = """SELECT s.item_id, coalesce(c.text, p.text) AS text FROM sides s
        LEFT JOIN clean_chunks c ON c.chunk_id = s.item_id LEFT JOIN posts p ON p.post_id = s.item_id
        WHERE s.line = %(line)s AND s.split <> 'train' AND coalesce(c.text, p.text) IS NOT NULL"""
    return {row["item_id"]: row["text"] for row in barometre.rows(query, {"line": str(line)})}
