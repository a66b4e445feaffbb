"""One run: what was asked for, and how far it got."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aix.llm.exchange import Attempt
from aix.llm.routing import Target
from aix.messages import Collector, Message, Response


@dataclass(frozen=True, slots=True)
class Order:
    """What one run asks for by flags: `options` are fields of a Request; None and empty leave the choice open."""

    provider: str = ""
    model: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    stream: bool | None = None
    timeout: float | None = None


@dataclass(slots=True)
class Run:
    """One prompt and one answer, as far as they got: what `--json` prints, also after a failure."""

    prompt: str
    digest: str
    messages: tuple[Message, ...] = ()
    target: Target | None = None
    executed: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    collector: Collector = field(default_factory=Collector)

    @property
    def response(self) -> Response:
        return self.collector.response
