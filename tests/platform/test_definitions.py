"""The code location as the server loads it, and every asset as the catalogue shows it."""

import dagster as dg
import pytest

from climate_assets import definitions as location
from climate_assets import policies
from climate_assets.definitions import STAGES

EXTERNAL = {dg.AssetKey(name) for name in ("programme_grid", "uploaded_recordings", "label_studio_answers", "champion")}
GRAPH = {
    "mediatree_dumps": set(),
    "programme_labels": {"mediatree_dumps", "programme_grid"},
    "keyword_chunks": {"mediatree_dumps"},
    "ad_intervals": {"mediatree_dumps"},
    "clean_chunks": {"keyword_chunks", "ad_intervals"},
    "airtime": {"clean_chunks"},
    "classified_chunks": {"clean_chunks", "champion"},
    "audio_clips": {"classified_chunks"},
    "whisper_transcripts": {"audio_clips"},
    "speaker_turns": {"audio_clips"},
    "named_speakers": {"speaker_turns"},
    "attributed_transcripts": {"whisper_transcripts", "named_speakers"},
    "recording_clips": {"uploaded_recordings"},
    "recording_transcripts": {"recording_clips"},
    "recording_turns": {"recording_clips"},
    "recording_speakers": {"recording_turns"},
    "attributed_recordings": {"recording_transcripts", "recording_speakers"},
    "labelstudio_tasks": {"classified_chunks", "programme_labels", "attributed_transcripts"},
    "annotations": {"label_studio_answers"},
    "gold_labels": {"annotations"},
    "adjudication_tasks": {"gold_labels"},
    "posts": set(),
    "post_entities": {"posts"},
    "post_tasks": {"post_entities"},
    "evaluation": {"gold_labels"},
    "training_set": {"evaluation"},
    "candidate_model": {"training_set"},
    "promotion": {"candidate_model"},
}


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    loaded = location.defs() if callable(location.defs) else location.defs
    assert isinstance(loaded, dg.Definitions)
    return loaded


def test_definitions_are_sound(defs: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(defs)


def test_the_graph_is_the_one_on_the_design_page(defs: dg.Definitions) -> None:
    nodes = defs.resolve_asset_graph().asset_nodes
    made = {n.key.to_user_string(): {p.to_user_string() for p in n.parent_keys} for n in nodes if n.is_materializable}
    assert made == GRAPH


def test_no_phantom_upstream(defs: dg.Definitions) -> None:
    """Trap 5: a misspelt dependency loads as an external node."""
    nodes = defs.resolve_asset_graph().asset_nodes
    assert {n.key for n in nodes if not n.is_materializable} == EXTERNAL


def test_every_asset_tells_what_it_is(defs: dg.Definitions) -> None:
    specs = [s for s in defs.resolve_all_asset_specs() if s.key not in EXTERNAL]
    assert len(specs) == len(GRAPH)
    for spec in specs:
        assert spec.group_name in STAGES, spec.key
        assert spec.owners, spec.key
        assert spec.kinds, spec.key
        assert spec.description, spec.key
        assert spec.code_version, spec.key
        # A round of the loop is made when people have answered, not by the clock.
        assert bool(spec.freshness_policy) is (spec.group_name != "learning"), spec.key
        assert isinstance(spec.metadata["dagster/column_schema"], dg.TableSchema), spec.key
        assert all(c.description for c in spec.metadata["dagster/column_schema"].columns), spec.key


def test_every_materialisation_is_annotated(defs: dg.Definitions) -> None:
    """Trap 6: a single-run backfill of an asset without a return annotation meets the pickle manager."""
    for node in defs.resolve_asset_graph().asset_nodes:
        if node.is_materializable:
            by_country = node.key.to_user_string() in ("annotations", "gold_labels", "adjudication_tasks")
            alone = by_country or node.group_name == "learning"
            assert node.backfill_policy == (policies.each_alone if alone else policies.whole_range)


def test_every_group_has_one_running_automation_sensor(defs: dg.Definitions) -> None:
    sensors = [s for s in defs.sensors or [] if isinstance(s, dg.AutomationConditionSensorDefinition)]
    nodes = [n for n in defs.resolve_asset_graph().asset_nodes if n.is_materializable]
    followed = {n.group_name for n in nodes if n.automation_condition is not None}
    # A recording is asked for as a whole, when it arrives; a round of the loop by the sensors of the loop.
    assert followed == set(STAGES) - {"recordings", "learning"}
    assert {s.name for s in sensors} == {f"{group}_follows" for group in followed}
    assert all(s.default_status == dg.DefaultSensorStatus.RUNNING for s in sensors)


def test_every_country_has_its_schedule_in_its_own_zone(defs: dg.Definitions) -> None:
    zones = {s.name: s.execution_timezone for s in defs.schedules or [] if isinstance(s, dg.ScheduleDefinition)}
    assert zones["fetch_brazil"] == "America/Sao_Paulo"
    assert zones["fetch_belgium_flanders"] == "Europe/Brussels"
    assert len(zones) == 7
