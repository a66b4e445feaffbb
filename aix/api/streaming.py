"""An answer while it comes."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from types import TracebackType
from typing import Self

from aix.app import App
from aix.errors import AixError
from aix.messages import Event, Finish, ReasoningDelta, TextDelta, ToolCallDelta
from aix.runs.response import Response, response_of
from aix.runs.run import Run
from aix.runs.sending import Sending


class Stream(Iterator[Event]):
    """The events of an answer as they come: TextDelta, ReasoningDelta and ToolCallDelta, then one Finish.

    The request is sent when the first event is asked for. The Finish comes once the answer was judged and is in the
    log; an answer that is not whole raises an AixError in its place. Leaving the `with`, or `close()`, ends the
    connection; the run then stands in the log as interrupted."""

    def __init__(self, run: Run, events: Generator[Event, None, None]) -> None:
        self._run = run
        self._events = events

    def __next__(self) -> Event:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it, wherever it is."""
        self._events.close()

    @property
    def response(self) -> Response:
        """All that came so far; after the end, the Response that `aix.run` would have returned."""
        return response_of(self._run)


def events_of(app: App, sending: Sending, run: Run, *, holds: bool) -> Generator[Event, None, None]:
    """The events for whoever called, the last one once all is judged and in the log; with `holds` no text before."""
    with scrubbed(app, run), sending.recorded(), closing(sending.events()) as events:
        for event in events:
            if isinstance(event, ReasoningDelta) or not (holds or isinstance(event, Finish)):
                yield event
    if holds:
        yield from _whole(run)
    if finish := run.response.finish:
        yield finish


def _whole(run: Run) -> Iterator[Event]:
    """What was held until it was known to be what is wanted."""
    yield TextDelta(run.text)
    for index, call in enumerate(run.response.tool_calls):
        yield ToolCallDelta(index, call.arguments, call.id, call.name)


@contextmanager
def scrubbed(app: App, run: Run | None = None) -> Iterator[None]:
    """Have an error say no key, and what had come by then."""
    try:
        yield
    except AixError as error:
        error.reword(app.scrubbed)
        error.response = response_of(run) if run and run.executed else None
        raise
