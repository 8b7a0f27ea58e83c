"""Objects of the lake as things that come and go: listed with size and age, hashed as a stream, copied, removed.

For what people put into the bucket. What the platform makes itself is written once and never removed: `s3.py`.
"""

import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from climate_assets.failures import Transient
from climate_assets.speech.arrivals import Listed
from resources.s3 import Lake

_CHUNK: Final = 1024 * 1024
# Up to here a copy is one request, which leaves nothing behind when it is killed.
_IN_ONE: Final = 1024**3


def entries(lake: Lake, bucket: str, prefix: str, most: int) -> list[Listed]:
    """The first `most` objects under a prefix, by key."""
    from botocore.exceptions import BotoCoreError, ClientError

    def found() -> Iterator[Listed]:
        for page in lake._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                yield Listed(entry["Key"], entry["Size"], entry["ETag"], entry["LastModified"])

    try:
        return list(islice(found(), most))
    except (ClientError, BotoCoreError) as error:
        raise lake._trouble(f"s3://{bucket}/{prefix}", error) from error


def etag_of(lake: Lake, bucket: str, key: str) -> str | None:
    """The ETag an object has now; none if it is not there."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return lake._client.head_object(Bucket=bucket, Key=key)["ETag"]
    except (ClientError, BotoCoreError) as error:
        if _is_gone(error):
            return None
        raise lake._trouble(f"s3://{bucket}/{key}", error) from error


def digest_of(lake: Lake, bucket: str, key: str, max_bytes: int) -> tuple[str, int]:
    """SHA-256 and size of an object's bytes, read as a stream; raises `Transient` past `max_bytes`."""
    from botocore.exceptions import BotoCoreError, ClientError

    digest, size = hashlib.sha256(), 0
    try:
        body: Any = lake._client.get_object(Bucket=bucket, Key=key)["Body"]
        for chunk in body.iter_chunks(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if size > max_bytes:
                raise Transient(f"s3://{bucket}/{key} has grown over {max_bytes} bytes while it was read")
    except (ClientError, BotoCoreError) as error:
        raise lake._trouble(f"s3://{bucket}/{key}", error) from error
    return digest.hexdigest(), size


def copy(lake: Lake, bucket: str, key: str, to: str, sha256: str) -> None:
    """Copy an object inside the store, with its hash as metadata; a long one in parts, each within a time-out."""
    from boto3.exceptions import Boto3Error
    from boto3.s3.transfer import TransferConfig
    from botocore.exceptions import BotoCoreError, ClientError

    extra = {"Metadata": {"sha256": sha256}, "MetadataDirective": "REPLACE"}
    parts = TransferConfig(multipart_threshold=_IN_ONE, multipart_chunksize=_IN_ONE // 4, max_concurrency=2)
    try:
        lake._client.copy({"Bucket": bucket, "Key": key}, bucket, to, ExtraArgs=extra, Config=parts)
    except (ClientError, BotoCoreError, Boto3Error) as error:
        raise lake._trouble(f"s3://{bucket}/{to}", error) from error


def remove(lake: Lake, bucket: str, key: str) -> None:
    """Remove an object; one that is gone is removed."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        lake._client.delete_object(Bucket=bucket, Key=key)
    except (ClientError, BotoCoreError) as error:
        raise lake._trouble(f"s3://{bucket}/{key}", error) from error


def _is_gone(error: Exception) -> bool:
    response = getattr(error, "response", None)
    return isinstance(response, dict) and response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404
