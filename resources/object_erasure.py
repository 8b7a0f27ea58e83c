"""Objects removed for good: every version of them, and looked for again afterwards.

Belongs here: that, for what the law or a person wants gone. Everything else the platform stores stays (`s3.py`).
"""

from typing import Any

from climate_assets.failures import Permanent, Transient
from resources.s3 import Lake


def erased(lake: Lake, bucket: str, prefix: str) -> int:
    """Remove every object under a prefix with all its versions; how many objects there were, by key.

    Raises `Transient` when one is still there afterwards, or the store does not answer.
    """
    if not prefix.strip("/"):
        raise Permanent(f"nothing is erased under the prefix {prefix!r} of bucket {bucket}: name what is to go")
    versions = _versions(lake, bucket, prefix)
    for key, version in versions:
        _delete(lake, bucket, key, version)
    left = sorted({key for key, _ in _versions(lake, bucket, prefix)} | set(lake.listing(bucket, prefix)))
    if left:
        raise Transient(f"s3://{bucket}/{left[0]} and {len(left) - 1} more are still there after they were removed; try again")
    return len({key for key, _ in versions})


def _versions(lake: Lake, bucket: str, prefix: str) -> list[tuple[str, str | None]]:
    """Key and version of all that a prefix holds, marks of deletion included."""
    from botocore.exceptions import BotoCoreError, ClientError

    found: list[tuple[str, str | None]] = []
    try:
        for page in lake._client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
            entries: list[Any] = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            found += [(entry["Key"], entry.get("VersionId")) for entry in entries]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in ("NotImplemented", "MethodNotAllowed"):
            raise lake._trouble(f"s3://{bucket}/{prefix}", error) from error
        # A store without versions has only what it lists.
        return [(key, None) for key in lake.listing(bucket, prefix)]
    except BotoCoreError as error:
        raise lake._trouble(f"s3://{bucket}/{prefix}", error) from error
    # Some stores list only what was versioned.
    known = {key for key, _ in found}
    return found + [(key, None) for key in lake.listing(bucket, prefix) if key not in known]


def _delete(lake: Lake, bucket: str, key: str, version: str | None) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        if version is None:
            lake._client.delete_object(Bucket=bucket, Key=key)
        else:
            lake._client.delete_object(Bucket=bucket, Key=key, VersionId=version)
    except (ClientError, BotoCoreError) as error:
        raise lake._trouble(f"s3://{bucket}/{key}", error) from error
