"""The one composer: stages, resources, sensors and schedules become the platform's Definitions.

Run by Dagster when it loads the code location. Nothing imports this module, and importing it does nothing.
"""

import dagster as dg

from climate_assets import partitions, policies
from climate_assets.broadcast import assets as broadcast
from climate_assets.broadcast import checks as broadcast_checks
from climate_assets.claims import assets as claims
from climate_assets.claims import checks as claims_checks
from climate_assets.labelling import assets as labelling
from climate_assets.labelling import checks as labelling_checks
from climate_assets.learning import assets as learning
from climate_assets.learning import checks as learning_checks
from climate_assets.learning.appointing import put_in_place
from climate_assets.posts import assets as posts
from climate_assets.posts import checks as posts_checks
from climate_assets.posts import entity_assets, entity_checks
from climate_assets.speech import assets as speech
from climate_assets.speech import checks as speech_checks
from climate_assets.speech import recording_assets as recordings
from resources import bindings
from sensors import alerts, answers, automation, countries, follow_ups, grids, schedules, voices
from sensors import learning as loop
from sensors import posts as posts_inbox
from sensors import recordings as inbox

STAGES = {
    "broadcast": [broadcast],
    "claims": [claims],
    "speech": [speech],
    "recordings": [recordings],
    "labelling": [labelling],
    "posts": [posts, entity_assets],
    "learning": [learning],
}
CHECKS = [broadcast_checks, claims_checks, speech_checks, labelling_checks, posts_checks, entity_checks, learning_checks]


@dg.definitions
def defs() -> dg.Definitions:
    """Everything Dagster knows of the platform."""
    assets = [asset for group, modules in STAGES.items() for asset in dg.load_assets_from_modules(modules, group_name=group)]
    fetch = dg.define_asset_job(schedules.FETCH, selection="mediatree_dumps", tags=policies.MAX_RUNTIME)
    line = dg.define_asset_job("broadcast_to_labelling", selection=partitions.daily, tags=policies.MAX_RUNTIME)
    composed = dg.Definitions(
        assets=assets,
        asset_checks=dg.load_asset_checks_from_modules(CHECKS),
        jobs=[fetch, line, follow_ups.cut_again, loop.measure_round, loop.train_challenger, put_in_place],
        schedules=schedules.schedules(bindings.reference().countries()),
        sensors=[
            # A recording is asked for as a whole by the sensor on the inbox, a round of the loop by those of the loop.
            *automation.automation(group for group in STAGES if group not in ("recordings", "learning")),
            countries.countries_added,
            grids.grids_edited,
            follow_ups.failed_states,
            follow_ups.late_data,
            follow_ups.adverts_learnt,
            inbox.recordings_arrived,
            posts_inbox.posts_arrived,
            voices.voices_changed,
            answers.doorbell_rang,
            answers.answers_changed,
            loop.labels_settled,
            loop.gate_failed,
            loop.rounds_unfinished,
            loop.champion_moved,
            loop.queue_forgotten,
            alerts.run_failed,
        ],
        resources=bindings.resources(),
        # Light stages of a partition are steps of one run in one process: a process of its own costs 10 s of imports.
        executor=dg.in_process_executor,
    )
    return composed.map_asset_specs(
        func=lambda spec: (
            # A round of the loop is made when people have answered, not by the clock.
            spec if spec.group_name == "learning" else dg.apply_freshness_policy(spec, policies.fresh)
        ).replace_attributes(owners=policies.OWNERS)
    )
