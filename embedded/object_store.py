"""The embedded S3: SeaweedFS in its `mini` shape, on loopback, with credentials of its own."""

import os
import sys
from pathlib import Path

from embedded.ports import free_port
from embedded.supervision import Server

# Every bucket takes volumes of its own. Left to itself, the server allows one for each GB that is free on the disk, and many
# buckets on a small disk then end in refused writes while there is room. Volumes are not allocated ahead.
_VOLUMES, _VOLUME_MB = 2000, 512


def server(folder: Path, port: int, access_key: str, secret_key: str) -> Server:
    """How the object store is started: data in `folder`, S3 on `port`, everything else on free ports."""
    folder.mkdir(parents=True, exist_ok=True)
    inner: list[int] = []
    for wanted in (19333, 18888, 19340, 29333, 28888, 29340, 28333):
        inner.append(free_port(wanted, frozenset(inner)))
    master, filer, volume, master_grpc, filer_grpc, volume_grpc, s3_grpc = inner
    command = [
        str(Path(sys.executable).with_name("weed")),
        "mini",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-master.port={master}",
        f"-master.port.grpc={master_grpc}",
        f"-filer.port={filer}",
        f"-filer.port.grpc={filer_grpc}",
        f"-volume.port={volume}",
        f"-volume.max={_VOLUMES}",
        f"-master.volumeSizeLimitMB={_VOLUME_MB}",
        f"-volume.port.grpc={volume_grpc}",
        f"-s3.port={port}",
        f"-s3.port.grpc={s3_grpc}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-webdav=false",
        "-admin.ui=false",
        "-master.telemetry=false",
    ]
    environment = {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key, "HOME": os.environ.get("HOME", "/")}
    return Server("s3", command, environment, url=f"http://127.0.0.1:{port}", patience_seconds=40)
