"""`climate voices`: enrol, list, rename, forget, import a legacy bank, and say who a speaker is.

Commands are thin: each reads what was typed, asks a module that knows, and prints the answer.
"""

import getpass
import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from climate_assets.failures import Permanent
from climate_assets.speech.enrolment import NOBODY, ROLES, Enrolment
from climate_assets.voice_enrolment import MOST_SAMPLES, Enrolled, checked, clip_sample, enrol, imported, sample_file
from resources.voice_bank import VoiceBank

_OWNER = "voice enrolment"
console = Console()
voices = typer.Typer(no_args_is_help=True, help="Enrolled voices: who may be recognised, why, and until when.")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
By = Annotated[str, typer.Option("--by", help="Who does it; the user of this machine unless said.")]
Role = Annotated[str, typer.Option(help=f"One of {', '.join(ROLES)}.")]
Basis = Annotated[str, typer.Option("--legal-basis", help="Why the voice may be kept, with the assessment's reference.")]
Source = Annotated[str, typer.Option(help="Where the samples come from.")]
Expires = Annotated[str, typer.Option(help="Last day on which the voice may be used, YYYY-MM-DD.")]
Samples = Annotated[list[Path] | None, typer.Option("--sample", help="Audio in which only this voice speaks; may be repeated.")]


def _known() -> dict[str, Any]:
    from climate_assets.operator_commands import _known as known

    return known()


@voices.command()
def add(
    name: str,
    role: Role,
    legal_basis: Basis,
    source: Source,
    expires: Expires,
    organisation: Annotated[str, typer.Option()] = "",
    sample: Samples = None,
    clip: Annotated[str, typer.Option(help="Clip in which the voice is heard, instead of a sample.")] = "",
    speaker: Annotated[str, typer.Option(help="Its label there, such as SPEAKER_00.")] = "",
    by: By = "",
) -> None:
    """Enrol a public person's voice, or give an enrolled one more samples."""
    if bool(sample) == bool(clip and speaker) or bool(clip) != bool(speaker):
        raise Permanent("give either --sample FILE, once or more, or --clip CLIP with --speaker LABEL")
    if len(sample or []) > MOST_SAMPLES:
        raise Permanent(f"{len(sample or [])} samples are more than {MOST_SAMPLES}; a minute of clean speech is plenty")
    known, who = _known(), by or getpass.getuser()
    bank: VoiceBank = known["voice_bank"]
    asked = checked(bank, Enrolment(name, role, organisation, legal_basis, source, _day(expires)))
    audios = [sample_file(path) for path in sample or []] or [clip_sample(bank, clip, speaker)]
    with known["diarizer"].encoder(known["barometre"], _OWNER) as encoder:
        done = enrol(bank, encoder, asked, audios, who)
    if clip and done.voice:
        # Whoever enrols a speaker of a clip says with it who that speaker is.
        bank.name_speaker(clip, speaker, done.voice.person_id, who)
    _print_enrolled([done])


@voices.command("import")
def import_bank(
    folder: Path,
    role: Role,
    legal_basis: Basis,
    source: Source,
    expires: Expires,
    organisation: Annotated[str, typer.Option()] = "",
    by: By = "",
) -> None:
    """Enrol every voice of a legacy bank: <Name>.wav, or <user>/<person>/voice/sample.wav with profile.json.

    What is stated holds for all of them: the legacy layouts do not say why a voice may be kept.
    """
    known = _known()
    bank: VoiceBank = known["voice_bank"]
    stated = Enrolment("everybody of the folder", role, organisation, legal_basis, source, _day(expires))
    checked(bank, stated)
    with known["diarizer"].encoder(known["barometre"], _OWNER) as encoder:
        done, aside = imported(bank, encoder, folder, stated, by or getpass.getuser())
    _print_enrolled(done)
    for reason in aside:
        console.print(f"left aside: {reason}", markup=False)
    if aside or any(one.voice is None for one in done):
        raise typer.Exit(1)


@voices.command("list")
def list_voices(as_json: AsJson = False, by: By = "") -> None:
    """The enrolled voices, why each is kept and until when."""
    bank: VoiceBank = _known()["voice_bank"]
    found = bank.entries(by or getpass.getuser())
    if as_json:
        print(json.dumps([asdict(entry) for entry in found], default=str))
        return
    if bank.off:
        console.print(bank.off)
    today = datetime.now(UTC).date()
    table = Table(
        "person", "name", "role", "organisation", "last day", "samples", "seconds", "vectors", "legal basis", box=None
    )
    for e in found:
        last = f"{e.voice.expires_on}" + ("" if e.voice.expires_on >= today else " [red]expired")
        figures = (str(e.samples), f"{e.seconds:.0f}", str(e.vectors))
        said = (e.voice.person_id, e.voice.name, e.voice.role, e.voice.organisation)
        table.add_row(*map(escape, said), last, *figures, escape(e.voice.legal_basis))
    console.print(table)


@voices.command()
def rename(
    person: Annotated[str, typer.Argument(help="Person id, or the name as it is.")],
    name: Annotated[str | None, typer.Option(help="The name from now on.")] = None,
    role: Annotated[str | None, typer.Option(help=f"One of {', '.join(ROLES)}.")] = None,
    organisation: Annotated[str | None, typer.Option()] = None,
    by: By = "",
) -> None:
    """Another name, role or organisation for a person; past clips with the person follow within minutes."""
    if name is None and role is None and organisation is None:
        raise Permanent("nothing would change: give --name, --role or --organisation")
    bank: VoiceBank = _known()["voice_bank"]
    new = bank.rename(person, by or getpass.getuser(), name=name, role=role, organisation=organisation)
    console.print(f"{new.person_id} is {new.name}, {new.role}; past clips are made again", markup=False)


@voices.command()
def forget(
    person: Annotated[str, typer.Argument(help="Person id, or the name.")], by: By = "", as_json: AsJson = False
) -> None:
    """Remove a voice with its samples, vectors and names, and print the proof. It cannot be undone."""
    bank: VoiceBank = _known()["voice_bank"]
    erasure = bank.forget(person, by or getpass.getuser())
    if as_json:
        print(json.dumps(asdict(erasure), default=str))
        return
    console.print(
        f"{erasure.person_id} is forgotten since {erasure.erased_at:%Y-%m-%d %H:%M} UTC: {erasure.vectors} vectors, "
        f"{erasure.samples} samples and {erasure.objects} objects are gone; {len(erasure.clips)} clips are marked to be made "
        f"again. Proof: {erasure.proof}",
        markup=False,
        soft_wrap=True,
    )


@voices.command("name")
def name_speaker(
    clip: str,
    speaker: Annotated[str, typer.Argument(help="Label within the clip, such as SPEAKER_00.")],
    person: Annotated[str, typer.Argument(help=f"Person id or name; `{NOBODY}`: this is nobody of the bank.")],
    by: By = "",
) -> None:
    """Say who one speaker of one clip is; it stands above what a model says."""
    bank: VoiceBank = _known()["voice_bank"]
    said = bank.name_speaker(clip, speaker, None if person == NOBODY else person, by or getpass.getuser())
    console.print(
        f"noted: {speaker} of {clip} is {said.person_id or 'nobody of the bank'}; the clip is made again", markup=False
    )


def _print_enrolled(done: Iterable[Enrolled]) -> None:
    for one in done:
        what = f"enrolled as {one.voice.person_id}" if one.voice else "not enrolled"
        console.print(f"{one.name}: {what}. {one.said}", markup=False, soft_wrap=True)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Permanent(f"{text!r} is not a day; write YYYY-MM-DD") from error
