"""How many people one task is for: several for a share of them, one for the others, decided by the item's id alone.

The same answer for whoever asks: what Label Studio is told, and how many answers a label waits for (`gold.py`). The share is
spread over score and audit picks alike, so that agreement is measured on both. Telling Label Studio is
`resources/label_studio_people.py`.
"""

from climate_assets.claims.sampling import uniform
from climate_assets.countries import Overlap


def people_for(item_id: str, overlap: Overlap) -> int:
    """People who are to answer about an item, 1 to 10; the same as long as the setting is.

    A larger share keeps every item of a smaller one.
    """
    return overlap.people if uniform("overlap", item_id) < overlap.share else 1
