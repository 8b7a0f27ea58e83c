"""Who evaluates the automation conditions: one sensor a group, so that a group can be switched off in the UI."""

from collections.abc import Iterable

import dagster as dg


def automation(groups: Iterable[str]) -> list[dg.AutomationConditionSensorDefinition]:
    """One running automation sensor for each group of assets (Dagster's own default is stopped)."""
    return [
        dg.AutomationConditionSensorDefinition(
            f"{group}_follows",
            target=dg.AssetSelection.groups(group),
            default_status=dg.DefaultSensorStatus.RUNNING,
            minimum_interval_seconds=30,
            description=f"Makes what is downstream in group {group} once its upstream is made and sound.",
        )
        for group in groups
    ]
