"""What must hold of the speech stage: times lie inside clips, no word is lost, no name is given twice, models take turns."""

import dagster as dg

from climate_assets.partitions import country_day
from climate_assets.policies import UNHEARD_SHARE, UNKNOWN_SHARE
from climate_assets.sentences import IN_SLICES, holds
from climate_assets.speech import assets as speech
from resources.postgres import Barometre


@dg.asset_check(asset=speech.audio_clips, partitions_def=country_day)
def every_chosen_chunk_has_its_sound(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No chunk that is to be heard again waits for its sound, or was refused it."""
    query = f"""SELECT country, day, state, count(*) AS clips, max(reason) AS one_reason FROM stage_states
        WHERE {IN_SLICES} AND stage = 'audio_clips' AND state IN ('pending', 'failed', 'dead') GROUP BY 1, 2, 3"""
    remedy = "Failed ones are asked for again; `climate retry` frees dead ones once their reason is gone."
    return holds(context, barometre, query, remedy, dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=speech.whisper_transcripts, partitions_def=country_day)
def every_clip_is_heard(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """Every clip has a transcript."""
    query = f"""SELECT country, day, state, count(*) AS clips, max(reason) AS one_reason FROM stage_states
        WHERE {IN_SLICES} AND stage = 'whisper_transcripts' AND state <> 'ok' GROUP BY 1, 2, 3"""
    return holds(context, barometre, query, "The reason says what to do; WHISPER_MODEL names the model or its folder.")


@dg.asset_check(asset=speech.whisper_transcripts, partitions_def=country_day)
def speech_seconds_are_covered(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """Where somebody speaks there are words, and where nobody speaks there are none."""
    query = f"""SELECT clip_id, speech_seconds, words, gated, gate_reasons FROM transcripts
        WHERE {IN_SLICES} AND ((words = 0 AND speech_seconds > %(share)s * seconds) OR (words > 0 AND speech_seconds = 0))"""
    remedy = "Listen to the clip: a language other than the country's, music taken for speech, or an invented text."
    return holds(context, barometre, query, remedy, dg.AssetCheckSeverity.WARN, share=UNHEARD_SHARE)


@dg.asset_check(asset=speech.speaker_turns, blocking=True, partitions_def=country_day)
def turns_lie_inside_their_clip(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No turn begins before its clip, ends after it, or before it begins."""
    query = """SELECT t.clip_id, t.start, t."end", c.seconds FROM speaker_turns t JOIN clips c USING (clip_id)
        WHERE (t.country, t.day) IN (SELECT * FROM unnest(%(countries)s::text[], %(days)s::date[]))
        AND (t.start < 0 OR t."end" <= t.start OR t."end" > c.seconds + 0.05)"""
    return holds(context, barometre, query, "The diarizer and the clip disagree about time: make speaker_turns again.")


@dg.asset_check(asset=speech.named_speakers, blocking=True, partitions_def=country_day)
def nobody_is_named_twice_in_a_clip(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No person stands for two speakers of one clip, unless a person said so."""
    query = f"""SELECT clip_id, person_id, count(*) AS speakers FROM identities WHERE {IN_SLICES} AND decision = 'auto'
        GROUP BY 1, 2 HAVING count(*) > 1"""
    return holds(context, barometre, query, "Make named_speakers again; if it stays, lower the diarizer's threshold.")


@dg.asset_check(asset=speech.named_speakers, partitions_def=country_day)
def most_speech_has_a_known_speaker(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """Where the voice bank is on, not all voices are ambiguous: then its threshold or its samples are wrong."""
    query = f"""SELECT country, day, count(*) AS voices, count(*) FILTER (WHERE decision = 'ambiguous') AS ambiguous
        FROM identities WHERE {IN_SLICES} GROUP BY 1, 2
        HAVING count(*) FILTER (WHERE decision = 'ambiguous') > %(share)s * count(*)"""
    remedy = "Enrol more samples of the persons that are taken for each other (`climate voices list`)."
    return holds(context, barometre, query, remedy, dg.AssetCheckSeverity.WARN, share=UNKNOWN_SHARE)


@dg.asset_check(asset=speech.named_speakers, partitions_def=country_day)
def models_take_turns(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No two models of speech were in one machine's memory together, whatever day they worked on."""
    query = """WITH resident AS (
            SELECT l.event_id, l.host, l.stage, l.model, l.at AS since, coalesce(r.at, now()) AS until
            FROM model_events l LEFT JOIN model_events r ON r.event_id = l.event_id AND r.event = 'release'
            WHERE l.event = 'load' AND l.at > now() - interval '30 days')
        SELECT a.host, a.stage AS one, b.stage AS other, a.model AS one_model, b.model AS other_model, b.since
        FROM resident a JOIN resident b ON a.host = b.host AND a.event_id < b.event_id
        AND a.since < b.until AND b.since < a.until ORDER BY b.since DESC LIMIT 20"""
    return holds(context, barometre, query, "Set the limit of pool `gpu` to 1 (`climate doctor`); never load models by hand.")


@dg.asset_check(asset=speech.attributed_transcripts, blocking=True, partitions_def=country_day)
def every_word_has_one_utterance(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """The utterances of a clip hold exactly the words that were heard."""
    query = f"""SELECT t.clip_id, t.words AS heard, coalesce(sum(u.words), 0) AS attributed
        FROM (SELECT * FROM transcripts WHERE {IN_SLICES}) t JOIN attributed_clips a USING (clip_id)
        LEFT JOIN utterances u USING (clip_id) GROUP BY 1, 2 HAVING t.words <> coalesce(sum(u.words), 0)"""
    return holds(context, barometre, query, "Make attributed_transcripts again: words and turns are of two different hearings.")


@dg.asset_check(asset=speech.attributed_transcripts, blocking=True, partitions_def=country_day)
def words_lie_inside_their_clip(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No utterance begins before its clip or ends after it."""
    query = """SELECT u.clip_id, u.number, u.start, u."end", c.seconds FROM utterances u JOIN clips c USING (clip_id)
        WHERE (u.country, u.day) IN (SELECT * FROM unnest(%(countries)s::text[], %(days)s::date[]))
        AND (u.start < 0 OR u."end" < u.start OR u."end" > c.seconds + 0.5)"""
    return holds(context, barometre, query, "The recogniser and the clip disagree about time: make whisper_transcripts again.")
