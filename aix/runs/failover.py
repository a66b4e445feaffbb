"""Whom to ask next when a provider fails: its next key, then the next target. Never once an answer has begun."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from aix.errors import AixError, AuthError, DeadlineError, NetworkError, ProviderError
from aix.llm.clock import Clock
from aix.llm.exchange import Exchange
from aix.llm.providers import Provider
from aix.llm.routing import Target
from aix.messages import Event
from aix.runs.key_queue import KeyQueue, turned_down
from aix.runs.run import Run

if TYPE_CHECKING:
    from aix.llm.client import Client

USUAL = ("401", "402", "403", "408", "409", "429", "5xx", "connect", "timeout", "context")
"""After what the next target is asked, where the user does not say otherwise."""

BY_REASON: Mapping[str, str] = {"content_filter": "", "context": "context", "limit": "limit", "quota": "402"}
BY_KIND: Mapping[type[AixError], str] = {
    AuthError: "401",  # there is no key to show, or no way to get at it
    NetworkError: "connect",
    DeadlineError: "timeout",
    ProviderError: "unanswered",
}
"""The triggers of failures without a status that says so."""


def triggers(error: AixError) -> frozenset[str]:
    """The names under which a failure may stand in `fallback.on`; none for what another target would not mend."""
    if error.reason in BY_REASON:
        return frozenset(filter(None, [BY_REASON[error.reason]]))
    if error.status < 300:
        return frozenset(name for kind, name in BY_KIND.items() if isinstance(error, kind))
    status = 429 if error.status == 498 else error.status
    return frozenset() if status == 400 else frozenset({str(status), f"{status // 100}xx"})


@dataclass(frozen=True, slots=True)
class Policy:
    """`on` are the triggers after which the next target is asked; with `alone` no other key or target is tried."""

    on: frozenset[str] = frozenset(USUAL)
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Failover:
    """Asks targets in turn. `keys` gives the queue of a provider's keys, `window` how many tokens a target takes (None
    where nobody says), and `failed` and `answered` are told how each fared; `warn` is told of each switch."""

    client: "Callable[[], Client]"
    policy: Policy
    keys: Callable[[Provider], KeyQueue]
    window: Callable[[Target], int | None]
    failed: Callable[[Target, AixError], None]
    answered: Callable[[Target], None]
    warn: Callable[[str], None]
    clock: Clock

    def events(
        self, run: Run, targets: Sequence[Target], exchange_of: Callable[[Target], Exchange], seconds: float
    ) -> Iterator[Event]:
        """The events of the answer of the first target that gives one, all within `seconds` from the moment when the
        first is asked. Raises AixError."""
        ends, left, asked = 0.0, list(targets), list[Target]()
        while left:
            target, begun = left.pop(0), False
            asked.append(target)
            try:
                exchange = exchange_of(target)
                ends = ends or self.clock.monotonic() + seconds
                after = partial(self._after, target=target, left=tuple(left))
                for event in self._events(run, exchange, ends, after):
                    begun = True
                    yield event
            except AixError as error:
                late = bool(ends) and self.clock.monotonic() >= ends
                if not late or len(asked) == 1:  # who had only what was left of the time is not to blame
                    self.failed(target, error)
                left = [] if begun or late else self._after(error, target, left)
                if not left:
                    raise _exhausted(error, asked) from error.__cause__
                self.warn(f"{error.message}; asking {left[0].name} instead")
            else:
                self.answered(target)
                return

    def _events(
        self, run: Run, exchange: Exchange, ends: float, after: Callable[[AixError], Sequence[Target]]
    ) -> Iterator[Event]:
        """The events of one target's answer; each of its keys is tried until one is not turned down."""
        best = self.keys(exchange.provider).best() if exchange.key else None
        exchange = replace(exchange, key=best.secret, key_source=best.source) if best else exchange
        while True:
            begun = False
            left = round(ends - self.clock.monotonic() + 0.05, 1)  # never less, so that who is late is so for all
            bounded = replace(exchange, timeout=min(exchange.timeout, left))
            try:
                run.patience.others = partial(self._has_others, exchange=exchange, after=after)
                for event in self.client().events(bounded, run.attempts, run.patience):
                    begun = True
                    yield event
            except AixError as error:
                if begun:
                    raise
                exchange = self.with_next_key(exchange, error, ends)
            else:
                return

    def with_next_key(self, exchange: Exchange, error: AixError, ends: float) -> Exchange:
        """The exchange with the key after the one that met an error. Raises the error where no other key would help."""
        queue, name = self.keys(exchange.provider), exchange.provider.name
        why, used = turned_down(error), queue.find(exchange.key)
        if not why or used is None or self.policy.alone or self.clock.monotonic() >= ends:
            raise error
        other = queue.after(used)
        if other is None:
            raise queue.used_up(error)
        which = f"{other.source}, key {queue.number(other)}"
        self.warn(f"{name}: the key from {used.source} {why}; trying the next one ({which})")
        return replace(exchange, key=other.secret, key_source=other.source)

    def _has_others(self, error: AixError, exchange: Exchange, after: Callable[[AixError], Sequence[Target]]) -> bool:
        """Whether another key or another target may be asked after an error."""
        queue = self.keys(exchange.provider)
        used = queue.find(exchange.key) if turned_down(error) and not self.policy.alone else None
        return (used is not None and queue.has_after(used)) or bool(after(error))

    def _after(self, error: AixError, target: Target, left: Sequence[Target]) -> list[Target]:
        """Who may still be asked after an error."""
        met = triggers(error)
        if self.policy.alone or self.policy.on.isdisjoint(met):
            return []
        if "context" not in met:
            return list(left)
        window = self.window(target) or 0
        return [other for other in left if (self.window(other) or 0) > window]


def _exhausted(error: AixError, asked: Sequence[Target]) -> AixError:
    """The last error, which says that others were asked before."""
    if len(asked) > 1:
        error.hint = f"asked in turn: {', '.join(target.name for target in asked)}\n{error.hint}".strip()
    return error
