"""What a provider says of itself: whether it answers, with which models, and what time it thinks it is.

Asking costs nothing: it is one GET for the list of models. Local servers are found in the same way, without a key.
"""

import _thread
import contextlib
import email.utils
import json
import queue
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from aix.config.secrets import Secret
from aix.errors import AixError, DeadlineError, NotFoundError, ProviderError
from aix.llm.clock import MOMENT
from aix.llm.exchange import SHORTEST_SECRET, Exchange
from aix.llm.protocols import protocol
from aix.llm.protocols.anthropic_messages import VERSION
from aix.llm.providers import Provider, Providers
from aix.llm.wire import Call, clip

if TYPE_CHECKING:
    from aix.llm.client import Client
    from aix.llm.reply import Reply

SECONDS = 5.0
LOCAL_SECONDS = 1.0
MAX_BODY = 8 * 1024 * 1024
MAX_MODELS, MAX_ID = 10_000, 200
AT_ONCE = 16
LATE = "see whether it is overloaded, or try again later"

LISTS = ("data", "models", "results")
"""Where an answer keeps its models, unless it is a bare list; an empty one of the first name still means "none"."""

HEADERS: Mapping[str, Mapping[str, str]] = {"anthropic-messages": VERSION}
"""What a protocol must have besides the key."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of asking a provider for its models.

    `status` is the HTTP status, 0 where nothing was answered; `skew` how many seconds its clock is ahead of ours, None
    where it does not say; `error` what stands in the way of using it.
    """

    provider: Provider
    status: int
    seconds: float
    models: tuple[str, ...] = ()
    skew: float | None = None
    error: AixError | None = None

    @property
    def reachable(self) -> bool:
        return self.status > 0


def probe(client: "Client", provider: Provider, key: Secret | None, seconds: float = SECONDS) -> Probe:
    """Ask one provider for its models. It is asked once, and never for longer than `seconds`."""
    call = Call("GET", provider.models_path, {}, HEADERS.get(provider.protocol, {}))
    exchange = Exchange(provider, "", protocol(provider.protocol), call, key, stream=False, timeout=seconds)
    try:
        reply = client.ask(exchange)
        error, models = reply.error, () if reply.error else listed(reply.body)
    except AixError as failed:  # an address that cannot be asked
        return Probe(provider, 0, 0.0, error=failed)
    if models is None:
        error = _no_list(exchange, reply)
    elif isinstance(error, DeadlineError):
        error.hint = LATE
    elif reply.status == 404 and error:
        error = NotFoundError(f"{provider.name} has no list of models", hint=_address(exchange), status=404)
    named = tuple(model for model in models or () if not _says(model, key))
    return Probe(provider, reply.status, reply.seconds, named, _skew(reply), error)


def running(client: "Client", providers: Providers, seconds: float = LOCAL_SECONDS) -> list[Probe]:
    """The model servers of this machine that answer now, each with its models. Whatever listens there is sent no key,
    and no header that the user set."""

    def ask(provider: Provider) -> Probe:
        return replace(probe(client, replace(provider, headers={}), None, seconds), provider=provider)

    return [answer for answer in side_by_side(ask, providers.local()) if not answer.error]


def listed(body: bytes) -> tuple[str, ...] | None:
    """The models that an answer lists, in its order, as far as a name can be one; None when it is no list of models."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    place = next((name for name in LISTS if name in value), "") if isinstance(value, dict) else ""
    rows: Any = value.get(place) if isinstance(value, dict) else value
    named_a_list = place == "models" or (place == "data" and value.get("object") == "list")
    if not isinstance(rows, list):
        return () if named_a_list and rows is None else None  # Ollama's way of saying none
    ids = tuple(islice(filter(_is_id, (_model_of(row) for row in rows)), MAX_MODELS))
    return ids if ids or named_a_list else None


def _model_of(row: Any) -> Any:
    """The name to ask a model by: its `id`; else its `name`, without the `models/` or with the owner before it."""
    if not isinstance(row, dict) or "id" in row:
        return row.get("id") if isinstance(row, dict) else None
    name, owner = row.get("name"), row.get("owner")
    return f"{owner}/{name}" if owner else name.removeprefix("models/") if isinstance(name, str) else None


def _says(text: str, key: Secret | None) -> bool:
    return key is not None and len(key.reveal()) >= SHORTEST_SECRET and key.reveal() in text


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID and value.isprintable()


def has(models: Sequence[str], model: str) -> bool:
    """Whether a list of models holds one, also under its full name: with `:latest`, or with a date at its end."""
    return any(re.fullmatch(rf"{re.escape(model)}(:latest|-[0-9]{{8}}|-[0-9-]{{10}})?", one) for one in models)


def side_by_side(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """The results of `work`, in the order of the items. Whoever is interrupted here leaves the work behind."""
    waiting: queue.SimpleQueue[tuple[int, T]] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Callable[[], R]]] = queue.SimpleQueue()
    for pair in enumerate(items):
        waiting.put(pair)
    for _ in range(min(AT_ONCE, len(items))):
        _thread.start_new_thread(_work_off, (work, waiting, done))  # nothing waits for it where the process ends
    found: dict[int, R] = {}
    while len(found) < len(items):
        with contextlib.suppress(queue.Empty):
            number, result = done.get(timeout=MOMENT)
            found[number] = result()
    return [found[number] for number in range(len(items))]


def _work_off(
    work: Callable[[T], R],
    waiting: "queue.SimpleQueue[tuple[int, T]]",
    done: "queue.SimpleQueue[tuple[int, Callable[[], R]]]",
) -> None:
    with contextlib.suppress(queue.Empty):
        while True:
            number, item = waiting.get_nowait()
            done.put((number, _outcome(work, item)))


def _outcome(work: Callable[[T], R], item: T) -> Callable[[], R]:
    """What gives the result, or raises what the work raised."""
    try:
        result = work(item)
    except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
        return partial(_raise, error)
    return lambda: result


def _raise(error: BaseException) -> NoReturn:
    raise error


def _no_list(exchange: Exchange, reply: "Reply") -> ProviderError:
    page = "html" in reply.headers.get("content-type", "").lower()
    what = "a web page" if page else "something else"
    return ProviderError(
        f"{exchange.provider.name} answered with {what} instead of a list of models",
        cause="" if page else clip(exchange.without_secrets(reply.body.decode("utf-8", "replace"))),
        hint=_address(exchange),
        status=reply.status,
    )


def _address(exchange: Exchange) -> str:
    return f"check its base URL: {exchange.provider.base_url}"


def _skew(reply: "Reply") -> float | None:
    """How far ahead of ours the clock of the server is; what a cache has kept is older by its Age."""
    age = reply.headers.get("age", "")
    try:
        said = email.utils.parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
    except (ValueError, OverflowError):
        return None
    return said + (int(age) if re.fullmatch("[0-9]{1,9}", age) else 0) - reply.at
