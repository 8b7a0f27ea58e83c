"""Failures that tell what to do next: what a rerun cannot cure, and what it can.

Every stage and resource raises one of these two for trouble with the outside; a bug raises whatever it likes.
"""


class Permanent(Exception):
    """A rerun gives the same answer: a person has to change something. Say what, in the message."""


class Transient(Exception):
    """The outside was out of order: the same call may go through later."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        """`retry_after`: seconds that the outside asked us to wait, if it said so."""
        super().__init__(message)
        self.retry_after = retry_after
