"""What Label Studio has, and what became of what it was asked; only shapes. Asking is `label_studio.py`."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TokenReport:
    """What is known of the API key, for `climate doctor`."""

    kind: str
    """`legacy` (made by hand or at the first start) or `personal` (a JSON web token, made in the account page)."""
    valid: bool
    version: str
    """Version of the server."""
    user: str
    """Whose token it is; empty when it is not valid."""
    remedy: str
    """What to do; empty when nothing is."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project that is there, and what was done for it to be as asked."""

    project_id: int
    created: bool
    config_changed: bool


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of the tasks of one push, by chunk id."""

    arrived: dict[str, int] = field(default_factory=dict)
    """Task ids of those that were added now."""
    already_there: dict[str, int] = field(default_factory=dict)
    """Task ids of those that the project had."""
    refused: dict[str, str] = field(default_factory=dict)
    """Why Label Studio does not take them, whatever is tried."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync of a storage did."""

    storage_id: int
    created: bool
    added: int
    """Tasks added by this sync."""
