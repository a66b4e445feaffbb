"""What comes back when a provider is asked: its status, its events, or the failure that it means."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from aix.errors import AGAIN, AixError, NetworkError, ProviderError
from aix.llm import failure, retry
from aix.llm.body import decoded
from aix.llm.exchange import Exchange
from aix.llm.wire import InBandError, clip
from aix.messages import Event

ERROR_BODY = 64 * 1024


class FailedError(Exception):
    """An attempt failed, with what decides whether it may be sent again."""

    def __init__(self, error: AixError, headers: Mapping[str, str] | None = None, *, unconnected: bool = False) -> None:
        super().__init__(error.message)
        self.failure = retry.Failure(error, headers or {}, unconnected)


@dataclass(frozen=True, slots=True)
class Head:
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


def refuse_status(exchange: Exchange, head: Head, body: Iterable[bytes]) -> None:
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
    raise FailedError(found, head.headers)


def events(exchange: Exchange, head: Head, body: Iterable[bytes], hurry: Callable[[float], None]) -> Iterator[Event]:
    """The events of the body of an answer, of which there is one at least. What is whole is for the protocol to say."""
    kind = head.headers.get("content-type", "").lower()
    if "html" in kind:
        raise ProviderError(
            f"{exchange.provider.name} answered with a web page instead of an answer",
            hint=f"check its base URL: {exchange.provider.base_url}",
            status=head.status,
        )
    event: Event | None = None
    try:
        for event in decoded(exchange, kind, body, hurry):
            yield event
    except InBandError as error:
        found = failure.in_band(error.value, exchange.names, head.request_id, exchange.provider)
        raise FailedError(found, head.headers) from error
    if event is None:
        raise ProviderError(
            f"{exchange.provider.name} ended the connection without an answer",
            hint=AGAIN,
            status=head.status,
        )
