"""Telling people: a log line by default, a webhook when one is configured.

What is worth telling is decided by the sensors; the address may hold a secret, so it is never logged.
"""

import logging
from typing import Any

import httpx
from dagster import ConfigurableResource
from pydantic import Field

_log = logging.getLogger("climate_assets.notifier")


class Notifier(ConfigurableResource):  # type: ignore[type-arg]
    """Sends one short message for each cause."""

    webhook_url: str = Field(default="", repr=False, description="Address that takes a JSON `text`; empty: only the log.")

    def tell(self, title: str, body: str, **facts: Any) -> bool:
        """Send a message; whether the webhook took it (the log always does)."""
        _log.warning("%s - %s", title, body)
        if not self.webhook_url:
            return False
        # httpx tells the address of every request at level INFO.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        try:
            answer = httpx.post(self.webhook_url, json={"text": f"*{title}*\n{body}", "facts": facts}, timeout=10)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The exception's text may hold the address, so only its kind is logged.
            _log.error("the alert could not be delivered: %s", type(error).__name__)
            return False
        if answer.is_error:
            _log.error("the alert could not be delivered: HTTP %s", answer.status_code)
        return not answer.is_error
