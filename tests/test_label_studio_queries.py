"""Every item that is looked up is asked for, exactly, in questions that fit into an address."""

import json
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from resources.label_studio_answers import item_queries

natives = st.text(alphabet=[chr(n) for n in range(33, 127) if chr(n) not in "<>"], min_size=1, max_size=200)
CHUNK = "borealie/canal-un/2026-11-20T18:04:00Z"


def patterns(*item_ids: str) -> list[str]:
    queries = list(item_queries(item_ids))
    assert all(len(quote(query)) < 8_000 for query in queries)
    return [json.loads(query)["filters"]["items"][0]["value"] for query in queries]


@given(st.lists(natives, max_size=60))
def test_a_post_is_asked_for_by_its_very_id(ids: list[str]) -> None:
    posts = [f"ecume/{native}" for native in ids]
    asked = patterns(*posts)
    for post in posts:
        assert sum(bool(re.search(pattern, post)) for pattern in asked) == 1
        assert not any(re.search(pattern, f"{post}!!") for pattern in asked if f"{post}!!" not in posts)


def test_chunks_are_asked_for_by_their_hour_beside_posts() -> None:
    asked = patterns(CHUNK, "ecume/1", CHUNK.replace("18:04", "18:06"))
    assert asked == ["^(borealie)/[^/]+/(2026-11-20T18):", "^(ecume/1)$"]


@pytest.mark.parametrize("item_id", ["", "x", "Ecume/1", "ecume/", "ecume/a b", "ecume/<b>", "écume/1", "ecume/" + "a" * 201])
def test_what_is_neither_is_refused(item_id: str) -> None:
    with pytest.raises(Permanent, match=r"no chunk id .* and no post id"):
        patterns(item_id)
