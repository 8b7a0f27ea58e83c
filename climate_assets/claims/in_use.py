"""The models that are or were in use, as the register has them: which verdict stands, and from which score on it counts.

What follows from it is `standing.py`.
"""

from climate_assets.claims.standing import InUse
from resources.postgres import Barometre

_PUT_IN_USE = "SELECT challenger_id AS model FROM promotions WHERE outcome <> 'refused' ORDER BY decided_at, decision_id"
_THRESHOLDS = "SELECT model_id AS model, threshold FROM model_versions WHERE task_kind = 'misinfo' AND threshold IS NOT NULL"


def in_use(barometre: Barometre) -> InUse:
    """Models by the order in which they were last put in use, and the thresholds that came with them."""
    order = {row["model"]: place for place, row in enumerate(barometre.rows(_PUT_IN_USE))}
    return InUse(order, {row["model"]: round(row["threshold"]) for row in barometre.rows(_THRESHOLDS)})
