"""Commands for the person who operates a running platform: migrate, retry, adverts, dictionary.

Each works on the database that the platform uses. Starting and stopping is `cli.py`.
"""

import json
import secrets
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from climate_assets import migrate as migrations
from climate_assets.broadcast.dictionaries import dictionary_from_csv
from climate_assets.broadcast.dictionary_diff import Differences, differences
from climate_assets.broadcast.keywords import Matcher
from climate_assets.broadcast.records import AdDecision, AdInterval, Chunk
from climate_assets.failures import Permanent
from climate_assets.labelling.records import TaskKind
from resources import bindings
from resources.postgres import Barometre

_SHOWN = 40
console = Console()
app = typer.Typer()
adverts = typer.Typer(no_args_is_help=True, help="What is heard again and again, and what a person says of it.")
dictionary = typer.Typer(no_args_is_help=True, help="Dictionaries: what a change would change.")
app.add_typer(adverts, name="adverts")
app.add_typer(dictionary, name="dictionary")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def _known() -> dict[str, Any]:
    """Resources of the platform that the environment, or else this checkout, names."""
    from climate_assets.cli import platform

    here = platform()
    return bindings.resources(here.environment(here.ports()))


@app.command()
def migrate() -> None:
    """Bring the database to the tables of this version."""
    from climate_assets.cli import ROOT

    # In a container there is no embedded platform to ask, and no folder to keep one in.
    given = bindings.given_by_operator(ROOT / ".env")
    database: Barometre = (bindings.resources(given) if "DATABASE_URL" in given else _known())["barometre"]
    console.print(f"the database is at {migrations.migrate(database.dsn)}")


@app.command()
def doorbell(
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 8090,
    host: Annotated[str, typer.Option(help="Address to listen on; in a container 0.0.0.0.")] = "127.0.0.1",
) -> None:
    """Listen for Label Studio's webhooks, which say that people answered; runs until it is stopped."""
    import uvicorn

    from climate_assets.cli import ROOT

    known = bindings.resources(bindings.given_by_operator(ROOT / ".env"))
    # Nothing of a request is logged: its header holds the secret.
    uvicorn.run(known["doorbell"].app(known["barometre"]), host=host, port=port, log_level="warning", access_log=False)


@app.command()
def retry(
    stage: str,
    country: str,
    day: Annotated[str, typer.Argument(help="YYYY-MM-DD")],
    dead: Annotated[bool, typer.Option()] = True,
) -> None:
    """Put a day's failed (and dead) items of a stage back to pending; the next tick tries them again."""
    states = ["failed", "dead"] if dead else ["failed"]
    reset = (
        "UPDATE {} SET state = 'pending', reason = 'put back by a person'{} WHERE country = %(country)s AND day = %(day)s"
        " AND state = ANY(%(states)s){}"
    )
    parameters = {"country": country, "day": _day(day), "states": states, "stage": stage}
    if kind := {"labelstudio_tasks": TaskKind.MISINFO, "post_tasks": TaskKind.NER}.get(stage):
        of_kind = reset.format("labelling_tasks", "", " AND task_kind = %(kind)s")
        moved = _known()["barometre"].execute(of_kind, {**parameters, "kind": kind.value})
    else:
        moved = _known()["barometre"].execute(
            reset.format("stage_states", ", attempts = 0", " AND stage = %(stage)s"), parameters
        )
    console.print(f"{moved} items of {stage}, {country} {day} are pending again")


@adverts.command("list")
def list_adverts(country: str, since: Annotated[str, typer.Option(help="YYYY-MM-DD")] = "2000-01-01") -> None:
    """The passages that are cut as adverts, most airtime first, with their evidence."""
    database: Barometre = _known()["barometre"]
    rows = database.rows(
        """SELECT passage, count(*) AS airings, count(DISTINCT channel) AS channels,
                  round(sum(extract(epoch FROM "end" - start))) AS seconds, bool_or(vetoed) AS vetoed,
                  (array_agg(channel ORDER BY score DESC, start))[1] AS channel,
                  (array_agg(start ORDER BY score DESC, start))[1] AS start,
                  (array_agg("end" ORDER BY score DESC, start))[1] AS "end"
           FROM ad_intervals WHERE country = %(country)s AND day >= %(since)s AND kind = 'advert'
           GROUP BY 1 ORDER BY seconds DESC LIMIT %(shown)s""",
        {"country": country, "since": _day(since), "shown": _SHOWN},
    )
    table = Table("passage", "airings", "channels", "seconds", "vetoed", "what is said", box=None)
    for row in rows:
        figures = map(str, (row["airings"], row["channels"], row["seconds"]))
        said = _said(database, country, row["channel"], row["start"], row["end"])
        table.add_row(row["passage"], *figures, "yes" if row["vetoed"] else "", said)
    console.print(table)


def _said(database: Barometre, country: str, channel: str, start: datetime, end: datetime) -> str:
    """The first words of a stretch, for a person to judge it by."""
    words = database.rows(
        """SELECT w.word FROM chunks c, unnest(string_to_array(c.text, ' '), c.word_times) AS w (word, at)
           WHERE c.country = %(country)s AND c.channel = %(channel)s
             AND c.start BETWEEN %(start)s - interval '130 s' AND %(end)s
             AND c.start + make_interval(secs => w.at / 100.0) >= %(start)s
             AND c.start + make_interval(secs => w.at / 100.0) < %(end)s
           ORDER BY c.start + make_interval(secs => w.at / 100.0) LIMIT 14""",
        {"country": country, "channel": channel, "start": start, "end": end},
    )
    return " ".join(row["word"] for row in words) + " …"


@adverts.command()
def veto(country: str, passage: str, reason: Annotated[str, typer.Option()], by: Annotated[str, typer.Option()]) -> None:
    """Say that a passage is no advert; it is never cut again, whatever is learnt later."""
    database: Barometre = _known()["barometre"]
    heard = database.rows(
        "SELECT DISTINCT day FROM ad_intervals WHERE country = %(country)s AND passage = %(passage)s ORDER BY day",
        {"country": country, "passage": passage},
    )
    if not heard:
        raise Permanent(f"{country} has no passage {passage!r}; `climate adverts list {country}` names them")
    decision = AdDecision(secrets.token_hex(8), country, "veto", passage, "", None, None, by, reason, datetime.now(UTC))
    database.upsert([decision], AdDecision)
    days = ", ".join(str(row["day"]) for row in heard)
    console.print(f"noted. Make ad_intervals again for {country}: {days}")


@dictionary.command()
def diff(
    old: Path,
    new: Path,
    country: Annotated[str, typer.Option()],
    first: Annotated[str, typer.Option("--from", help="YYYY-MM-DD")],
    last: Annotated[str, typer.Option("--to", help="YYYY-MM-DD")],
    as_json: AsJson = False,
) -> None:
    """Which chunks, and how much airtime a channel, another dictionary would change. Nothing is written."""
    known = _known()
    language = known["reference"].countries()[country].language
    matchers = [Matcher(dictionary_from_csv(_text(path), language, str(path))) for path in (old, new)]
    days = known["barometre"].rows(
        "SELECT DISTINCT day FROM chunks WHERE country = %(c)s AND day BETWEEN %(first)s AND %(last)s ORDER BY day",
        {"c": country, "first": _day(first), "last": _day(last)},
    )
    if not days:
        raise Permanent(f"{country} has no chunks from {first} to {last}; make these days first")
    scope = {"country": country, "day": [row["day"] for row in days]}
    chunks, adverts = known["barometre"].read(Chunk, **scope), known["barometre"].read(AdInterval, **scope)
    _print_differences(differences(matchers[0], matchers[1], chunks, adverts), as_json)


def _print_differences(found: Differences, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(found), default=str))
        return
    console.print(
        f"dictionary {found.old} -> {found.new}: {len(found.chunks)} chunks would count otherwise; nothing was written"
    )
    channels = Table("channel", "subject", "chunks", "gained", "lost", "changed", "minutes before", "after", box=None)
    for row in found.channels:
        counts = (row.chunks, row.gained, row.lost, row.changed)
        minutes = (f"{row.seconds_before / 60:.1f}", f"{row.seconds_after / 60:.1f}")
        style = "bold" if row.gained or row.lost or row.changed else "dim"
        channels.add_row(row.channel, row.subject, *map(str, counts), *minutes, style=style)
    console.print(channels)
    keywords = Table("keyword", "theme", "hits before", "after", "minutes before", "after", box=None)
    for word in found.keywords[:_SHOWN]:
        minutes = (f"{word.seconds_before / 60:.1f}", f"{word.seconds_after / 60:.1f}")
        keywords.add_row(word.keyword, word.theme, str(word.hits_before), str(word.hits_after), *minutes)
    if found.keywords:
        console.print(keywords)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Permanent(f"{path} cannot be read as a dictionary ({error})") from error


def _day(text: str) -> Any:
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Permanent(f"{text!r} is not a day; write YYYY-MM-DD") from error
