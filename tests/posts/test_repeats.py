"""Posts that say the same in the same words are one group, named by the first; what is merely alike is not."""

import pytest

from climate_assets.posts.repeats import group_ids, groups_of
from tests.posts.cases import post

LONG = "le charbon a encore fourni deux térawattheures en octobre, on nous avait dit que c'était fini"


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        (LONG, LONG, True),
        (LONG, f"RT @lou : {LONG.upper()} !!!", True),
        (LONG, f"voilà : {LONG[:50]} https://x.example/1 😡", True),
        ("Il pleut", "il pleut 🐸", True),
        ("Il pleut", "il pleut encore", False),
        (LONG, "le gaz a encore fourni trois fois plus en novembre", False),
        ("🤡", "😂😂", False),
    ],
)
def test_near_duplicates(one: str, other: str, near: bool) -> None:
    assert groups_of([("a", one), ("b", other)]) == {"a": "a", "b": "a" if near else "b"}


def test_a_duplicate_of_a_duplicate_is_in_the_group_and_the_first_post_names_it() -> None:
    words = [f"mot{n}" for n in range(24)]
    texts = [" ".join(words[:10]), " ".join(words[12:]), " ".join(words[1:21])]
    assert set(groups_of(list(zip("abc", texts, strict=True))).values()) == {"a"}
    late = post(text=LONG, post_id="ecume/a")
    early = post(text=LONG, post_id="ecume/z", published_at=late.published_at.replace(hour=1))
    assert group_ids([late, early]) == {"ecume/a": "ecume/z", "ecume/z": "ecume/z"}
