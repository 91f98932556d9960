"""The line to an OpenAI-compatible endpoint: one request at a time, repeated while what went wrong may pass.

Repeated, with waits that double up to a minute or that the endpoint asks for (Retry-After): no answer in time, lost
connections, statuses 408, 425, 429 and 5xx, answers that cannot be read. Final, and the user's to mend: nobody at the
address, a refusal (other 4xx), a model that is not served. Nothing but the given address is called, through the proxies
that the environment names unless it is an address of this machine. The key, if the endpoint wants one, is read from
EAGLE_ENDPOINT_KEY and never told.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

import anyio
import httpx
from anyio.from_thread import start_blocking_portal
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from eagle.core.errors import EagleError, did_you_mean, user_error

_log = logging.getLogger(__name__)
_REPEATED = frozenset({408, 425, 429})
_UNREADABLE = (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError)
_CONNECT_SECONDS = 10.0
_LONGEST_WAIT = 60.0  # seconds
_LARGEST_ANSWER = 16 * 2**20  # bytes; a scored prompt of 8,000 tokens has some 2 MiB of log-probabilities

T = TypeVar("T")
Body = dict[str, Any]


class Passing(Exception):
    """What went wrong with one try may go right the next time; ``wait``: seconds that the endpoint asked for."""

    def __init__(self, cause: str, wait: float = 0.0) -> None:
        super().__init__(cause)
        self.cause = cause
        self.wait = wait


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    wait: float  # seconds that the endpoint asks for

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Endpoint:
    """One address. ``calls`` counts requests, ``repeated`` why requests were repeated."""

    def __init__(self, address: str, *, concurrency: int, timeout: float, retries: int, backoff: float) -> None:
        """``timeout``: seconds for one answer; ``backoff``: seconds before the second try, doubled with each further
        one.
        """
        self.address = _checked(address)
        self.calls = 0
        self.repeated: Counter[str] = Counter()
        self._retries = retries
        self._backoff = backoff
        self._seconds = timeout
        self._timeout = httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS), pool=None)
        self._limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        self._reached = False
        self._known: set[str] = set()  # models that gave an answer or were looked up

    def run(self, work: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
        """Run ``work`` with an open client, on an event loop of its own, so that callers may have one running."""
        client = self._client()

        async def opened() -> T:
            async with client:
                return await work(client)

        with start_blocking_portal() as portal:
            return portal.call(opened)

    def _client(self) -> httpx.AsyncClient:
        key = _key()
        try:
            return httpx.AsyncClient(
                base_url=self.address,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=self._timeout,
                limits=self._limits,
                verify=self._certificates,
                trust_env=not _on_this_machine(self.address),
            )
        except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
            raise user_error(
                "the proxies or certificates that the environment names cannot be used",
                found=error,
                mend=f"mend or unset HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE, or name the host of "
                f"{self.address} in NO_PROXY",
            ) from None

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()  # reading them takes longer than a short request

    async def complete(self, client: httpx.AsyncClient, body: Body, read: Callable[[Any], T]) -> T:
        """Return what ``read`` makes of the answer to a body; :class:`Passing` once all tries are used up.

        ``read`` may raise Passing itself; KeyError, TypeError and the like mean an unreadable answer.
        """

        async def once() -> T:
            self.calls += 1
            answer = await self._send(client, "POST", "completions", body)
            if not answer.is_success and body["model"] not in self._known:
                await self._check_served(client, body["model"])
            found = self._read(answer, read)
            self._known.add(body["model"])
            return found

        return await self._repeat(once)

    async def served(self, client: httpx.AsyncClient) -> list[str]:
        """Return the names of the models that the endpoint serves; :class:`Passing` where it does not say."""
        return await self._repeat(partial(self._names, client))

    async def _repeat(self, once: Callable[[], Awaitable[T]]) -> T:
        tries = AsyncRetrying(
            retry=retry_if_exception_type(Passing),
            stop=stop_after_attempt(1 + self._retries),
            wait=self._wait,
            before_sleep=self._note,
            reraise=True,
        )
        return await tries(once)

    async def _send(self, client: httpx.AsyncClient, method: str, path: str, body: Body | None = None) -> _Answer:
        """Send one request; an answer has to be whole within the time-out, however it trickles in, and of a bearable
        size.
        """
        try:
            with anyio.fail_after(self._seconds):
                async with client.stream(method, path, json=body) as response:
                    self._reached = True
                    return _Answer(response.status_code, await _content(response), _asked_wait(response))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if not self._reached:
                raise self._nobody(error) from None
            raise Passing("no connection") from None
        except (httpx.TimeoutException, TimeoutError):
            raise Passing("no answer in time") from None
        except httpx.RequestError as error:
            raise Passing(f"lost connection ({type(error).__name__})") from None

    def _read(self, answer: _Answer, read: Callable[[Any], T]) -> T:
        if answer.status in _REPEATED or answer.status >= 500:
            raise Passing(f"status {answer.status}", answer.wait)
        if not answer.is_success:
            raise self._refused(answer)
        try:
            return read(json.loads(answer.body))
        except _UNREADABLE:
            raise Passing("unreadable answer") from None

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, Passing) else 0.0
        own = wait_exponential_jitter(multiplier=self._backoff, max=_LONGEST_WAIT, jitter=self._backoff)(state)
        return max(own, min(asked, self._seconds))

    def _note(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Passing):
            self.repeated[error.cause] += 1
            if self.repeated[error.cause] == 1:
                _log.warning(
                    "%s: %s; such requests are repeated, up to %d times each", self.address, error.cause, self._retries
                )

    async def _names(self, client: httpx.AsyncClient) -> list[str]:
        answer = await self._send(client, "GET", "models")
        return self._read(answer, lambda told: sorted(str(model["id"]) for model in told["data"]))

    async def _check_served(self, client: httpx.AsyncClient, model: str) -> None:
        """EagleError where the endpoint names other models only; an endpoint that names none may be right."""
        try:
            names = await self._names(client)
        except (Passing, EagleError):
            names = []
        if names and model not in names:
            raise user_error(
                f"the endpoint {self.address} does not serve {model}",
                expected=f"one of {', '.join(names)}",
                mend=f"set llm.endpoint_model. {did_you_mean(model, names)}".strip(),
            )
        self._known.add(model)

    def _nobody(self, error: Exception) -> EagleError:
        return user_error(
            f"nobody answers at the endpoint {self.address}",
            found=str(error) or type(error).__name__,
            mend="start the server and wait until it listens, or mend llm.endpoint in params.yaml",
        )

    def _refused(self, answer: _Answer) -> EagleError:
        said = " ".join(answer.body.decode(errors="replace").split())
        said = said.replace(key, "(the key)") if (key := _key()) else said  # some servers tell it back
        return user_error(
            f"the endpoint {self.address} refused a request",
            found=f"status {answer.status}: {said[:300]}",
            mend="check llm.endpoint_model and EAGLE_ENDPOINT_KEY; where a prompt is too long, serve the model with "
            "more context",
        )


def _checked(address: str) -> str:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL("")
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


def _on_this_machine(address: str) -> bool:
    host = httpx.URL(address).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _key() -> str:
    key = os.environ.get("EAGLE_ENDPOINT_KEY", "").strip()
    if not (key.isascii() and key.isprintable()):
        raise user_error(
            "EAGLE_ENDPOINT_KEY is no key", found="characters that cannot be sent", expected="printable ASCII"
        )
    return key


async def _content(response: httpx.Response) -> bytes:
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > _LARGEST_ANSWER:
            raise Passing("too long answer")
    return bytes(content)


def _asked_wait(response: httpx.Response) -> float:
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isdecimal() else 0.0
