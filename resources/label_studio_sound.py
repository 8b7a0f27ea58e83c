"""The storage through which a Label Studio project plays sound: never synced, nothing presigned.

What a storage of task files needs is `label_studio.py`, and so is turning the SDK's errors into ours.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from label_studio_sdk import LabelStudio as Client

# Matches no key: a sync that somebody starts by hand makes no task of a sound.
_NOTHING: Final = "a^"


@dataclass(frozen=True, slots=True)
class Place:
    """Where sounds lie."""

    bucket: str
    prefix: str
    endpoint_url: str
    region: str


def ensured(client: "Client", project_id: int, place: Place, access_key: str, secret_key: str) -> bool:
    """Make the project's storage of that place, or bring it up to date with these keys; whether it was made."""
    where: dict[str, Any] = {
        "bucket": place.bucket,
        "prefix": place.prefix,
        "s3endpoint": place.endpoint_url,
        "region_name": place.region,
    }
    keys: dict[str, Any] = {"aws_access_key_id": access_key, "aws_secret_access_key": secret_key}
    # Without presigning Label Studio reads the object itself: no browser sees the bucket, which needs no CORS rule.
    how: dict[str, Any] = {"regex_filter": _NOTHING, "recursive_scan": True, "use_blob_urls": False, "presign": False}
    storages = client.import_storage.s3
    same = [
        s
        for s in storages.list(project=project_id)
        if (s.bucket, s.prefix, s.regex_filter) == (place.bucket, place.prefix, _NOTHING)
    ]
    if same:
        storages.update(id=int(same[0].id or 0), project=project_id, **where, **keys, **how)
        return False
    storages.create(project=project_id, title=f"Sound, s3://{place.bucket}/{place.prefix}", **where, **keys, **how)
    return True
