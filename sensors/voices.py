"""A change of the voice bank asks for past clips again: enrolled, renamed, forgotten, or expired by the mere passing of days.

The cursor is the bank as it was seen last, person by person, without a name or a vector. Which clips a change concerns is
`speech/reattribution.py`; clips are put to pending, and the sensor on failed states asks for their runs.
"""

from datetime import UTC, datetime

import dagster as dg

from climate_assets.speech.reattribution import from_text, look_again, to_text, unheard
from resources.voice_bank import VoiceBank


@dg.sensor(minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def voices_changed(context: dg.SensorEvaluationContext, voice_bank: VoiceBank) -> dg.SensorResult:
    """Marks past clips whose speakers the voice bank would name otherwise now, and only those.

    Also while the bank is off: then nobody is newly heard, but who is forgotten or expired still goes.
    """
    bank = voice_bank.fingerprints(datetime.now(UTC).date())
    before, comparing = from_text(context.cursor), not voice_bank.off
    look = look_again(before, bank, voice_bank.carried(), comparing=comparing)
    # Marked before it is remembered: a tick that is killed between the two marks the same clips again.
    marked = voice_bank.mark(look)
    said = f"{look.why}: {len(marked)} clips are to be made again" if look else "the voice bank is as it was"
    return dg.SensorResult(skip_reason=said, cursor=to_text(bank if comparing else unheard(before, bank)))
