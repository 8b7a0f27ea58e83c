"""Every way the work is sliced. A slice no run ever asks for on its own is a column, not a partition.

Countries are dynamic: adding a block to the countries file adds a partition, without a new deployment. Days carry the
label of the country's own day; the definition counts in UTC and ends with tomorrow, so that today is a partition in
every zone. Which instants a day holds is known by `countries.Country.day_bounds` alone.
"""

from datetime import date
from typing import Final

import dagster as dg

COUNTRY: Final = "country"
DAY: Final = "day"
RECORDING: Final = "recording"
ROUND: Final = "round"
LINE: Final = "line"

# Monitoring of the present perimeter begins in March 2023; seven countries stay below 100,000 partitions until 2062.
FIRST_DAY: Final = "2023-03-01"

country = dg.DynamicPartitionsDefinition(name=COUNTRY)
day = dg.DailyPartitionsDefinition(start_date=FIRST_DAY, timezone="UTC", end_offset=2)
# A recording belongs to no country and no broadcast day; its key is the SHA-256 of its bytes.
recording = dg.DynamicPartitionsDefinition(name=RECORDING)
# A round of a loop: what was measured, learnt and decided at one time; its key is the line of models and a number.
learning_round = dg.DynamicPartitionsDefinition(name=ROUND)
# A line of models: task kind and language. The model in use is told by it.
line = dg.DynamicPartitionsDefinition(name=LINE)
country_day = dg.MultiPartitionsDefinition({COUNTRY: country, DAY: day})

# What is made by country and day: a job or a sensor can ask for assets of one way of slicing only. People answer when they
# like, so what they said is sliced by country alone.
by_country: Final = dg.AssetSelection.assets("annotations", "gold_labels", "adjudication_tasks")
daily: Final = dg.AssetSelection.all() - dg.AssetSelection.groups("recordings", "learning") - by_country


def key_of(country_code: str, of_day: date) -> dg.MultiPartitionKey:
    """The partition key of one country and day."""
    return dg.MultiPartitionKey({COUNTRY: country_code, DAY: of_day.isoformat()})


def slice_of(key: str) -> tuple[str, date]:
    """Country code and day of a partition key (its dimensions stand in alphabetical order)."""
    code, text = key.split("|")
    return code, date.fromisoformat(text)


def slices_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> list[tuple[str, date]]:
    """Countries and days that a run is asked for: one, or all of a backfill."""
    return [slice_of(key) for key in context.partition_keys]
