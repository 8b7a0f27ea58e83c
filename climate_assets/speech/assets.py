"""The speech stage: the sound of chunks that matter, what was really said in it, who spoke, who that is.

Each asset reads clips, hands them to a join of this stage, reports. The same joins make what people upload:
`recording_assets.py`.
"""

from collections import Counter
from typing import Any

import dagster as dg

from climate_assets import policies
from climate_assets.claims import assets as claims
from climate_assets.partitions import country_day, slices_of
from climate_assets.speech import attributing, hearing, intake, speaking
from climate_assets.speech.records import AttributedClip, Clip, Identity, Transcript, Turn
from climate_assets.tables import bars, columns_of, report
from resources.diarizer import Diarizer
from resources.media import AudioExport
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.s3 import Lake
from resources.voice_bank import VoiceBank
from resources.whisper import Whisper


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    deps=[claims.classified_chunks],
    automation_condition=policies.follow_upstream,
    pool="audio",
    kinds={"s3", "postgres"},
    code_version="1",
    metadata=columns_of(Clip),
)
def audio_clips(
    context: dg.AssetExecutionContext, reference: ReferenceFiles, barometre: Barometre, lake: Lake, audio: AudioExport
) -> dg.MaterializeResult[Any]:
    """The sound of chunks at or above the threshold and of the audit slice; missing sound is a state with a reason."""
    countries = reference.countries()
    for code, day in slices_of(context):
        states = intake.fetch_clips(countries[code], day, barometre, lake, audio)
        clips = barometre.read(Clip, country=code, day=day)
        minutes = dg.MetadataValue.float(sum(c.seconds for c in clips) / 60)
        report(context, code, day, states.changes[code, day], len(clips), minutes=minutes, **states.told(code, day))
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    deps=[audio_clips],
    automation_condition=policies.follow_upstream,
    pool="gpu",
    kinds={"s3", "postgres", "whisper"},
    code_version="1",
    metadata=columns_of(Transcript),
)
def whisper_transcripts(
    context: dg.AssetExecutionContext, reference: ReferenceFiles, barometre: Barometre, lake: Lake, whisper: Whisper
) -> dg.MaterializeResult[Any]:
    """What is heard in each clip, word by word with times, beside how far it is from the source's text.

    Text that a recogniser is known to invent is kept with its reason and not believed.
    """
    states = hearing.transcribe("whisper_transcripts", _clips(context, barometre), barometre, lake, whisper, reference)
    for code, day in slices_of(context):
        made = barometre.read(Transcript, country=code, day=day)
        rates = [t.word_error_rate for t in made if t.word_error_rate is not None]
        report(
            context,
            code,
            day,
            states.changes[code, day],
            len(made),
            words=sum(t.words for t in made),
            gated=sum(t.gated for t in made),
            median_difference=dg.MetadataValue.float(sorted(rates)[len(rates) // 2]) if rates else None,
            differences=bars({t.clip_id: t.word_error_rate for t in made if t.word_error_rate is not None}, "WER"),
            **states.told(code, day),
        )
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    deps=[audio_clips],
    automation_condition=policies.follow_upstream,
    pool="gpu",
    kinds={"postgres", "pytorch"},
    code_version="1",
    metadata=columns_of(Turn),
)
def speaker_turns(
    context: dg.AssetExecutionContext, reference: ReferenceFiles, barometre: Barometre, lake: Lake, diarizer: Diarizer
) -> dg.MaterializeResult[Any]:
    """Who speaks from when to when, by label; overlap is kept. Skipped, with the reason, without the extra `speakers`."""
    hints = {code: country.speech for code, country in reference.countries().by_code.items()}
    states = speaking.divide("speaker_turns", _clips(context, barometre), barometre, lake, diarizer, hints)
    for code, day in slices_of(context):
        turns = barometre.read(Turn, country=code, day=day, exclusive=False)
        voices = len({(t.clip_id, t.speaker) for t in turns})
        report(context, code, day, states.changes[code, day], len(turns), voices=voices, **states.told(code, day))
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    deps=[speaker_turns],
    automation_condition=policies.follow_upstream,
    pool="gpu",
    kinds={"postgres", "pytorch"},
    code_version="1",
    metadata=columns_of(Identity),
)
def named_speakers(
    context: dg.AssetExecutionContext, barometre: Barometre, lake: Lake, diarizer: Diarizer, voice_bank: VoiceBank
) -> dg.MaterializeResult[Any]:
    """Who each speaker is, if the voice bank is on and knows the voice; `unknown` otherwise. No unknown voice is kept."""
    states = speaking.name("named_speakers", _clips(context, barometre), barometre, lake, diarizer, voice_bank)
    for code, day in slices_of(context):
        made = barometre.read(Identity, country=code, day=day)
        decisions = bars(Counter(i.decision for i in made), "voices")
        report(context, code, day, states.changes[code, day], len(made), decisions=decisions, **states.told(code, day))
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    deps=[whisper_transcripts, named_speakers],
    automation_condition=policies.follow_upstream,
    kinds={"s3", "postgres"},
    code_version="1",
    metadata=columns_of(AttributedClip),
)
def attributed_transcripts(
    context: dg.AssetExecutionContext, reference: ReferenceFiles, barometre: Barometre, lake: Lake
) -> dg.MaterializeResult[Any]:
    """Each word with its speaker, the verdict's quote as heard, who answers it; as rows, legacy JSON, WebVTT, Markdown, PDF."""
    states = attributing.attribute("attributed_transcripts", _clips(context, barometre), barometre, lake, reference)
    for code, day in slices_of(context):
        made = barometre.read(AttributedClip, country=code, day=day)
        report(
            context,
            code,
            day,
            states.changes[code, day],
            len(made),
            utterances=sum(a.utterances for a in made),
            quotes_found=sum(a.quote_start is not None for a in made),
            challenged=sum(a.challenged_hint for a in made),
            folders=dg.MetadataValue.json([a.folder for a in made]),
            **states.told(code, day),
        )
    return dg.MaterializeResult()


def _clips(context: dg.AssetExecutionContext, barometre: Barometre) -> list[Clip]:
    return [clip for code, day in slices_of(context) for clip in barometre.read(Clip, country=code, day=day)]
