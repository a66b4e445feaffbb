"""Between a prompt and a model: what is asked, for how long, and what becomes of an error on the way."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aix.app import App
from aix.errors import AixError, IncompleteError, RateLimitError
from aix.library.prompt import Output, Prompt
from aix.llm.exchange import Attempt, Exchange
from aix.llm.retry import Patience
from aix.llm.routing import Target
from aix.messages import Event, Finish, Message, Text, TextDelta
from aix.runs.run import Order, Run
from aix.runs.runner import Runner

MESSAGES = (Message("user", (Text("Hi"),)),)
BOX = {"base_url": "http://127.0.0.1:9/v1", "default_model": "tiny"}
BROKE = RateLimitError(
    "box is limiting requests", cause="too many", hint="wait", reason="quota", request_id="r1", status=429
)


class Scripted:
    """A client whose answer is given."""

    def __init__(self, *answer: Event | AixError) -> None:
        self._answer = answer

    def events(self, exchange: Exchange, attempts: list[Attempt], _: Patience) -> Iterator[Event]:
        for item in self._answer:
            if isinstance(item, AixError):
                raise item
            yield item


def configure(library: Path, **settings: Any) -> None:
    path = library / "config.json"
    path.write_text(json.dumps(settings))
    path.chmod(0o600)


def app(home: Path, **env: str) -> App:
    return App({"HOME": str(home), **env}, home)


def exchange(app: App, order: Order, prompt: Prompt) -> Exchange:
    """What would be sent to `box`."""
    target = app.runner.choose(order, prompt.model)
    fit = app.runner.fitted(target, app.runner.request(target, MESSAGES, order, prompt))
    return app.runner.exchange(target, fit, order, key=None)


def sent(home: Path, *answer: Event | AixError) -> tuple[Run, Iterator[Event]]:
    """A run, and its events when the client answers so."""
    whole = app(home)
    client: Any = Scripted(*answer)
    runner = Runner(whole.settings, whole.providers, lambda: client, whole.env, whole.warn)
    run = Run("p", "sha256:0")
    question = exchange(whole, Order(provider="echo"), Prompt("p", "", ""))
    run.target = Target(question.provider, question.model)
    return run, runner.send(run, Order(), lambda _: question)


@pytest.mark.parametrize(
    ("flag", "variable", "own", "setting", "seconds"),
    [
        (1.0, "2", 3, 4, 1),
        (None, "2", 3, 4, 2),
        (None, "", 3, 4, 3),
        (None, "", None, 4, 4),
        (None, "", None, None, 600),
    ],
)
def test_the_deadline_is_the_nearest_that_was_set(
    flag: float | None, variable: str, own: int | None, setting: int | None, seconds: float, home: Path, library: Path
) -> None:
    box = BOX if own is None else {**BOX, "timeout": own}
    configure(library, custom_providers={"box": box}, **({} if setting is None else {"timeout": setting}))
    wanted = Order(provider="box", timeout=flag)
    assert exchange(app(home, AIX_TIMEOUT=variable), wanted, Prompt("p", "", "")).timeout == seconds


def test_a_schema_of_the_prompt_is_asked_for(home: Path) -> None:
    schema = {"type": "object"}
    asked = exchange(app(home), Order(provider="echo"), Prompt("p", "", "", output=Output("json", schema)))
    assert asked.call.body["schema"] == schema


def test_an_answer_that_comes_whole_is_kept_as_it_passes(home: Path) -> None:
    run, events = sent(home, TextDelta("Good "), TextDelta("day."), Finish("stop"))
    assert [event for event in events if isinstance(event, TextDelta)] == [TextDelta("Good "), TextDelta("day.")]
    assert (run.response.text, run.executed) == ("Good day.", True)


def test_an_error_before_any_text_stays_what_it_is(home: Path) -> None:
    _, events = sent(home, BROKE)
    with pytest.raises(RateLimitError) as caught:
        list(events)
    assert caught.value is BROKE


def test_an_error_after_some_text_means_that_the_answer_is_not_whole(home: Path) -> None:
    run, events = sent(home, TextDelta("Good "), BROKE)
    with pytest.raises(IncompleteError) as caught:
        list(events)
    error = caught.value
    assert (error.message, error.cause, error.hint) == (
        "the answer broke off: box is limiting requests",
        "too many",
        "wait",
    )
    assert (error.reason, error.request_id, error.status) == ("quota", "r1", 429)
    assert run.response.text == "Good "


def test_a_key_in_a_providers_own_part_is_warned_about(home: Path, library: Path) -> None:
    configure(library, custom_providers={"box": {**BOX, "api_key": "sk-canary-0123456789abcdef"}})
    said: list[str] = []
    one = App({"HOME": str(home)}, home, warn=said.append)
    key = one.runner.keys.best(one.providers.get("box"))
    assert key is not None
    assert said == ["custom_providers.box.api_key holds a key; better: aix api-key custom:box, or api_key_env"]
