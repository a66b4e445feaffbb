"""Sends a Call and gives its answer as events. The one door to httpx.

Every wait ends: connecting and silence have limits of their own, and one deadline bounds the whole, which slow headers
and drips cannot stretch (errand.py).
"""

import contextlib
import random
import socket
import ssl
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx

from aix.errors import AixError, ConfigError, DeadlineError, IncompleteError, NetworkError, ProviderError
from aix.llm import failure, retry
from aix.llm.body import decoded, inflated
from aix.llm.errand import Errand, pause
from aix.llm.exchange import Attempt, Exchange
from aix.llm.network import certificates, masked, proxy_for
from aix.llm.protocols.echo import answer as echo_answer
from aix.llm.providers import Provider
from aix.llm.wire import MAX_BODY, InBandError, clip, parsed, sse
from aix.messages import Event, Finish

CONNECT_SECONDS = 15.0
LISTENS_SECONDS = 0.2
SILENCE_SECONDS = 300.0  # a large model on a small machine reads a long prompt for minutes before its first word
ERROR_BODY = 64 * 1024
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, so that tests can bring their own."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = pause
    dice: Callable[[], float] = random.random


class _FailedError(Exception):
    """An attempt failed, with what decides whether it may be sent again."""

    def __init__(self, error: AixError, headers: Mapping[str, str] | None = None, *, unconnected: bool = False) -> None:
        super().__init__(error.message)
        self.failure = retry.Failure(error, headers or {}, unconnected)


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands before the body of an answer; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]

    @property
    def request_id(self) -> str:
        return clip(self.headers.get("x-request-id") or self.headers.get("request-id", ""), 100)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of asking once: the status (0 where none came), the headers (names in lower case), the body, when it
    was there and how many seconds it took, and the error that it means."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    at: float
    seconds: float
    error: AixError | None = None


class Client:
    """`env` says which proxy and which certificates to use. `notice` is told, in a sentence, why a person waits."""

    def __init__(
        self,
        env: Mapping[str, str],
        clock: Clock | None = None,
        notice: Callable[[str], None] = lambda _: None,
        max_body: int = MAX_BODY,
    ) -> None:
        self._env = env
        self._clock = clock or Clock()
        self._notice = notice
        self._max_body = max_body

    def events(self, exchange: Exchange, attempts: list[Attempt]) -> Generator[Event, None, None]:
        """The events of the answer, as they arrive. Each attempt is noted in `attempts`.

        Nothing is sent again once an event was handed over. Raises AixError.
        """
        deadline = self._clock.monotonic() + exchange.timeout
        for number in range(1, retry.ATTEMPTS + 1):
            failed = yield from self._noted(exchange, deadline, attempts)
            if failed is None:
                return
            self._wait(failed, number, deadline)

    def ask(self, exchange: Exchange) -> Reply:
        """The whole answer to one question that is asked once and judged by nobody, within the exchange's time."""
        started, head, body, found = self._clock.monotonic(), _Head(0, {}), b"", None
        try:
            with self._answered(exchange, exchange.timeout) as (head, chunks, _):
                _refuse_status(exchange, head, chunks)
                body = b"".join(chunks)
        except _FailedError as failed:
            found = failed.failure.error
        except AixError as error:
            found = error
        if found:
            found.reword(exchange.without_secrets)
        seconds = round(self._clock.monotonic() - started, 3)
        return Reply(head.status, head.headers, body, self._clock.now(), seconds, found)

    def listens(self, provider: Provider) -> bool:
        """Whether something takes connections where a provider of this machine should be. Nothing is sent to it."""
        parts = urlsplit(provider.base_url)
        try:
            place = parts.hostname or "", parts.port or PORTS[parts.scheme]
            socket.create_connection(place, timeout=LISTENS_SECONDS).close()
        except (OSError, ValueError):  # also a port that can be none
            return False
        return True

    def _noted(
        self, exchange: Exchange, deadline: float, attempts: list[Attempt]
    ) -> Generator[Event, None, retry.Failure | None]:
        """One attempt, noted however it ends: also where Ctrl-C or a closed pipe ends it.

        Its failure is the result as long as no event was handed over, and is raised after that.
        """
        started, status, ended_by = self._clock.monotonic(), 0, "INTERRUPTED"
        event: Event | None = None
        try:
            for event in self._attempt(exchange, deadline):
                status = 200
                yield event
            unfinished = ProviderError if event is None else IncompleteError
            status, ended_by = 200, "" if isinstance(event, Finish) else unfinished.name
        except _FailedError as failed:
            error = failed.failure.error
            error.reword(exchange.without_secrets)  # the provider's words may have held the key that was sent to it
            status, ended_by = error.status or status, error.name
            if event is not None:
                raise error from failed
            return failed.failure
        finally:
            seconds = round(self._clock.monotonic() - started, 3)
            attempts.append(Attempt(exchange.provider.name, exchange.model, status, ended_by, seconds))
        return None

    def _wait(self, failed: retry.Failure, number: int, deadline: float) -> None:
        """Wait for the next attempt, or raise the failure when there is to be none."""
        asked = retry.wait(failed, number, now=self._clock.now(), dice=self._clock.dice())
        error = failed.error
        if asked is None:
            raise error
        if asked.too_long:
            error.message = f"{error.message}; it asks to wait {asked.seconds:.0f} s"
        if asked.too_long or self._clock.monotonic() + asked.seconds > deadline:
            raise error
        self._notice(f"{error.message}; trying again in {asked.seconds:.1f} s ({number + 1} of {retry.ATTEMPTS})")
        self._clock.sleep(asked.seconds)

    def _attempt(self, exchange: Exchange, deadline: float) -> Iterator[Event]:
        try:
            if exchange.call.method == "ECHO":
                yield from exchange.protocol.decode_stream(sse(echo_answer(exchange.call)))
                return
            followed = yield from self._asked(exchange, deadline)
        except AixError as error:
            raise _FailedError(error) from error
        try:
            while followed:
                followed = yield from self._asked(followed, deadline)
        except (_FailedError, AixError) as error:  # what was promised is being made, and would be paid for twice
            found = error.failure.error if isinstance(error, _FailedError) else error
            raise _FailedError(found, retry.NEVER) from error

    def _asked(self, exchange: Exchange, deadline: float) -> Generator[Event, None, Exchange | None]:
        """The events of one answer; or, where it is only a promise of one, what is to be asked next."""
        if exchange.call.delay:
            self._clock.sleep(min(exchange.call.delay, max(0.0, deadline - self._clock.monotonic())))
        seconds = max(0.0, deadline - self._clock.monotonic())
        with self._answered(exchange, seconds) as (head, body, hurry):
            _refuse_status(exchange, head, body)
            chunks, follow = body, exchange.call.follow
            if follow and "json" in head.headers.get("content-type", "").lower():
                whole = b"".join(body)
                if call := follow(parsed(whole, exchange.provider.name)):
                    return replace(exchange, call=call)
                chunks = iter([whole])
            yield from _decoded(exchange, head, chunks, hurry)
        return None

    @contextlib.contextmanager
    def _answered(
        self, exchange: Exchange, seconds: float
    ) -> Iterator[tuple[_Head, Iterator[bytes], Callable[[float], None]]]:
        """The head of an answer, its body as it comes, what shortens the wait; the connection ends with the block."""
        fetch = Errand(lambda connected: self._fetch(exchange, seconds, connected), seconds, lambda: _late(exchange))
        with contextlib.closing(fetch.items()) as items:
            head: _Head = next(items)
            body = inflated(items, head.headers.get("content-encoding", ""))
            yield head, self._capped(body, exchange), fetch.hurry

    def _fetch(self, exchange: Exchange, seconds: float, connected: Callable[[socket.socket], None]) -> Iterator[Any]:
        """The head of an answer, then its body as it comes, until it ends or breaks off. Runs as an errand, so it may
        wait anywhere.

        A limit on one step must not race the deadline for the whole: it is always a little later.
        """
        step = seconds + 1
        timeout = httpx.Timeout(min(SILENCE_SECONDS, step), connect=min(CONNECT_SECONDS, step))
        request = _request(exchange, {"trace": _trace(connected), "timeout": timeout.as_dict()})
        with (
            self._transport(exchange) as transport,
            _explained(exchange),
            contextlib.closing(transport.handle_request(request)) as response,
        ):
            yield _Head(response.status_code, dict(response.headers))
            yield from self._capped(_until_cut(response.iter_raw()), exchange)

    def _capped(self, chunks: Iterable[bytes], exchange: Exchange) -> Iterator[bytes]:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > self._max_body:
                raise ProviderError(f"{exchange.provider.name} sent more than {self._max_body} bytes")
            yield chunk

    def _transport(self, exchange: Exchange) -> httpx.HTTPTransport:
        """A connection, and no more: what httpx lays on top of it would follow, remember and add things unasked."""
        secure, proxy = exchange.url.startswith("https:"), proxy_for(exchange.url, self._env)
        if proxy and not masked(proxy):
            raise _unusable_proxy(exchange)
        trusted = self._certificates if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusted_proxy = self._certificates if proxy and proxy.startswith("https:") else None
        try:
            through = httpx.Proxy(proxy, ssl_context=trusted_proxy) if proxy else None
            return httpx.HTTPTransport(verify=trusted, proxy=through, trust_env=False)
        except (ValueError, ImportError, httpx.InvalidURL):
            raise _unusable_proxy(exchange) from None

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        """Read once, and only when something is encrypted."""
        return certificates(self._env)


def _unusable_proxy(exchange: Exchange) -> NetworkError:
    """Without a cause: what httpx says may hold the proxy's password."""
    return NetworkError(
        f"the proxy for {exchange.provider.name} cannot be used", hint="check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY"
    )


def _request(exchange: Exchange, extensions: dict[str, Any]) -> httpx.Request:
    try:
        return httpx.Request(
            exchange.call.method,
            exchange.url,
            headers=exchange.headers,
            content=exchange.call.content if exchange.call.body else None,
            extensions=extensions,
        )
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ConfigError(
            f"the address or a header of {exchange.provider.name} cannot be sent",
            cause=clip(str(error)),
            hint="aix config --list",
        ) from error


def _trace(connected: Callable[[socket.socket], None]) -> Callable[[str, Mapping[str, Any]], None]:
    """httpx tells of every step; the one that connects gives the socket."""

    def told(step: str, info: Mapping[str, Any]) -> None:
        if step.endswith("connect_tcp.complete"):
            connected(info["return_value"].get_extra_info("socket"))

    return told


def _refuse_status(exchange: Exchange, head: _Head, body: Iterable[bytes]) -> None:
    """Raise what any status but a success means."""
    if 300 <= head.status < 400:
        where = clip(head.headers.get("location", "nowhere"), 100)
        raise NetworkError(
            f"{exchange.provider.name} redirects to {where}, and aix does not follow: the key stays here",
            hint="if that is the right address, make it the base URL",
            status=head.status,
        )
    if head.status < 400:
        return
    said = b""
    with contextlib.suppress(AixError):  # the status says more than a body that broke off
        for chunk in body:
            said += chunk
            if len(said) > ERROR_BODY:
                break
    said = exchange.without_secrets(said.decode("utf-8", "replace")).encode()  # before any of it is cut
    found = failure.failure(head.status, said, exchange.names, head.request_id, exchange.provider)
    raise _FailedError(found, head.headers)


def _decoded(exchange: Exchange, head: _Head, body: Iterable[bytes], hurry: Callable[[float], None]) -> Iterator[Event]:
    """The events of the body of an answer. What is whole is for the protocol to say."""
    kind = head.headers.get("content-type", "").lower()
    if "html" in kind:
        raise ProviderError(
            f"{exchange.provider.name} answered with a web page instead of an answer",
            hint=f"check its base URL: {exchange.provider.base_url}",
            status=head.status,
        )
    try:
        yield from decoded(exchange, kind, body, hurry)
    except InBandError as error:
        found = failure.in_band(error.value, exchange.names, head.request_id, exchange.provider)
        raise _FailedError(found, head.headers) from error


def _until_cut(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks of a body. One that broke off is no error here: it ends."""
    try:
        yield from chunks
    except httpx.RemoteProtocolError as error:
        if "closed connection" not in str(error):
            raise


def _late(exchange: Exchange) -> DeadlineError:
    return DeadlineError(
        f"{exchange.provider.name} did not answer within {exchange.timeout:g} s",
        hint=f"give it longer: --timeout {exchange.timeout * 3:g}",
    )


@contextlib.contextmanager
def _explained(exchange: Exchange) -> Iterator[None]:
    """Turn what httpx says into an AixError."""
    try:
        yield
    except httpx.HTTPError as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        found, unconnected = failure.broken(
            kinds, str(error), {**exchange.names, "host": urlsplit(exchange.url).netloc}
        )
        shown = None if isinstance(found, ConfigError) else error  # it names the header that it is about by its value
        raise (_FailedError(found, unconnected=True) if unconnected else found) from shown
    except (ValueError, OSError) as error:  # a host that cannot be one, and what httpx did not expect
        raise NetworkError(
            f"cannot reach {exchange.provider.name}",
            cause=clip(str(error)),
            hint=f"check its base URL: {exchange.provider.base_url}",
        ) from error
