"""When, how often, how many at once, how patiently - each a named value with its reason beside it.

What is decided from the content of tables is no policy: it is a pure function of a stage, delivered by a sensor.
"""

from datetime import timedelta
from typing import Final

import dagster as dg

from climate_assets.learning.comparison import Policy
from climate_assets.learning.iterations import LoopPolicy

# A backfill of a month is one run a country: each stage reads and writes many days faster than runs start.
whole_range: Final = dg.BackfillPolicy.single_run()

# What people answered in one country is read whatever is wrong with another: a run each, also when all are asked for at once.
each_alone: Final = dg.BackfillPolicy.multi_run(1)

# Late days count, so the latest window alone is not enough. Nothing follows data whose blocking checks are red: a
# blocking check stops only its own run, and a plain `eager` fires at the next tick. A failed step is tried once more
# when it has failed; after that a person or the sensor on failed states decides.
follow_upstream: Final = (
    (
        dg.AutomationCondition.eager().without(dg.AutomationCondition.in_latest_time_window())
        | (dg.AutomationCondition.execution_failed().newly_true() & ~dg.AutomationCondition.in_progress())
    )
    & dg.AutomationCondition.all_deps_blocking_checks_passed()
).with_label("follow upstream, once it is sound")

# The outside is out of order for minutes more often than for seconds; jitter keeps countries from returning together.
patient: Final = dg.RetryPolicy(max_retries=2, delay=20, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)

# Twice a day a country is fetched; one missed turn is noticed, a night and a day without news is an incident.
fresh: Final = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=36), warn_window=timedelta(hours=18))

# Pools and their limits, set on the instance at start-up: what is scarce outside, not how busy we may be.
POOLS: Final[dict[str, int]] = {
    "mediatree": 2,  # fetches at once: the source states no rate limit, so we stay modest
    "adverts": 1,  # reads two weeks of a country into memory
    "models": 1,  # judges; the budget is reserved call by call, the money is spent in one place
    "gpu": 1,  # models of speech: each takes most of a card, so they take turns
    "audio": 2,  # exports fetched and decoded at once
    "posts": 1,  # a server's rate limit is kept by who asks it, so only one asks
    "label_studio": 1,  # one writer, so that a list-difference before a push stays true
}

# Days that are looked at again for late data (the source completes a day for about a week).
LATE_DAYS: Final = 7

# Days before and after a day in which an advert's other airings are sought.
ADVERT_LOOK_BACK_DAYS: Final = 7

# Below this share of expected chunks a day is reported as incomplete.
COVERAGE_FLOOR: Final = 0.95

# Share of a day's chunks that may be dead before the partition is red.
DEAD_LIMIT: Final = 0.02

# Tries of a clip at one stage of speech; then its task goes without sound and a person looks at the clip.
SPEECH_ATTEMPTS: Final = 5

# Share of a clip that may be speech without a word before a person is asked to listen.
UNHEARD_SHARE: Final = 0.3

# Share of a day's voices that may be ambiguous before the voice bank is called wrong.
UNKNOWN_SHARE: Final = 0.5

# Longest a run may take before run monitoring ends it, seconds.
MAX_RUNTIME: Final = {"dagster/max_runtime": "14400"}

OWNERS: Final = ["team:climate-data"]

# One seed for everything that learning draws: with the same labels, figures and models are the same.
SEED: Final = 20261121

# Share of cases that people should be asked about: a model's own threshold is the highest score that keeps it on dev labels.
RECALL: Final = 0.9

# Share of what is flagged that is a case, below which no threshold goes for the sake of recall: what the system before this one
# reached, two of three reviews being false alarms (facts on verdicts, section 6).
LEAST_PRECISION: Final = 1 / 3

# Cases on dev that such a threshold needs; with fewer it is luck, and the country's stays in force.
LEAST_CASES: Final = 10

# The standard, by task kind: F1 of cases that stand. Verdicts: what the better published classifiers of claims reach (.79 to
# .83, facts on verdicts, section 6). Entities: of the worst label with enough support.
STANDARDS: Final = {"misinfo": 0.8, "ner": 0.8}

# How long a loop goes on, by task kind.
LOOPS: Final = {"misinfo": LoopPolicy(), "ner": LoopPolicy()}

# What a challenger has to show, by task kind. For verdicts the area under precision and recall: it asks for no threshold, so
# that a few labels of the random slice, each of which stands for many chunks, do not decide alone.
PROMOTIONS: Final = {
    "misinfo": Policy(measure="pr_auc"),
    "ner": Policy(measure="f1"),
}

# Days before the newest one whose verdicts a new champion makes again: what was said last week may still be answered on air.
# Older verdicts stand as they were made.
REJUDGED_DAYS: Final = 7

# Days after which an open task is called forgotten.
STALE_DAYS: Final = 14
