"""The posts stage, where models and people read posts: what the models in use find in them, and what people are asked.

How posts come in is `assets.py`; what people answer comes back with all other answers (`labelling/assets.py`).
"""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from climate_assets import policies
from climate_assets.failures import Transient
from climate_assets.labelling.records import LabellingTask
from climate_assets.partitions import country_day, slices_of
from climate_assets.posts import assets as posts
from climate_assets.posts.asking import ask
from climate_assets.posts.finding import Champions, Finder, read_posts
from climate_assets.posts.records import PostEntity
from climate_assets.states import State
from climate_assets.tables import bars, columns_of, report
from resources.label_studio import LabelStudio
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.s3 import Lake


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    deps=[posts.posts],
    automation_condition=policies.follow_upstream,
    pool="models",
    kinds={"postgres", "spacy"},
    code_version="1",
    metadata=columns_of(PostEntity),
)
def post_entities(
    context: dg.AssetExecutionContext,
    registry: dg.ResourceParam[Champions],
    entities: dg.ResourceParam[Finder],
    barometre: Barometre,
) -> dg.MaterializeResult[Any]:
    """Names and figures that the model in use for its language finds in each post; that it finds none is kept too.

    What that model has read is not read again, and what an earlier one found stays beside it.
    """
    troubles: list[Exception] = []
    for code, day in slices_of(context):
        done = read_posts(code, day, registry, entities, barometre, datetime.now(UTC))
        report(
            context,
            code,
            day,
            done.change,
            done.entities.total(),
            posts_read=done.posts,
            posts_read_now=done.read_now,
            posts_in_another_language=done.skipped,
            entities_by_label=bars(done.entities, "entities"),
            **{f"model_{lang}": version for lang, version in done.models.items()},
        )
        troubles += done.troubles
    if troubles:
        said = "; ".join(dict.fromkeys(map(str, troubles)))
        raise dg.Failure(said, allow_retries=any(isinstance(trouble, Transient) for trouble in troubles))
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    deps=[post_entities],
    automation_condition=policies.follow_upstream,
    pool="label_studio",
    kinds={"s3", "postgres", "labelstudio"},
    code_version="1",
    metadata=columns_of(LabellingTask),
)
def post_tasks(
    context: dg.AssetExecutionContext,
    reference: ReferenceFiles,
    barometre: Barometre,
    lake: Lake,
    label_studio: LabelStudio,
) -> dg.MaterializeResult[Any]:
    """One question a text: what do its names and figures name; a model's spans are shown beside it.

    The JSON in the bucket is the record of truth. Pushing twice adds nothing; while Label Studio is down tasks stay
    pending and the next tick delivers them.
    """
    countries = reference.countries()
    for code, day in slices_of(context):
        done = ask(countries[code], day, barometre, lake, label_studio)
        if done.trouble:
            context.log.warning(done.trouble)
        report(
            context,
            code,
            day,
            done.change,
            done.states.total(),
            objects_written=done.objects,
            waiting=done.states[State.PENDING],
            waiting_for_entities=done.waiting_for_entities,
            tasks_by_state=bars(done.states, "posts"),
        )
    return dg.MaterializeResult()
