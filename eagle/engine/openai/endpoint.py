"""The line to an OpenAI-compatible endpoint: openai's asynchronous client, its retries and its waits.

openai's client repeats what may pass: no answer in time, lost connections, statuses 408, 409, 429 and 5xx, with waits
that double up to 8 seconds or that the endpoint asks for (Retry-After, up to two minutes). An answer that is of no use
is asked for again here, within the same number of retries. Final, and the user's to mend: nobody at the address, a
refusal (other 4xx), a model that is not served (:mod:`eagle.engine.openai.line`). The key, if the endpoint wants one,
is read from EAGLE_ENDPOINT_KEY and never told; keys and names that OPENAI_... variables hold are not sent.
"""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any, TypeVar

import anyio
import httpx2
import openai
from anyio.from_thread import start_blocking_portal

from eagle.core.errors import EagleError, user_error
from eagle.engine.openai.line import UNREADABLE, Line, Tries, may_pass, names_in, unusable

T = TypeVar("T")
Body = dict[str, Any]
Ask = Callable[[openai.AsyncOpenAI], Awaitable[Any]]


class Passing(Exception):
    """An answer of no use, or none at all; the next one may be better."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Endpoint:
    """One address. ``calls`` counts requests for texts, ``repeated`` those that were not a text's first."""

    def __init__(self, address: str, *, concurrency: int, timeout: float, retries: int, backoff: float) -> None:
        """``timeout``: seconds for one answer; ``backoff``: seconds before an answer of no use is asked for again."""
        self.address = _checked(address)
        self._tries = Tries(self.address, timeout)
        self._begun = 0
        self._retries = retries
        self._backoff = backoff
        self._concurrency = concurrency

    @property
    def calls(self) -> int:
        return self._tries.calls

    @property
    def repeated(self) -> int:
        return max(0, self._tries.calls - self._begun)

    def run(self, work: Callable[[openai.AsyncOpenAI], Awaitable[T]]) -> T:
        """Run ``work`` with an open client, on an event loop of its own, so that callers may have one running."""
        client = self._client()

        async def opened() -> T:
            async with client:
                return await work(client)

        with start_blocking_portal() as portal:
            return portal.call(opened)

    def _client(self) -> openai.AsyncOpenAI:
        key = _key()
        line = Line(self._tries, key=key, connections=self._concurrency, certificates=self._certificates)
        unsent: Any = dict.fromkeys(("OpenAI-Organization", "OpenAI-Project"), openai.Omit())
        return openai.AsyncOpenAI(
            base_url=self.address,
            api_key=key or "none",  # which the line does not send
            http_client=line,
            timeout=line.timeout,
            default_headers=unsent,
        )

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        try:
            return httpx2.create_ssl_context()  # reading them takes longer than a short request
        except (OSError, ValueError) as error:
            raise unusable(error, self.address) from None

    async def complete(self, client: openai.AsyncOpenAI, body: Body, read: Callable[[Any], T]) -> T:
        """Return what ``read`` makes of the answer to a body; :class:`Passing` once all tries are used up.

        ``read`` may raise Passing itself; KeyError, TypeError and the like mean an unreadable answer.
        """
        self._begun += 1
        found = await self._repeat(client, lambda one: one.completions.with_raw_response.create(**body), read)
        self._tries.known.add(body["model"])
        return found

    async def served(self, client: openai.AsyncOpenAI) -> list[str]:
        """Return the names of the models that the endpoint serves; :class:`Passing` where it does not say."""
        return await self._repeat(client, lambda one: one.models.with_raw_response.list(), names_in)

    async def _repeat(self, client: openai.AsyncOpenAI, ask: Ask, read: Callable[[Any], T]) -> T:
        left = self._retries
        while True:
            raw = await self._answer(client.with_options(max_retries=left), ask)
            left -= raw.retries_taken
            try:
                return read(json.loads(raw.content))
            except Passing as useless:
                cause = useless.cause
            except UNREADABLE:
                cause = "unreadable answer"
            self._tries.fault(cause)
            if left <= 0:
                raise Passing(cause)
            left -= 1
            await anyio.sleep(self._backoff)

    async def _answer(self, client: openai.AsyncOpenAI, ask: Ask) -> Any:
        try:
            return await ask(client)
        except openai.APIStatusError as error:
            if may_pass(error.status_code):
                raise Passing(f"status {error.status_code}") from None
            raise self._refused(error) from None
        except openai.APIConnectionError as error:
            raise Passing(str(error.__cause__)) from None

    def _refused(self, error: openai.APIStatusError) -> EagleError:
        said = " ".join(error.response.content.decode(errors="replace").split())
        said = said.replace(key, "(the key)") if (key := _key()) else said  # some servers tell it back
        return user_error(
            f"the endpoint {self.address} refused a request",
            found=f"status {error.status_code}: {said[:300]}",
            mend="check llm.endpoint_model and EAGLE_ENDPOINT_KEY; where a prompt is too long, serve the model with "
            "more context",
        )


def _checked(address: str) -> str:
    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise user_error("llm.endpoint is not an address", found=address, expected="such as http://localhost:8000/v1")
    if url.userinfo or url.query or url.fragment:
        raise user_error(
            "llm.endpoint holds more than an address",
            found="a password, a query or a fragment",
            expected="such as http://localhost:8000/v1: params.yaml is kept, logged and shown",
            mend="put the key into the environment variable EAGLE_ENDPOINT_KEY",
        )
    return address.rstrip("/")


def _key() -> str:
    key = os.environ.get("EAGLE_ENDPOINT_KEY", "").strip()
    if not (key.isascii() and key.isprintable()):
        raise user_error(
            "EAGLE_ENDPOINT_KEY is no key", found="characters that cannot be sent", expected="printable ASCII"
        )
    return key
