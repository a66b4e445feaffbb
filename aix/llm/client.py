"""Sends a Call and gives its answer as events. The one door to httpx.

Every wait ends: each step has a deadline of its own (deadlines.py), and so has the whole, which slow headers and drips
cannot stretch (errand.py).
"""

import contextlib
import socket
import ssl
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from aix.cached import cached_property
from aix.errors import AixError, ConfigError, IncompleteError, NetworkError, ProviderError
from aix.llm import failure, late, reply, retry
from aix.llm.body import inflated
from aix.llm.clock import Clock
from aix.llm.errand import Errand, Step
from aix.llm.exchange import Attempt, Exchange
from aix.llm.network import certificates, masked, proxy_for
from aix.llm.protocols.echo import answer as echo_answer
from aix.llm.providers import Provider
from aix.llm.reply import FailedError, Head, Reply
from aix.llm.retry import Patience
from aix.llm.waits import asked_wait, span
from aix.llm.wire import MAX_BODY, clip, parsed, sse
from aix.messages import Event, Finish

LISTENS_SECONDS = 0.2
LONGEST = 10.0**6
"""Seconds: no socket can be told to wait without end."""

UNSENT = frozenset({"ConnectError", "ConnectTimeout", "ProxyError"})
"""After these the question was not sent: there was nobody yet, or nobody to be trusted, to send it to."""

PORTS = {"http": 80, "https": 443}


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

    def events(
        self, exchange: Exchange, attempts: list[Attempt], patience: Patience | None = None
    ) -> Generator[Event, None, None]:
        """The events of the answer, as they arrive. Each attempt is noted in `attempts`, and what is sent again is
        taken from `patience`.

        Nothing is sent again once an event was handed over. Raises AixError.
        """
        patience, deadline = patience or Patience(), self._clock.monotonic() + exchange.timeout
        for number in range(1, retry.ATTEMPTS + 1):
            failed = yield from self._noted(exchange, deadline, attempts)
            if failed is None:
                return
            self._wait(failed, number, deadline, patience)

    def ask(self, exchange: Exchange) -> Reply:
        """The whole answer to one question that is asked once and judged by nobody, within the exchange's time."""
        started, head, body, found = self._clock.monotonic(), Head(0, {}), b"", None
        try:
            with self._answered(exchange, exchange.timeout) as (head, chunks, _):
                reply.refuse_status(exchange, head, chunks)
                body = b"".join(chunks)
        except FailedError as failed:
            found = failed.failure.error
            found.wait = asked_wait(failed.failure, self._clock.now())
        except AixError as error:
            found = error
        if found:
            found.reword(exchange.without_secrets)
        seconds = self._since(started)
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
        first: float | None = None
        sent = True
        try:
            for event in self._attempt(exchange, deadline):
                status, first = 200, self._since(started) if first is None else first
                yield event
            ended_by = "" if isinstance(event, Finish) else IncompleteError.name
        except FailedError as failed:
            error = failed.failure.error
            error.wait = asked_wait(failed.failure, self._clock.now())
            error.reword(exchange.without_secrets)  # the provider's words may have held the key that was sent to it
            status, ended_by, sent = error.status or status, error.name, not failed.failure.unconnected
            if event is not None:
                raise error from failed
            return replace(failed.failure, seconds=self._since(started))
        finally:
            name, seconds = exchange.provider.name, self._since(started)
            figures = (status, ended_by, seconds, first, exchange.key_source, sent)
            attempts.append(Attempt(name, exchange.model, *figures))
        return None

    def _since(self, started: float) -> float:
        """Seconds, as they are told."""
        return round(self._clock.monotonic() - started, 3)

    def _wait(self, failed: retry.Failure, number: int, deadline: float, patience: Patience) -> None:
        """Wait for the next attempt, or raise the failure when there is to be none."""
        error, wait = failed.error, retry.wait(failed, number, dice=self._clock.dice(), patience=patience)
        if wait is None:
            raise error
        if wait.too_long or self._clock.monotonic() + wait.seconds > deadline:
            error.message += f"; it asks to wait {span(error.wait)}" if error.wait else ""
            raise error
        patience.retries -= 1
        self._notice(f"{error.message}; trying again in {wait.seconds:.1f} s ({number + 1} of {retry.ATTEMPTS})")
        self._clock.sleep(wait.seconds)

    def _attempt(self, exchange: Exchange, deadline: float) -> Iterator[Event]:
        try:
            if exchange.call.method == "ECHO":
                yield from exchange.protocol.decode_stream(sse(echo_answer(exchange.call)))
                return
            followed = yield from self._asked(exchange, deadline)
        except AixError as error:
            raise FailedError(error) from error
        try:
            while followed:
                followed = yield from self._asked(followed, deadline)
        except (FailedError, AixError) as error:  # what was promised is being made, and would be paid for twice
            found = error.failure.error if isinstance(error, FailedError) else error
            raise FailedError(found, retry.NEVER) from error

    def _asked(self, exchange: Exchange, deadline: float) -> Generator[Event, None, Exchange | None]:
        """The events of one answer; or, where it is only a promise of one, what is to be asked next."""
        if exchange.call.delay:
            self._clock.sleep(min(exchange.call.delay, max(0.0, deadline - self._clock.monotonic())))
        seconds = max(0.0, deadline - self._clock.monotonic())
        with self._answered(exchange, seconds) as (head, body, hurry):
            reply.refuse_status(exchange, head, body)
            chunks, follow = body, exchange.call.follow
            if follow and "json" in head.headers.get("content-type", "").lower():
                whole = b"".join(body)
                if call := follow(parsed(whole, exchange.provider.name)):
                    return replace(exchange, call=call)
                chunks = iter([whole])
            yield from reply.events(exchange, head, chunks, hurry)
        return None

    @contextlib.contextmanager
    def _answered(
        self, exchange: Exchange, seconds: float
    ) -> Iterator[tuple[Head, Iterator[bytes], Callable[[float], None]]]:
        """The head of an answer, its body as it comes, what shortens the wait; the connection ends with the block."""

        def work(connected: Callable[[socket.socket], None]) -> Iterator[Any]:
            return self._fetch(exchange, seconds, connected, fetch.step)

        fetch = Errand(work, seconds, lambda: late.unfinished(exchange))
        with contextlib.closing(fetch.items()) as items:
            head: Head = next(items)
            body = inflated(items, head.headers.get("content-encoding", ""))
            yield head, self._capped(body, exchange), fetch.hurry

    def _fetch(
        self,
        exchange: Exchange,
        seconds: float,
        connected: Callable[[socket.socket], None],
        step: Callable[[Step], None],
    ) -> Iterator[Any]:
        """The head of an answer, then its body as it comes, until it ends or breaks off. Runs as an errand, so it may
        wait anywhere.

        What httpx waits at most must not race the limits of the errand: it is always a little longer.
        """
        given, silence = exchange.deadlines, Step(exchange.deadlines.silence, lambda: late.silent(exchange))
        step(Step(given.connect, lambda: FailedError(late.unconnected(exchange), unconnected=True)))
        trace, timeout = _trace(exchange, connected, step), _timeout(exchange, seconds)
        request = _request(exchange, {"trace": trace, "timeout": timeout})
        with (
            self._transport(exchange) as transport,
            _explained(exchange),
            contextlib.closing(transport.handle_request(request)) as response,
        ):
            yield Head(response.status_code, dict(response.headers))
            for chunk in self._capped(_until_cut(response.iter_raw()), exchange):
                yield chunk
                step(silence)

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
        try:
            return certificates(self._env)
        except NetworkError as error:
            raise FailedError(error, retry.NEVER, unconnected=True) from error


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


def _timeout(exchange: Exchange, seconds: float) -> dict[str, float | None]:
    given, step = exchange.deadlines, min(seconds, LONGEST) + 1
    once = given.connect_once(urlsplit(exchange.url).hostname or "")
    return httpx.Timeout(min(max(given.first_byte, given.silence) + 1, step), connect=min(once + 1, step)).as_dict()


def _trace(
    exchange: Exchange, connected: Callable[[socket.socket], None], step: Callable[[Step], None]
) -> Callable[[str, Mapping[str, Any]], None]:
    """httpx tells of every step; the one that connects gives the socket, and once the question is sent, an answer is
    waited for."""
    answer = Step(exchange.deadlines.first_byte, lambda: late.unanswered(exchange))

    def told(name: str, info: Mapping[str, Any]) -> None:
        if name.endswith("connect_tcp.complete"):
            connected(info["return_value"].get_extra_info("socket"))
        if name.endswith("send_request_headers.started") and info["request"].method != b"CONNECT":
            step(answer)

    return told


def _until_cut(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks of a body. One that broke off is no error here: it ends."""
    try:
        yield from chunks
    except httpx.RemoteProtocolError as error:
        if "closed connection" not in str(error):
            raise


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
        if UNSENT.isdisjoint(kinds):
            raise found from shown
        raise FailedError(found, {} if unconnected else retry.NEVER, unconnected=True) from shown
    except (ValueError, OSError) as error:  # a host that cannot be one, and what httpx did not expect
        raise NetworkError(
            f"cannot reach {exchange.provider.name}",
            cause=clip(str(error)),
            hint=f"check its base URL: {exchange.provider.base_url}",
        ) from error
