"""Any OpenAI-compatible endpoint as a judge of texts: its settings, and the one question that the platform has for it.

How a batch is worked off is `llm_batch.py`, one question is `llm_exchange.py`, what was paid is `llm_ledger.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from importlib import resources
from pathlib import Path

import openai
from dagster import ConfigurableResource
from pydantic import Field

from climate_assets.broadcast.records import CleanChunk
from climate_assets.claims.prices import PriceTable, prices_from
from climate_assets.claims.prompts import Prompt
from climate_assets.failures import Permanent, Transient
from resources import llm_exchange
from resources.llm_batch import Batch, Manners, Outcome, outage
from resources.llm_ledger import LlmLedger
from resources.pacing import Clock, Pace


class Llm(ConfigurableResource):  # type: ignore[type-arg]
    """An endpoint that speaks the OpenAI chat-completions protocol, and how to treat it."""

    base_url: str = Field(default="", description="Address that ends before /chat/completions; empty: there is no endpoint.")
    api_key: str = Field(default="", repr=False, description="Key; empty for a server that wants none.")
    model: str = Field(default="", description="Model asked for, unless a country names its own.")
    prices_file: str = Field(default="", description="Price table; empty: the packaged one.")
    daily_budget: float = Field(default=5.0, description="Most that one country may cost a UTC day, in the table's currency.")
    structured: bool = Field(default=True, description="Send a JSON schema; false for servers that know no response_format.")
    reasoning_model: bool = Field(default=False, description="Send max_completion_tokens and no temperature.")
    max_tokens: int = Field(default=600, description="Longest answer, in tokens.")
    max_concurrency: int = Field(default=4, description="Questions under way at once.")
    timeout_seconds: float = Field(default=60.0, description="Limit of one whole answer.")
    max_attempts: int = Field(default=4, description="Tries for one text in one batch.")
    backoff_seconds: float = Field(default=1.0, description="First wait after a failure; it doubles.")
    max_pause_seconds: float = Field(
        default=120.0, description="Longest Retry-After that is waited for; a longer one ends the batch."
    )
    breaker_failures: int = Field(default=10, description="Failures in a row that end the batch.")

    @property
    def configured(self) -> bool:
        """Whether there is an endpoint to ask."""
        return bool(self.base_url)

    def price_table(self) -> PriceTable:
        """The prices that calls are reckoned by; raises `Permanent` for a bad table."""
        if not self.prices_file:
            packaged = resources.files("climate_assets.claims") / "prices.yaml"
            return prices_from(packaged.read_text(encoding="utf-8"), "prices.yaml")
        try:
            return prices_from(Path(self.prices_file).read_text(encoding="utf-8"), self.prices_file)
        except OSError as error:
            raise Permanent(f"{self.prices_file}: cannot be read ({error.strerror}); correct prices_file") from error

    def models(self) -> list[str]:
        """Models that the endpoint offers, for a check of the settings; raises `Permanent` or `Transient` with the remedy."""
        with self._client() as endpoint:
            try:
                return sorted(model.id for model in endpoint.models.list())
            except (openai.AuthenticationError, openai.PermissionDeniedError):
                raise Permanent(f"{self.base_url} refuses the key; set LLM_API_KEY") from None
            except openai.OpenAIError as error:
                raise Transient(f"{self.base_url} lists no models ({type(error).__name__}); check LLM_BASE_URL") from None

    def judge_all(
        self, chunks: Sequence[CleanChunk], ledger: LlmLedger, prompt: Prompt, model: str = "", clock: Clock | None = None
    ) -> Iterator[Outcome]:
        """One outcome for each chunk, as answers come in. The same text is asked once; one country a batch.

        Raises `Permanent` before anything is asked when there is no endpoint, no model or no price for it. An answer
        that cannot be used is an `Unusable` and is not asked again here; the next run does. The rest are `Unasked`.
        """
        if len({chunk.country for chunk in chunks}) > 1:
            raise ValueError("a batch is one country's, since a budget is; call once for each")
        asked = model or self.model
        if not asked:
            raise Permanent("no model is named; set LLM_MODEL, or llm.model of the country")
        prices = self.price_table()
        prices.price(asked)
        at = clock or Clock()
        manners = Manners(**{f.name: getattr(self, f.name) for f in fields(Manners)})
        pace = Pace(at, manners.breaker_failures, outage)
        return Batch(self._client(), manners, ledger, prices, prompt, asked, at, pace).outcomes(chunks)

    def _client(self) -> openai.OpenAI:
        if not self.configured:
            raise Permanent("there is no LLM endpoint; set LLM_BASE_URL, or let the student judge alone")
        return llm_exchange.client(self.base_url, self.api_key, self.timeout_seconds)
