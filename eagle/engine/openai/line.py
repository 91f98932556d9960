"""The HTTP client under openai's: what one try may take, and what is the user's to mend at once.

A try has to end within the time-out, however its answer trickles in, and with an answer of a bearable size. What goes
wrong is a :class:`Fault`, which openai's client repeats. Nobody at the address and a model that is not served are not
repeated. Nothing but the given address is called, through the proxies that the environment names unless it is an
address of this machine.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx2

from eagle.core.errors import EagleError, did_you_mean, user_error

_log = logging.getLogger(__name__)
_CONNECT_SECONDS = 10.0
LARGEST_ANSWER = 16 * 2**20  # bytes; a scored prompt of 8,000 tokens has some 2 MiB of log-probabilities


class Fault(httpx2.RequestError):
    """What went wrong with one try may go right the next time; its text is the cause."""


def may_pass(status: int) -> bool:
    """Say whether a request with this answer is repeated: the rule of openai's client."""
    return status in (408, 409, 429) or status >= 500


@dataclass
class Tries:
    """All requests to one address: how many, why they failed, whether any was answered, which models may be right."""

    address: str
    seconds: float
    calls: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    reached: bool = False
    known: set[str] = field(default_factory=set)

    def fault(self, cause: str) -> Fault:
        """Count a fault, and tell the first of its kind."""
        self.faults[cause] += 1
        if self.faults[cause] == 1:
            _log.warning("%s: %s; such requests are repeated (llm.retries)", self.address, cause)
        return Fault(cause)


class Line(httpx2.AsyncClient):
    """Sends what openai's client gives it, and holds every try to the limits."""

    def __init__(self, tries: Tries, *, key: str, connections: int, certificates: ssl.SSLContext) -> None:
        """EagleError where the surroundings name proxies or certificates that cannot be used."""
        self._tries = tries
        self._key = key
        try:
            super().__init__(
                base_url=tries.address,
                headers={"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {key}"} if key else {}),
                timeout=httpx2.Timeout(tries.seconds, connect=min(tries.seconds, _CONNECT_SECONDS), pool=None),
                limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections),
                verify=certificates,
                trust_env=not _on_this_machine(tries.address),
                event_hooks={"response": [_bounded]},
            )
        except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
            raise unusable(error, tries.address) from None

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send once. Raises Fault for what may pass, EagleError for what will not."""
        tries = self._tries
        if not self._key:
            request.headers.pop("Authorization", None)  # openai's client does not go without a key
        tries.calls += request.method == "POST"
        try:
            with anyio.fail_after(tries.seconds):
                response = await super().send(request, **options)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise tries.fault("no connection") if tries.reached else _nobody(tries.address, error) from None
        except (httpx2.TimeoutException, TimeoutError):
            raise tries.fault("no answer in time") from None
        except Fault as fault:
            raise tries.fault(str(fault)) from None
        except httpx2.RequestError as error:
            raise tries.fault(f"lost connection ({type(error).__name__})") from None
        tries.reached = True
        if may_pass(response.status_code):
            tries.fault(f"status {response.status_code}")
        if request.method == "POST" and not response.is_success:
            await self._check_served(json.loads(request.content)["model"])
        return response

    async def _check_served(self, model: str) -> None:
        """EagleError where the endpoint names other models only; an endpoint that names none may be right."""
        if model in self._tries.known:
            return
        try:
            names = names_in(json.loads((await self.get("models")).content))
        except (httpx2.RequestError, EagleError, *UNREADABLE):
            names = []
        if names and model not in names:
            raise user_error(
                f"the endpoint {self._tries.address} does not serve {model}",
                expected=f"one of {', '.join(names)}",
                mend=f"set llm.endpoint_model. {did_you_mean(model, names)}".strip(),
            )
        self._tries.known.add(model)


UNREADABLE = (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError)
"""What reading an answer raises that is not what was agreed."""


def names_in(answer: Any) -> list[str]:
    """Return the names of the models in an answer to /models; one of UNREADABLE where it is no such answer."""
    return sorted(str(model["id"]) for model in answer["data"])


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for piece in self._stream:
            read += len(piece)
            if read > LARGEST_ANSWER:
                raise Fault("too long answer")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bounded(response: httpx2.Response) -> None:
    response.stream = _Bounded(response.stream)


def _on_this_machine(address: str) -> bool:
    host = httpx2.URL(address).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _nobody(address: str, error: Exception) -> EagleError:
    return user_error(
        f"nobody answers at the endpoint {address}",
        found=str(error) or type(error).__name__,
        mend="start the server and wait until it listens, or mend llm.endpoint in params.yaml",
    )


def unusable(error: Exception, address: str) -> EagleError:
    """Return the error for proxies or certificates that cannot be used."""
    return user_error(
        "the proxies or certificates that the environment names cannot be used",
        found=error,
        mend=f"mend or unset HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE, or name the host of {address} in "
        "NO_PROXY",
    )
