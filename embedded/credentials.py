"""Passwords of the embedded platform: made at random at the first start, kept readable for their owner alone."""

import json
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass(frozen=True, repr=False)
class Credentials:
    """What the embedded servers are opened with."""

    s3_access_key: str
    s3_secret_key: str
    mediatree_password: str
    label_studio_token: str
    label_studio_password: str
    doorbell_secret: str
    posts_key: str


MEDIATREE_USER = "demo"


def credentials(file: Path) -> Credentials:
    """The credentials kept in `file`, made if there are none."""
    names = [f.name for f in fields(Credentials)]
    known = json.loads(file.read_text()) if file.exists() else {}
    made = Credentials(**{name: known.get(name) or secrets.token_hex(20) for name in names})
    if asdict(made) == known:
        return made
    # None yet, or a server came with this version that the file does not know.
    file.parent.mkdir(parents=True, exist_ok=True)
    # Written aside: a start that is cut off leaves no half file that every later start would stumble over.
    unfinished = file.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(asdict(made), indent=1))
    unfinished.rename(file)
    return made
