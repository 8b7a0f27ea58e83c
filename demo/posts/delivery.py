"""The written posts put where a source puts them: a file a day in the inbox of the bucket.

Belongs here: which days and which keys. Does not belong here: the posts (`written.py`), what becomes of them (`posts`).
"""

from datetime import date

from climate_assets.posts.batches import inbox_of
from demo.posts.written import SOURCE, post_days, written_posts
from resources.s3 import LAKE, Lake


def deliver_posts(lake: Lake, country: str, days: list[date], lang: str = "fr") -> int:
    """Put the posts of a language into the inbox, spread over some days; how many files were not there yet."""
    lake.ensure_bucket(LAKE)
    posts = [post for post in written_posts() if post.lang == lang]
    files = {f"{inbox_of(country, SOURCE)}day={day}.jsonl": content for day, content in post_days(posts, days).items()}
    return sum(lake.put(LAKE, key, content) for key, content in files.items())
