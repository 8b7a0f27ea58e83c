"""How many people one task is for: several for a share of them, one for the others; of a missed case, a second and a third.

The same answer for whoever asks: what Label Studio is told, and how many answers a label waits for (`gold.py`). The share is
decided by the item's id alone, and spread over score and audit picks alike, so that agreement is measured on both. Telling
Label Studio is `resources/label_studio_people.py`.
"""

from collections.abc import Sequence

from climate_assets.claims.sampling import AUDIT, uniform
from climate_assets.countries import Overlap
from climate_assets.labelling.votes import CASE


def people_for(item_id: str, overlap: Overlap) -> int:
    """People who are to answer about an item, 1 to 10; the same as long as the setting is.

    A larger share keeps every item of a smaller one.
    """
    return overlap.people if uniform("overlap", item_id) < overlap.share else 1


def people_needed(people: int, sampling: str, said: Sequence[str]) -> int:
    """People who are to answer about an item that was for `people`, once some have said what they assess.

    A case in the random slice stands for as many chunks as the slice left out for each: ten, of one in ten. One error among
    hundreds of clean chunks would so look like ten missed cases, and is the commonest of all. So a second person looks, and a
    third if the two differ. More answers never ask for fewer people.
    """
    if sampling != AUDIT or CASE not in said:
        return people
    return max(people, 2 if len(set(said)) == 1 else 3)
