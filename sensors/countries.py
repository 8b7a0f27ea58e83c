"""A country that is added to the file, or changed in it, gets its partitions, its buckets and its Label Studio project.

Nothing is ever taken away: a country that leaves the file keeps what it has, and simply gets no new days.
"""

import hashlib
from pathlib import Path

import dagster as dg

from climate_assets import partitions
from climate_assets.broadcast.records import ChannelLabel
from climate_assets.failures import Transient
from climate_assets.labelling.projects import project_of
from resources.label_studio import LabelStudio
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.s3 import DUMPS, LAKE, Lake


def establish(reference: ReferenceFiles, barometre: Barometre, lake: Lake, label_studio: LabelStudio) -> list[str]:
    """Make what each country of the file needs, where it is missing; the codes of all countries."""
    known = reference.countries()
    for bucket in (DUMPS, LAKE):
        lake.ensure_bucket(bucket)
    for country in known.by_code.values():
        lake.ensure_bucket(country.bucket)
        labels = [ChannelLabel(country.code, c.name, c.title, c.radio, country.zone) for c in country.channels]
        barometre.replace(labels, ChannelLabel, country=country.code)
    for country in known.by_code.values():
        project_of(country, barometre, label_studio)
    return known.codes


@dg.sensor(minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def countries_added(
    context: dg.SensorEvaluationContext,
    reference: ReferenceFiles,
    barometre: Barometre,
    lake: Lake,
    label_studio: LabelStudio,
) -> dg.SensorResult | dg.SkipReason:
    """Opens partitions, buckets and projects for countries that are new in the countries file, and takes in its edits."""
    version = hashlib.sha256(Path(reference.countries_file).read_bytes()).hexdigest()
    known = set(context.instance.get_dynamic_partitions(partitions.COUNTRY))
    new = [code for code in reference.countries().codes if code not in known]
    if not new and version == context.cursor:
        return dg.SkipReason(f"the {len(known)} countries are as they were")
    # Also when only a channel is new: SQL knows a channel's title and zone from here.
    requests = [partitions.country.build_add_request(new)] if new else []
    try:
        establish(reference, barometre, lake, label_studio)
    except Transient as trouble:
        # Days can be fetched without Label Studio; without a new cursor the next tick makes the projects.
        context.log.warning(str(trouble))
        return dg.SensorResult(dynamic_partitions_requests=requests, cursor=context.cursor)
    return dg.SensorResult(dynamic_partitions_requests=requests, cursor=version)
