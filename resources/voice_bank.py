"""The bank of enrolled voices: rows in Postgres, samples in the lake, a line for whoever looked, and nothing after `forget`.

Off unless the operator switches it on: a voice that identifies a person is biometric data. Belongs here: keeping, renaming,
forgetting, the past that is marked. Does not: what an enrolment needs (`speech/enrolment.py`), who is taken for whom
(`speech/identities.py`), what a change means for the past (`speech/reattribution.py`).
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from dagster import ConfigurableResource, ResourceDependency
from pydantic import Field

from climate_assets.failures import Permanent
from climate_assets.speech.enrolment import Enrolment, accepted, stated_of
from climate_assets.speech.identities import Gallery, gallery
from climate_assets.speech.reattribution import Look, bank_version, erasure_proof, fingerprints, vector_hash
from climate_assets.speech.records import SpeakerName, Voice, VoiceErasure, VoiceSample, VoiceVector
from resources.object_erasure import erased
from resources.postgres import Barometre
from resources.s3 import LAKE, Lake
from resources.voice_rows import ADD_VECTOR, CARRYING, CONCERNED, KEPT, MARK, TURNS, VECTORS, access, insert, upsert_voice

STAGE: Final = "named_speakers"
"""Asset whose clips are marked when the bank changes."""
# Adding, renaming and forgetting are one after the other: a voice cannot be given a sample while it is forgotten.
_LOCK: Final = "voice bank"


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample as it came, and how the voice sounds in stretches of it."""

    content: bytes
    extension: str
    seconds: float
    model: str
    vectors: tuple[tuple[float, ...], ...]
    qualities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One enrolled voice as a person sees it in a list."""

    voice: Voice
    samples: int
    seconds: float
    vectors: int


class VoiceBank(ConfigurableResource):  # type: ignore[type-arg]
    """Enrolled voices of public persons."""

    barometre: ResourceDependency[Barometre]
    lake: ResourceDependency[Lake]
    enabled: bool = Field(default=False, description="Whether voices may be enrolled and compared at all.")
    bucket: str = LAKE
    prefix: str = Field(default="voices/", pattern=r"^([\w=-]+/)+$", description="Folder of the samples.")

    @property
    def off(self) -> str:
        """Why nobody is enrolled or compared; empty if the bank is on."""
        return "" if self.enabled else "the voice bank is off; switch it on by VOICE_BANK=on once its use is assessed"

    def gallery(self, model: str, dimensions: int, on: date, who: str) -> Gallery:
        """The voices that `model` may compare on that day; raises `Permanent` when the bank is off."""
        self._must_be_on()
        self._log(who, "match", "")
        vectors = self.vectors()
        voices = self.voices()
        return gallery(voices, vectors, model=model, dimensions=dimensions, on=on, version=bank_version(voices, vectors))

    def names(self) -> Gallery:
        """Everybody's name and nobody's voice: for what people said, when nothing is compared."""
        return gallery(self.voices(), (), model="", dimensions=0, on=date.max, version="")

    def version(self) -> str:
        """Version of the bank; empty when it is off or holds nobody."""
        return bank_version(self.voices(), self.vectors()) if self.enabled else ""

    def voices(self) -> list[Voice]:
        """Every voice, also expired ones."""
        return self.barometre.read(Voice)

    def vectors(self, person: str | None = None, model: str | None = None) -> list[VoiceVector]:
        """Vectors of one person and encoder, or of all."""
        return [VoiceVector(**row) for row in self.barometre.rows(VECTORS, {"model": model, "person": person})]

    def entries(self, who: str) -> list[Entry]:
        """Every voice with how much of it is kept, by name."""
        self._log(who, "list", "")
        kept = {row["person_id"]: row for row in self.barometre.rows(KEPT)}
        nothing = {"samples": 0, "seconds": 0.0, "vectors": 0}
        found = [(voice, kept.get(voice.person_id, nothing)) for voice in self.barometre.read(Voice, order_by=["name"])]
        return [Entry(voice, row["samples"], row["seconds"], row["vectors"]) for voice, row in found]

    def person(self, reference: str) -> Voice:
        """The voice of that person id, or else of that name; raises `Permanent` when there is none."""
        if found := self._found(reference):
            return found
        raise Permanent(f"nobody enrolled has the id or name {reference!r}; `climate voices list` names them")

    def add(self, asked: Enrolment, samples: Sequence[Sample], who: str, action: str = "add") -> Voice:
        """Enrol a voice, or give an enrolled one of the same name more samples; killed anywhere, a rerun completes it."""
        self._must_be_on()
        now = datetime.now(UTC)
        accepted(asked, now.date())
        with self.barometre.lock(_LOCK):
            voice = self._entry(asked, now)
            with self.barometre.connect() as connection:
                # Rows come before objects: whatever is in the lake, an entry says whose it is and `forget` finds it.
                upsert_voice(connection, voice)
                for sample in samples:
                    insert(connection, "voice_samples", self._row(voice, sample), "ON CONFLICT DO NOTHING")
                insert(connection, "voice_access", access(who, action, voice.person_id))
            for sample in samples:
                self.lake.put(self.bucket, self._row(voice, sample).object_key, sample.content)
            with self.barometre.connect() as connection:
                for sample in samples:
                    for number, (vector, quality) in enumerate(zip(sample.vectors, sample.qualities, strict=True)):
                        values = {
                            "person_id": voice.person_id,
                            "sha256": hashlib.sha256(sample.content).hexdigest(),
                            "model": sample.model,
                            "number": number,
                            "dimensions": len(vector),
                            "quality": quality,
                            "vector": [float(v) for v in vector],
                        }
                        connection.execute(ADD_VECTOR, values)
        return voice

    def rename(
        self, reference: str, who: str, *, name: str | None = None, role: str | None = None, organisation: str | None = None
    ) -> Voice:
        """Another name, role or organisation for a person; past clips follow when the change is seen."""
        with self.barometre.lock(_LOCK):
            old = self.person(reference)
            new = replace(
                old,
                name=old.name if name is None else name,
                role=old.role if role is None else role,
                organisation=old.organisation if organisation is None else organisation,
                updated_at=datetime.now(UTC),
            )
            if (namesake := self._named(new.name)) is not None and namesake.person_id != old.person_id:
                raise Permanent(
                    f"{new.name!r} is enrolled already ({namesake.person_id}); write a name that tells the two apart"
                )
            # A name may be put right after the voice's last day.
            stated = replace(stated_of(new), expires_on=max(new.expires_on, new.updated_at.date() + timedelta(days=1)))
            accepted(stated, new.updated_at.date())
            with self.barometre.connect() as connection:
                upsert_voice(connection, new)
                insert(connection, "voice_access", access(who, "rename", old.person_id))
        return new

    def forget(self, reference: str, who: str) -> VoiceErasure:
        """Remove a voice with all that is known by it, and prove it; clips with its name are marked to be made again.

        Works while the bank is off. Killed anywhere, the voice is matched by nobody and a rerun finishes; of who is forgotten
        already, what was left in the lake is removed and the proof returned.
        """
        with self.barometre.lock(_LOCK):
            voice = self._found(reference)
            if voice is None:
                return self._forgotten(reference, who)
            person = {"person": voice.person_id, "yesterday": datetime.now(UTC).date() - timedelta(days=1)}
            with self.barometre.connect() as connection:
                insert(connection, "voice_access", access(who, "forget", voice.person_id))
                connection.execute(
                    "UPDATE voices SET expires_on = least(expires_on, %(yesterday)s) WHERE person_id = %(person)s", person
                )
            return self._erase(voice.person_id)

    def name_speaker(self, clip_id: str, speaker: str, person: str | None, who: str) -> SpeakerName:
        """Note whom a person recognised in a clip (None: nobody of the bank), and mark the clip to be made again."""
        voice = self.person(person) if person is not None else None
        scope = {"clip": clip_id, "stage": STAGE, "why": "voice bank changed: a person named a speaker"}
        labels = sorted({row["speaker"] for row in self.barometre.rows(TURNS, scope)})
        if not labels:
            raise Permanent(f"clip {clip_id} has no speaker turns; make speaker_turns of its day first, or check the id")
        if speaker not in labels:
            raise Permanent(f"clip {clip_id} has no speaker {speaker!r}; it has {', '.join(labels)}")
        said = SpeakerName(clip_id, speaker, voice.person_id if voice else None, who, datetime.now(UTC))
        with self.barometre.connect() as connection:
            again = "ON CONFLICT (clip_id, speaker) DO UPDATE SET (person_id, said_by, said_at) = "
            insert(connection, "speaker_names", said, again + "(EXCLUDED.person_id, EXCLUDED.said_by, EXCLUDED.said_at)")
            insert(connection, "voice_access", access(who, "name", said.person_id or ""))
            connection.execute(MARK.format(clips=TURNS).encode(), scope)
        return said

    def fingerprints(self, on: date) -> dict[str, tuple[str, str]]:
        """The bank on one day, person by person, without a name or a vector."""
        return fingerprints(self.voices(), self.vectors(), on)

    def carried(self) -> list[tuple[str, str]]:
        """Everybody whom past clips name, and how they were named."""
        rows = self.barometre.rows("SELECT DISTINCT person_id, decision FROM identities WHERE person_id IS NOT NULL")
        return [(row["person_id"], row["decision"]) for row in rows]

    def mark(self, look: Look) -> list[str]:
        """Put the clips that have what is looked for to pending, so that they are made again; their ids."""
        if not look:
            return []
        values = {
            "stage": STAGE,
            "why": look.why,
            "persons": sorted(look.persons),
            "matched": sorted(look.matched),
            "decisions": sorted(look.decisions),
        }
        return [row["item_id"] for row in self.barometre.rows(MARK.format(clips=CONCERNED), values)]

    def _erase(self, person_id: str) -> VoiceErasure:
        """One transaction around all of it: until the objects are seen gone, no row says that they are."""
        values = {"person": person_id, "stage": STAGE, "why": "voice bank changed: 1 forgotten"}
        vectors = sorted(vector_hash(v.vector) for v in self.vectors(person_id))
        with self.barometre.connect() as connection:
            marked = [row["item_id"] for row in connection.execute(MARK.format(clips=CARRYING).encode(), values)]
            removed = connection.execute("DELETE FROM voice_vectors WHERE person_id = %(person)s", values).rowcount
            rows = connection.execute(
                "DELETE FROM voice_samples WHERE person_id = %(person)s RETURNING sha256, bucket, object_key", values
            ).fetchall()
            connection.execute("DELETE FROM speaker_names WHERE person_id = %(person)s", values)
            connection.execute("DELETE FROM voices WHERE person_id = %(person)s", values)
            # Where samples lie is said by their rows; a bucket they name and the store lacks is an error, not an absence.
            places = {(row["bucket"], _folder_of(row["object_key"], person_id)) for row in rows}
            if self.lake.has_bucket(self.bucket):
                places.add((self.bucket, self._folder(person_id)))
            erasure = VoiceErasure(
                person_id=person_id,
                erased_at=datetime.now(UTC),
                samples=len(rows),
                objects=sum(erased(self.lake, bucket, prefix) for bucket, prefix in sorted(places)),
                vectors=removed,
                clips=sorted(marked),
                proof=erasure_proof((row["sha256"] for row in rows), vectors),
            )
            insert(connection, "voice_erasures", erasure)
        return erasure

    def _forgotten(self, reference: str, who: str) -> VoiceErasure:
        done = self.barometre.read(VoiceErasure, person_id=reference)
        if not done:
            raise Permanent(f"nobody enrolled or forgotten has the id or name {reference!r}; `climate voices list` names them")
        if self.lake.has_bucket(self.bucket):
            erased(self.lake, self.bucket, self._folder(reference))
        self._log(who, "forget", reference)
        return done[0]

    def _entry(self, asked: Enrolment, now: datetime) -> Voice:
        """The voice under that name, with what is stated of it now; a new one if there is none."""
        old = self._named(asked.name)
        if old is None:
            details = (asked.name, asked.role, asked.organisation, asked.legal_basis, asked.source, asked.expires_on)
            return Voice(f"p-{secrets.token_hex(8)}", *details, now, now)
        if (old.role, old.organisation) != (asked.role, asked.organisation):
            raise Permanent(
                f"{old.name!r} is enrolled already as {old.role} of {old.organisation or 'no organisation'} ({old.person_id}); "
                "use `climate voices rename` if that changed, or write a name that tells the two apart"
            )
        sources = old.source.split("; ")
        source = old.source if asked.source in (*sources, old.source) else f"{old.source}; {asked.source}"
        stated = replace(old, legal_basis=asked.legal_basis, source=source, expires_on=asked.expires_on)
        return old if stated == old else replace(stated, updated_at=now)

    def _found(self, reference: str) -> Voice | None:
        by_id = self.barometre.read(Voice, person_id=reference)
        return by_id[0] if by_id else self._named(reference)

    def _named(self, name: str) -> Voice | None:
        return next((voice for voice in self.voices() if voice.name.casefold() == name.casefold()), None)

    def _folder(self, person_id: str) -> str:
        return f"{self.prefix}person={person_id}/"

    def _row(self, voice: Voice, sample: Sample) -> VoiceSample:
        digest = hashlib.sha256(sample.content).hexdigest()
        key = f"{self._folder(voice.person_id)}sha256={digest}.{sample.extension}"
        return VoiceSample(voice.person_id, digest, self.bucket, key, sample.seconds)

    def _must_be_on(self) -> None:
        if self.off:
            raise Permanent(self.off)

    def _log(self, who: str, action: str, person_id: str) -> None:
        with self.barometre.connect() as connection:
            insert(connection, "voice_access", access(who, action, person_id))


def _folder_of(key: str, person_id: str) -> str:
    """The person's folder that holds a sample; the sample alone, if it lies in none."""
    folder = f"person={person_id}/"
    before, found, _ = key.partition(folder)
    return f"{before}{folder}" if found else key
