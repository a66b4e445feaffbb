"""Sends a Call and gives its answer as events. The one door to httpx, and the only place that waits.

Every wait ends: connecting, the first byte and silence have limits of their own, and one timer shuts the socket down
when the whole is over, since slow headers and drips would otherwise stretch any limit between two reads.
"""

import contextlib
import queue
import random
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urlsplit

import certifi
import httpx

from aix.errors import AixError, DeadlineError, NetworkError, ProviderError
from aix.llm import failure, retry
from aix.llm.exchange import Attempt, Exchange
from aix.llm.protocols.echo import answer as echo_answer
from aix.llm.providers import LOOPBACK
from aix.llm.wire import MAX_BODY, InBandError, clip, parsed, sse
from aix.messages import Event

CONNECT_SECONDS = 15.0
SILENCE_SECONDS = 300.0  # a large model on a small machine reads a long prompt for minutes before its first word
ERROR_BODY = 64 * 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, so that tests can bring their own."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    dice: Callable[[], float] = random.random


class _FailedError(Exception):
    """An attempt failed, with what decides whether it may be sent again."""

    def __init__(self, error: AixError, headers: Mapping[str, str] | None = None, *, unconnected: bool = False) -> None:
        super().__init__(error.message)
        self.failure = retry.Failure(error, headers or {}, unconnected)


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

    def events(self, exchange: Exchange, attempts: list[Attempt]) -> Iterator[Event]:
        """The events of the answer, as they arrive. Each attempt is noted in `attempts`.

        Nothing is sent again once an event was handed over. Raises AixError.
        """
        deadline = self._clock.monotonic() + exchange.timeout
        for number in range(1, retry.ATTEMPTS + 1):
            started, handed_over = self._clock.monotonic(), False

            def note(status: int, error: str, started: float = started) -> None:
                seconds = self._clock.monotonic() - started
                attempts.append(Attempt(exchange.provider.name, exchange.model, status, error, round(seconds, 3)))

            try:
                for event in self._attempt(exchange, deadline):
                    handed_over = True
                    yield event
            except _FailedError as failed:
                error = failed.failure.error
                note(error.status, error.name)
                if handed_over:
                    raise error from failed
                self._wait(failed.failure, number, deadline)
            else:
                note(200, "")
                return

    def _wait(self, failed: retry.Failure, number: int, deadline: float) -> None:
        """Wait for the next attempt, or raise the failure when there is to be none."""
        pause = retry.wait(failed, number, now=self._clock.now(), dice=self._clock.dice())
        error = failed.error
        if pause is None:
            raise error
        if pause.too_long or self._clock.monotonic() + pause.seconds > deadline:
            error.hint = f"it asks to wait {pause.seconds:.0f} s; " + error.hint if pause.too_long else error.hint
            raise error
        self._notice(f"{error.message}; trying again in {pause.seconds:.1f} s ({number + 1} of {retry.ATTEMPTS})")
        self._clock.sleep(pause.seconds)

    def _attempt(self, exchange: Exchange, deadline: float) -> Iterator[Event]:
        try:
            if exchange.call.method == "ECHO":
                yield from exchange.protocol.decode_stream(sse(echo_answer(exchange.call)))
                return
            with self._response(exchange, deadline) as (response, guard):
                yield from self._decoded(exchange, response, guard)
        except InBandError as error:
            raise _FailedError(failure.in_band(error.value, exchange.names)) from error
        except AixError as error:
            raise _FailedError(error) from error

    def _decoded(self, exchange: Exchange, response: httpx.Response, guard: "_Guard") -> Iterator[Event]:
        chunks = self._chunks(exchange, response, guard)
        kind = response.headers.get("content-type", "").lower()
        if "html" in kind:
            raise ProviderError(
                f"{exchange.provider.name} answered with a web page instead of an answer",
                hint=f"check its base URL: {exchange.provider.base_url}",
                status=response.status_code,
            )
        if "event-stream" in kind or (exchange.stream and "json" not in kind):
            yield from exchange.protocol.decode_stream(sse(chunks))
        else:
            body = b"".join(chunks)
            if body.strip():
                yield from exchange.protocol.decode(parsed(body, exchange.provider.name))

    @contextlib.contextmanager
    def _response(self, exchange: Exchange, deadline: float) -> Iterator[tuple[httpx.Response, "_Guard"]]:
        """An answer whose status is below 300, open for reading."""
        url, remaining = exchange.url, max(0.0, deadline - self._clock.monotonic())
        guard = _Guard(remaining, exchange)
        with self._http(url) as http, guard:
            request = http.build_request(
                exchange.call.method,
                url,
                headers=exchange.headers,
                content=exchange.call.content,
                extensions={"trace": guard.trace},
                timeout=httpx.Timeout(min(SILENCE_SECONDS, remaining), connect=min(CONNECT_SECONDS, remaining)),
            )
            with _explained(exchange, guard):
                response = _abandonable(lambda: http.send(request, stream=True), remaining, guard)
            try:
                self._refuse_status(exchange, response, guard)
                yield response, guard
            finally:
                response.close()

    def _refuse_status(self, exchange: Exchange, response: httpx.Response, guard: "_Guard") -> None:
        status = response.status_code
        if 300 <= status < 400:
            where = clip(response.headers.get("location", "nowhere"), 100)
            raise NetworkError(
                f"{exchange.provider.name} redirects to {where}, and aix does not follow: the key stays here",
                hint="if that is the right address, make it the base URL",
                status=status,
            )
        if status < 400:
            return
        headers = {name.lower(): value for name, value in response.headers.items()}
        request_id = headers.get("x-request-id") or headers.get("request-id", "")
        body = b""
        with contextlib.suppress(AixError):  # the status says more than a body that broke off
            for chunk in self._chunks(exchange, response, guard):
                body += chunk
                if len(body) > ERROR_BODY:
                    break
        raise _FailedError(failure.failure(status, body, exchange.names, clip(request_id, 100)), headers)

    def _chunks(self, exchange: Exchange, response: httpx.Response, guard: "_Guard") -> Iterator[bytes]:
        """The body, decoded, until it ends or is cut off; what is whole is for the protocol to say."""
        size = 0
        with _explained(exchange, guard):
            for chunk in response.iter_bytes():
                size += len(chunk)
                if size > self._max_body:
                    raise ProviderError(f"{exchange.provider.name} sent more than {self._max_body} bytes")
                yield chunk
        guard.check()

    def _http(self, url: str) -> httpx.Client:
        secure = url.startswith("https:")
        return httpx.Client(
            verify=self._certificates if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            proxy=proxy_for(url, self._env),
            trust_env=False,
            follow_redirects=False,
        )

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        """The authorities that the environment names, else the system's, else the ones that certifi brings."""
        file, folder = self._env.get("SSL_CERT_FILE") or None, self._env.get("SSL_CERT_DIR") or None
        if file or folder:
            try:
                return ssl.create_default_context(cafile=file, capath=folder)
            except OSError as error:
                raise NetworkError(
                    f"cannot read the certificates in {file or folder}: {error}",
                    hint="check SSL_CERT_FILE, SSL_CERT_DIR",
                ) from None
        usual = ssl.get_default_verify_paths()
        return ssl.create_default_context(cafile=None if usual.cafile or usual.capath else certifi.where())


def proxy_for(url: str, env: Mapping[str, str]) -> str | None:
    """The proxy that the environment wants for a URL; none for this machine itself. Lower-case names win."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    lower = {name.lower(): value for name, value in sorted(env.items()) if name.lower().endswith("_proxy") and value}
    no_proxy = {"no": lower.get("no_proxy", "")}
    if host in LOOPBACK or urllib.request.proxy_bypass_environment(parts.netloc, no_proxy):  # type: ignore[attr-defined]
        return None
    proxy = lower.get(f"{parts.scheme}_proxy") or lower.get("all_proxy")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


class _Guard:
    """Shuts the connection down when `seconds` are over, whatever it is doing then."""

    def __init__(self, seconds: float, exchange: Exchange) -> None:
        self._exchange = exchange
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True
        self.over = False

    def __enter__(self) -> "_Guard":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def trace(self, name: str, info: Mapping[str, Any]) -> None:
        """httpx tells of every step: the ones that give a socket are what we are after."""
        if name.endswith(("connect_tcp.complete", "start_tls.complete")):
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
                if self.over:
                    self._shut()

    def check(self) -> None:
        """Raise DeadlineError when the time is over: a socket that was shut down looks like a clean end."""
        if self.over:
            raise self.error()

    def error(self) -> DeadlineError:
        return DeadlineError(
            f"{self._exchange.provider.name} did not answer within {self._exchange.timeout:g} s",
            hint=f"give it longer: --timeout {self._exchange.timeout * 3:g}",
        )

    def expire(self) -> None:
        self._fire()

    def _fire(self) -> None:
        with self._lock:
            self.over = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # not SSLSocket.shutdown, which takes the encryption away from under a reading thread
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _abandonable(work: Callable[[], T], seconds: float, guard: _Guard) -> T:
    """The result of `work`, done in a thread that is left behind when time is over: a look-up cannot be stopped."""
    done: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put((work(), None))
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
            done.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        result, error = done.get(timeout=seconds)
    except queue.Empty:
        guard.expire()
        raise guard.error() from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


@contextlib.contextmanager
def _explained(exchange: Exchange, guard: _Guard) -> Iterator[None]:
    """Turn what httpx says into an AixError. A body that broke off is not an error here: it ends."""
    name = exchange.provider.name
    try:
        yield
    except httpx.HTTPError as error:
        guard.check()
        raise_explained(error, name, urlsplit(exchange.url).netloc)
    except ValueError as error:  # httpx and the socket module raise it for a host that cannot be one
        raise NetworkError(f"cannot reach {name}", cause=clip(str(error))) from error


UNCONNECTED: tuple[tuple[type[httpx.HTTPError], str], ...] = (
    (httpx.ConnectTimeout, "{provider} at {host} does not accept a connection"),
    (httpx.ProxyError, "the proxy for {provider} refuses"),
    (httpx.ConnectError, "cannot connect to {provider} at {host}"),
)


def raise_explained(error: httpx.HTTPError, name: str, host: str) -> None:
    """Raise what an httpx error means; return for a body that was cut off."""
    for kind, said in UNCONNECTED:
        if isinstance(error, kind):
            found = NetworkError(
                said.format(provider=name, host=host), cause=clip(str(error)), hint=_network_hint(error)
            )
            raise _FailedError(found, unconnected=not isinstance(error.__cause__, ssl.SSLError)) from error
    if isinstance(error, httpx.TimeoutException):
        raise DeadlineError(
            f"{name} said nothing for too long", hint="try again, or give it longer: --timeout"
        ) from error
    if isinstance(error, httpx.RemoteProtocolError):
        if "incomplete" in str(error):
            return
        raise ProviderError(f"{name} does not speak HTTP as it should", cause=clip(str(error))) from error
    if isinstance(error, httpx.DecodingError):
        raise ProviderError(f"{name} sent a body that cannot be decompressed", cause=clip(str(error))) from error
    raise NetworkError(
        f"the connection to {name} broke", cause=clip(str(error)), hint="run the command again"
    ) from error


def _network_hint(error: httpx.HTTPError) -> str:
    said = str(error).lower()
    if "certificate" in said:
        return "if your network has its own authority: SSL_CERT_FILE=/path/to/authority.pem"
    if "name or service" in said or "nodename" in said or "name resolution" in said:
        return "check the address and the network"
    return "check that it runs, and its address"
