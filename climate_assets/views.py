"""Views of `barometre` for readers of older tables: `keywords` has the legacy columns, computed from today's rows.

Counts are numbers of distinct 20-second windows, as they were; hits inside adverts are left out, as they were.
Tables are in `schema.py`. A view is replaced whenever the tables are migrated, so it holds no data of its own.
"""

from typing import Final

from climate_assets.broadcast.records import Subject, Theme

# The legacy columns of five themes end in `_directes`; the `_no_hrfp` ones never do.
_DIRECT: Final = frozenset(
    {
        Theme.CLIMATE_CAUSES,
        Theme.CLIMATE_MITIGATION,
        Theme.CLIMATE_ADAPTATION,
        Theme.BIODIVERSITY_CAUSES,
        Theme.BIODIVERSITY_SOLUTIONS,
    }
)


def _windows(condition: str, name: str) -> str:
    return f"count(DISTINCT h.window) FILTER (WHERE h.counts AND {condition})::int AS {name}"


def _counts() -> str:
    # Every literal below is a member of a closed list of this project, never input.
    columns = [_windows("true", "number_of_keywords")]
    columns += [_windows(f"h.subject = '{s}'", f"number_of_keywords_{s}") for s in Subject]
    for theme in Theme:
        legacy = f"number_of_{theme}{'_directes' if theme in _DIRECT else ''}"
        columns.append(_windows(f"h.theme = '{theme}'", legacy))
        columns.append(_windows(f"h.theme = '{theme}' AND NOT h.hrfp", f"number_of_{theme}_no_hrfp"))
    return ",\n        ".join(columns)


_LEGACY_THEME: Final = "h.theme || CASE WHEN h.counts THEN '' ELSE '_indirectes' END"

# An instant as the legacy id has it: six digits of fraction, or none at all when the second is whole.
_INSTANT: Final = "'YYYY-MM-DD HH24:MI:SS' || CASE WHEN date_trunc('second', c.start) = c.start THEN '' ELSE '.US' END"

KEYWORDS: Final = f"""
CREATE OR REPLACE VIEW keywords AS
WITH found AS (
    SELECT
        h.chunk_id,
        to_jsonb(array_agg(DISTINCT {_LEGACY_THEME})) AS theme,
        jsonb_agg(jsonb_build_object(
            'keyword', h.keyword, 'timestamp', (extract(epoch FROM c.start) + h.seconds) * 1000,
            'theme', {_LEGACY_THEME}, 'category', h.category, 'hrfp', h.hrfp AND h.counts
        ) ORDER BY h.seconds, h.theme, h.keyword) AS keywords_with_timestamp,
        {_counts()}
    FROM keyword_hits h
    JOIN chunks c USING (chunk_id)
    WHERE NOT EXISTS (
        SELECT FROM ad_intervals a
        WHERE a.country = h.country AND a.channel = h.channel AND a.kind = 'advert' AND NOT a.vetoed
          AND a.day BETWEEN h.day - 1 AND h.day -- one that starts a minute before midnight belongs to the day before
          AND c.start + make_interval(secs => h.seconds) >= a.start
          AND c.start + make_interval(secs => h.seconds) < a."end"
    )
    GROUP BY h.chunk_id
)
SELECT
    encode(sha256(convert_to(
        CASE WHEN l.zone = 'Europe/Paris'
             THEN to_char(c.start AT TIME ZONE 'UTC', {_INSTANT}) || '+00:00'
             ELSE to_char(c.start AT TIME ZONE l.zone, {_INSTANT})
                  || CASE WHEN (c.start AT TIME ZONE l.zone) < (c.start AT TIME ZONE 'UTC') THEN '-' ELSE '+' END
                  || to_char(
                       CASE WHEN (c.start AT TIME ZONE l.zone) < (c.start AT TIME ZONE 'UTC')
                            THEN (c.start AT TIME ZONE 'UTC') - (c.start AT TIME ZONE l.zone)
                            ELSE (c.start AT TIME ZONE l.zone) - (c.start AT TIME ZONE 'UTC') END, 'HH24:MI')
        END || c.channel, 'UTF8')), 'hex') AS id,
    c.start,
    c.channel AS channel_name,
    l.title AS channel_title,
    l.radio AS channel_radio,
    p.programme AS channel_program,
    p.programme_type AS channel_program_type,
    NULL::text AS program_metadata_id,
    c.text AS plaintext,
    (SELECT jsonb_agg(jsonb_build_object('text', w.word, 'cts_in_ms', (extract(epoch FROM c.start) + w.at / 100.0) * 1000)
                      ORDER BY w.place)
       FROM unnest(string_to_array(c.text, ' '), c.word_times) WITH ORDINALITY AS w (word, at, place)) AS srt,
    c.country,
    found.theme,
    found.keywords_with_timestamp,
    {", ".join(f"found.number_of_keywords{s}" for s in ("", *(f"_{s}" for s in Subject)))},
    {", ".join(f"found.number_of_{t}{'_directes' if t in _DIRECT else ''}, found.number_of_{t}_no_hrfp" for t in Theme)},
    NULL::int AS number_of_keywords_20,
    NULL::int AS number_of_keywords_30,
    NULL::int AS number_of_keywords_40,
    d.fetched_at AS created_at,
    d.fetched_at AS updated_at,
    c.chunk_id
FROM chunks c
JOIN found USING (chunk_id)
LEFT JOIN channels l ON l.country = c.country AND l.channel = c.channel
LEFT JOIN programme_labels p USING (chunk_id)
LEFT JOIN dumps d ON d.country = c.country AND d.day = c.day AND d.channel = c.channel AND d.version = c.dump_version
"""

ALL: Final = {"keywords": KEYWORDS}
