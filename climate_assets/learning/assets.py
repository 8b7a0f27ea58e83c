"""The learning stage: how good the model in use is, what the next one learns from, that model, and whether it takes over.

A partition is one round of a loop: `misinfo-french-003`. Sensors begin rounds and ask for trainings; a person can launch or
leave out any of these assets, and overrule a decision (`models_put_in_place`).
"""

from collections import Counter
from typing import Any

import dagster as dg

from climate_assets import policies
from climate_assets.labelling import assets as labelling
from climate_assets.learning import turning
from climate_assets.learning.learners import Learners
from climate_assets.learning.lines import line_of, training_key
from climate_assets.learning.records import ModelVersion, Promotion, Score, TrainingExample
from climate_assets.learning.tuning_files import tuning_files
from climate_assets.partitions import learning_round, line
from climate_assets.tables import bars, columns_of, report_partition
from resources.entities import Entities
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.registry import ModelRegistry
from resources.s3 import LAKE, Lake
from resources.student import StudentShelf

# Reported by a sensor when the register says that another model is in use, whoever decided it.
champion = dg.AssetSpec(
    "champion", description="The model in use, as the register of models says.", partitions_def=line, kinds={"postgres"}
)


@dg.asset(
    partitions_def=learning_round,
    backfill_policy=policies.each_alone,
    deps=[dg.AssetDep(labelling.gold_labels, partition_mapping=dg.AllPartitionMapping())],
    kinds={"postgres", "python"},
    code_version="1",
    metadata=columns_of(Score),
)
def evaluation(
    context: dg.AssetExecutionContext,
    reference: ReferenceFiles,
    barometre: Barometre,
    registry: ModelRegistry,
    student: StudentShelf,
    entities: Entities,
) -> dg.MaterializeResult[Any]:
    """How good the model in use is on labels that no model has learnt from, with intervals, and what follows from it.

    Each chunk counts by the inverse of its chance to be asked about: figures speak of all that was judged.
    """
    learners = Learners(reference, barometre, registry, student, entities)
    for key in context.partition_keys:
        done = turning.evaluated(key, learners.of(key), barometre)
        made = done.round
        report_partition(
            context,
            key,
            done.change,
            len(done.figures.scores),
            model=made.champion_id,
            measure=made.measure,
            value=made.value,
            low=made.low,
            high=made.high,
            standard=made.target,
            what_follows=made.move,
            why=made.why,
            labels_by_side=bars(done.sides, "items"),
            **done.figures.shown,
        )
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=learning_round,
    backfill_policy=policies.each_alone,
    deps=[evaluation],
    kinds={"s3", "parquet"},
    code_version="1",
    metadata=columns_of(TrainingExample),
)
def training_set(
    context: dg.AssetExecutionContext,
    reference: ReferenceFiles,
    barometre: Barometre,
    lake: Lake,
    registry: ModelRegistry,
    student: StudentShelf,
    entities: Entities,
) -> dg.MaterializeResult[Any]:
    """What the next model may see: labels to learn from and labels to choose its threshold on, as one file; nothing held out.

    Beside it, for hosted models: a fine-tuning set in their JSON lines, and a few examples for a prompt.
    """
    learners = Learners(reference, barometre, registry, student, entities)
    for key in context.partition_keys:
        examples, written = turning.training_set(key, learners.of(key), barometre, lake)
        files, left_out = tuning_files(key, examples)
        objects = written + sum(lake.put(LAKE, name, content) for name, content in files.items())
        context.add_asset_metadata(
            {
                "dagster/partition_row_count": len(examples),
                "objects_written": objects,
                "file": training_key(key),
                "for_hosted_models": ", ".join(sorted(files)) or left_out,
                "examples_by_label": bars(Counter(f"{e.split}: {e.label}"[:60] for e in examples), "items"),
            },
            partition_key=key,
        )
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=learning_round,
    backfill_policy=policies.each_alone,
    deps=[training_set],
    pool="models",
    kinds={"s3", "postgres", "scikitlearn"},
    code_version="1",
    metadata=columns_of(ModelVersion),
)
def candidate_model(
    context: dg.AssetExecutionContext,
    reference: ReferenceFiles,
    barometre: Barometre,
    lake: Lake,
    registry: ModelRegistry,
    student: StudentShelf,
    entities: Entities,
) -> dg.MaterializeResult[Any]:
    """A challenger: it has learnt what the champion has and the labels of this round, with the same seed the same each time."""
    learners = Learners(reference, barometre, registry, student, entities)
    for key in context.partition_keys:
        made, change = turning.candidate(key, learners.of(key), registry, lake)
        report_partition(
            context,
            key,
            change,
            1,
            model=made.model_id,
            learnt_from=made.parent_id,
            artefact=made.artefact_key,
            threshold=made.threshold,
            parameters=made.parameters,
            why=made.reason,
        )
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=learning_round,
    backfill_policy=policies.each_alone,
    deps=[candidate_model],
    kinds={"postgres", "python"},
    code_version="1",
    metadata=columns_of(Promotion),
)
def promotion(
    context: dg.AssetExecutionContext,
    reference: ReferenceFiles,
    barometre: Barometre,
    registry: ModelRegistry,
    student: StudentShelf,
    entities: Entities,
) -> dg.MaterializeResult[Any]:
    """Whether the challenger takes the champion's place, on the same held-out items, and the sentence why.

    Decided once: the same round again finds its decision. A loss on any channel or label beyond a margin refuses it.
    """
    learners = Learners(reference, barometre, registry, student, entities)
    for key in context.partition_keys:
        done = turning.decided(key, learners.of(key), registry, barometre)
        made = done.promotion
        report_partition(
            context,
            key,
            done.change,
            1,
            outcome=made.outcome,
            why=made.why,
            line=str(line_of(key)[0]),
            champion=made.champion_id,
            challenger=made.challenger_id,
            champion_value=made.champion_value,
            challenger_value=made.challenger_value,
            difference=made.difference,
            **done.figures.shown,
        )
    return dg.MaterializeResult()
