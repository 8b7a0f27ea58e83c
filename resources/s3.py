"""Object storage: bytes under keys, written once.

An object is only written when it is not there with the same content, so a replay writes none. Keys are Hive style;
what an object means is known by the stage that wrote it.
"""

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dagster import ConfigurableResource
from pydantic import Field

from climate_assets.failures import Permanent, Transient

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DUMPS: Final = "mediatree"
LAKE: Final = "climate-lake"
_MAX_OBJECT: Final = 512 * 1024 * 1024
# What S3 takes in one request.
_MAX_FILE: Final = 5 * 1024**3
_PIECE: Final = 1024 * 1024


class Lake(ConfigurableResource):  # type: ignore[type-arg]
    """An S3-compatible object store."""

    endpoint_url: str
    access_key: str = Field(repr=False)
    secret_key: str = Field(repr=False)
    region: str = "us-east-1"

    @cached_property
    def _client(self) -> "S3Client":
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region,
            config=Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 4, "mode": "standard"}),
        )

    def ensure_bucket(self, bucket: str) -> None:
        """Make a bucket if it is missing; several may ask at once."""
        from botocore.exceptions import BotoCoreError, ClientError

        if self.has_bucket(bucket):
            return
        try:
            self._client.create_bucket(Bucket=bucket)
        except self._client.exceptions.BucketAlreadyOwnedByYou:
            pass  # somebody of ours was a moment earlier; not every store says so
        except (ClientError, BotoCoreError) as error:
            raise self._trouble(f"bucket {bucket}", error) from error

    def has_bucket(self, bucket: str) -> bool:
        """Whether a bucket is there; a store that does not answer is an error, not a no."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.head_bucket(Bucket=bucket)
        except ClientError as error:
            if _status(error) == 404:
                return False
            raise self._trouble(f"bucket {bucket}", error) from error
        except BotoCoreError as error:
            raise self._trouble(f"bucket {bucket}", error) from error
        return True

    def put(self, bucket: str, key: str, content: bytes) -> bool:
        """Store `content` unless it is already there, byte for byte; whether anything was written."""
        from botocore.exceptions import BotoCoreError, ClientError

        digest = hashlib.sha256(content).hexdigest()
        if self._digest(bucket, key) == digest:
            return False
        try:
            self._client.put_object(Bucket=bucket, Key=key, Body=content, Metadata={"sha256": digest})
        except (ClientError, BotoCoreError) as error:
            raise self._trouble(f"s3://{bucket}/{key}", error) from error
        return True

    def get(self, bucket: str, key: str) -> bytes:
        """The content of an object; raises `Permanent` when it is missing, `Transient` when the store is out of order."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._client.get_object(Bucket=bucket, Key=key)
            if answer["ContentLength"] > _MAX_OBJECT:
                raise Permanent(f"s3://{bucket}/{key} has {answer['ContentLength']} bytes, over the limit of {_MAX_OBJECT}")
            return answer["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise self._trouble(f"s3://{bucket}/{key}", error) from error

    def upload(self, bucket: str, key: str, path: Path) -> bool:
        """Store a file unless it is already there, byte for byte, without reading it whole; whether anything was written."""
        from botocore.exceptions import BotoCoreError, ClientError

        if (size := path.stat().st_size) > _MAX_FILE:
            raise Permanent(f"the file for s3://{bucket}/{key} has {size} bytes, over the limit of {_MAX_FILE}")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            if self._digest(bucket, key) == digest:
                return False
            file.seek(0)
            try:
                # One request: an upload in parts that is killed leaves parts that nobody sees and somebody pays.
                self._client.put_object(Bucket=bucket, Key=key, Body=file, Metadata={"sha256": digest})
            except (ClientError, BotoCoreError) as error:
                raise self._trouble(f"s3://{bucket}/{key}", error) from error
        return True

    def download(self, bucket: str, key: str, path: Path, max_bytes: int) -> None:
        """The content of an object as a file, never held whole; on an error there is none.

        Raises `Permanent` when it is missing or longer than `max_bytes`, `Transient` when the store is out of order or
        what it gave is not what was stored.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        part, digest, received = path.with_name(f"{path.name}.part"), hashlib.sha256(), 0
        try:
            answer = self._client.get_object(Bucket=bucket, Key=key)
            if answer["ContentLength"] > max_bytes:
                raise Permanent(f"s3://{bucket}/{key} has {answer['ContentLength']} bytes, over the limit of {max_bytes}")
            with part.open("wb") as file:
                for piece in answer["Body"].iter_chunks(_PIECE):
                    received += len(piece)
                    digest.update(piece)
                    file.write(piece)
            stored = answer["Metadata"].get("sha256", "")
            if received != answer["ContentLength"] or stored not in ("", digest.hexdigest()):
                raise Transient(f"s3://{bucket}/{key}: what came is not what was stored; it is asked for again")
            part.replace(path)
        except (ClientError, BotoCoreError) as error:
            raise self._trouble(f"s3://{bucket}/{key}", error) from error
        finally:
            part.unlink(missing_ok=True)

    def exists(self, bucket: str, key: str) -> bool:
        """Whether an object is there; a store that does not answer is an error, not a no."""
        return self._digest(bucket, key) is not None

    def listing(self, bucket: str, prefix: str) -> Iterator[str]:
        """All keys under a prefix, in order."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for entry in page.get("Contents", []):
                    yield entry["Key"]
        except (ClientError, BotoCoreError) as error:
            raise self._trouble(f"s3://{bucket}/{prefix}", error) from error

    def _digest(self, bucket: str, key: str) -> str | None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            found = self._client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if _status(error) == 404:
                return None
            raise self._trouble(f"s3://{bucket}/{key}", error) from error
        except BotoCoreError as error:
            raise self._trouble(f"s3://{bucket}/{key}", error) from error
        return found["Metadata"].get("sha256", "")

    def _trouble(self, what: str, error: Exception) -> Exception:
        status = _status(error)
        if status in (400, 401, 403, 404):
            return Permanent(f"{what}: the object store refuses with HTTP {status}; check the name, the keys and their rights")
        return Transient(f"{what}: the object store at {self.endpoint_url} is out of order ({type(error).__name__})")


def _status(error: Exception) -> int | None:
    response = getattr(error, "response", None)
    return response.get("ResponseMetadata", {}).get("HTTPStatusCode") if isinstance(response, dict) else None
