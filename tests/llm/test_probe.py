"""Asking a provider for its models, and finding the servers of this machine, against real servers on it."""

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from listing import TINY, Listener, Says, listening, nobody

from aix.config.secrets import Secret
from aix.llm.client import Client
from aix.llm.probe import LATE, MAX_BODY, MAX_MODELS, Probe, has, listed, probe, running, side_by_side
from aix.llm.providers import Providers

KEY = "sk-canary-0123456789abcdef"


def client(**env: str) -> Client:
    return Client(env, max_body=MAX_BODY)


def asked(listener: Listener, *, key: str | None = KEY, **row: Any) -> Probe:
    providers = Providers({"box": {"base_url": listener.url, **row}}, {})
    return probe(client(), providers.get("box"), Secret(key) if key else None, seconds=10.0)


def found(env: Mapping[str, str], custom: Mapping[str, Any] | None = None, seconds: float = 5.0) -> list[Probe]:
    return running(client(), Providers(custom or {}, env), seconds)


def test_a_provider_says_which_models_it_has() -> None:
    with listening(Says()) as listener:
        answer = asked(listener)
    assert (answer.models, answer.status, answer.error) == (("tiny", "large:latest"), 200, None)
    assert answer.reachable
    assert answer.skew is not None
    assert abs(answer.skew) < 30


@pytest.mark.parametrize(
    ("row", "line", "header"),
    [
        ({}, "GET /v1/models HTTP/1.1", f"Authorization: Bearer {KEY}"),
        ({"auth_type": "api-key"}, "GET /v1/models HTTP/1.1", f"api-key: {KEY}"),
        ({"protocol": "anthropic-messages"}, "GET /v1/models?limit=1000 HTTP/1.1", f"x-api-key: {KEY}"),
        ({"protocol": "anthropic-messages"}, "GET /v1/models?limit=1000 HTTP/1.1", "anthropic-version: 2023-06-01"),
        ({"headers": {"X-Team": "blue"}}, "GET /v1/models HTTP/1.1", "X-Team: blue"),
    ],
)
def test_it_is_asked_as_its_protocol_wants(row: dict[str, Any], line: str, header: str) -> None:
    with listening(Says()) as listener:
        asked(listener, **row)
    (head,) = listener.asked
    assert head.splitlines()[0] == line
    assert header in head.splitlines()


@pytest.mark.parametrize(
    ("answer", "name", "status", "message"),
    [
        (Says('{"error": {"message": "no"}}', "401 Unauthorized"), "AUTH", 401, "box does not accept the key"),
        (Says("{}", "403 Forbidden"), "AUTH", 403, "box does not allow this to the key"),
        (Says("{}", "404 Not Found"), "NOT_FOUND", 404, "box has no list of models"),
        (Says("{}", "429 Too Many"), "RATE_LIMIT", 429, "box is limiting requests"),
        (Says("{}", "503 Down"), "PROVIDER", 503, "box failed (HTTP 503)"),
        (Says("<html>", kind="text/html"), "PROVIDER", 200, "box answered with a web page instead of a list of models"),
        (Says("hello"), "PROVIDER", 200, "box answered with something else instead of a list of models"),
        (Says('{"data": []}'), "PROVIDER", 200, "box answered with something else instead of a list of models"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "PROVIDER", 0, "box does not speak HTTP as it should"),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://a.example/\r\nContent-Length: 0\r\n\r\n",
            "NETWORK",
            302,
            "box redir",
        ),
        (b"", "PROVIDER", 0, "box ended the connection, unanswered"),
    ],
)
def test_what_stands_in_the_way_is_an_error_in_the_answer(
    answer: Says | bytes, name: str, status: int, message: str
) -> None:
    with listening(answer) as listener:
        got = asked(listener)
    assert got.error is not None
    assert (got.error.name, got.status or got.error.status) == (name, status)
    assert got.error.message.startswith(message)
    assert got.models == ()
    assert len(listener.asked) == 1  # it is asked once


def test_a_server_that_says_the_key_back_is_not_repeated() -> None:
    with listening(Says(f'{{"error": {{"message": "bad key {KEY}"}}}}', "401 Unauthorized")) as listener:
        got = asked(listener)
    assert got.error is not None
    assert KEY not in repr(got) + got.error.message + got.error.cause


@pytest.mark.parametrize(
    "said",
    [
        f'{{"headers": {{"authorization": "Bearer {KEY}"}}}}',
        f"you said {KEY}",
        f"{'x' * 280}{KEY}",
        f"{' ' * 1190}{KEY}",
        f'{{"data": [{{"id": "{KEY}"}}, {{"id": "x/{KEY}"}}]}}',
    ],
    ids=["headers", "text", "where it is cut", "after much space", "as a model"],
)
@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_what_is_no_list_of_models_is_shown_without_the_key_that_it_repeats(said: str, kind: str) -> None:
    with listening(Says(said, kind=kind)) as listener:
        got = asked(listener)
    text = repr(got) + (f"{got.error.message} {got.error.cause} {got.error.hint}" if got.error else "")
    assert KEY[:12] not in text


@pytest.mark.parametrize(
    ("ids", "models"),
    [
        (["fine", "two\nlines", "\x1b[2J", "\ud800", "x" * 200, "x" * 201, ""], ("fine", "x" * 200)),
        ([f"m{number}" for number in range(MAX_MODELS + 5)], tuple(f"m{number}" for number in range(MAX_MODELS))),
        (["\x07"], ()),
    ],
    ids=["names that are none", "too many", "nothing else"],
)
def test_a_list_of_models_is_bounded(ids: list[str], models: tuple[str, ...]) -> None:
    assert listed(json.dumps({"object": "list", "data": [{"id": name} for name in ids]}).encode()) == models


def test_work_side_by_side_keeps_its_order_and_its_error() -> None:
    assert side_by_side(lambda number: number * 2, range(40)) == list(range(0, 80, 2))
    assert side_by_side(str, []) == []
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda number: 1 / number, [1, 0])


def test_a_body_without_an_end_is_not_waited_for() -> None:
    with listening(Says(" " * (MAX_BODY + 10))) as listener:
        got = asked(listener)
    assert got.error is not None
    assert got.error.message == f"box sent more than {MAX_BODY} bytes"


def test_a_closed_port_and_an_address_that_is_none_are_errors() -> None:
    with nobody() as port:
        got = asked(Listener(port))
    assert (got.reachable, got.error and got.error.name) == (False, "NETWORK")
    wrong = Providers({}, {"OPENAI_BASE_URL": "nowhere"}).get("openai")
    got = probe(client(), wrong, None)
    assert (got.reachable, got.error and got.error.name) == (False, "CONFIG")


def test_silence_is_waited_for_no_longer_than_allowed() -> None:
    provider = Providers({"box": {"base_url": "http://127.0.0.1:1/v1"}}, {})
    with listening(None) as listener:
        provider = Providers({"box": {"base_url": listener.url}}, {})
        started = time.monotonic()
        got = probe(client(), provider.get("box"), None, seconds=0.3)
    assert time.monotonic() - started < 3
    assert got.error is not None
    assert (got.error.name, got.error.hint) == ("TIMEOUT", LATE)


@pytest.mark.parametrize("ahead", [-3600.0, 0.0, 7200.0])
def test_the_clock_of_the_server_is_compared_with_ours(ahead: float) -> None:
    for answer in (Says(ahead=ahead), Says("{}", "401 Unauthorized", ahead=ahead)):
        with listening(answer) as listener:
            skew = asked(listener).skew
        assert skew is not None
        assert abs(skew - ahead) < 30


def test_an_answer_from_a_cache_has_an_old_date() -> None:
    with listening(Says(ahead=-600, more="Age: 600\r\n")) as listener:
        skew = asked(listener).skew
    assert skew is not None
    assert abs(skew) < 30


@pytest.mark.parametrize(
    ("body", "models"),
    [
        (TINY, ("tiny", "large:latest")),
        ('[{"id": "a"}, {"id": "b"}]', ("a", "b")),
        ('{"data": [{"id": "a"}, {"id": 1}, {"name": 5}, 7]}', ("a",)),
        ('{"models": [{"name": "models/gemini-x", "displayName": "X"}]}', ("gemini-x",)),
        ('{"models": [{"name": "llama3.2:latest", "model": "llama3.2:latest"}]}', ("llama3.2:latest",)),
        ('{"models": []}', ()),
        ('{"results": [{"owner": "meta", "name": "llama"}], "next": null}', ("meta/llama",)),
        ('{"object": "list", "data": []}', ()),
        ('{"object": "list", "data": null}', ()),
        ('{"object": "list"}', None),
        ('{"data": {"id": "a"}}', None),
        ("[]", None),
        ("{}", None),
        ("7", None),
        ("not json", None),
        ("[" * 100_000, None),
    ],
)
def test_a_list_of_models_has_one_of_a_few_shapes(body: str, models: tuple[str, ...] | None) -> None:
    assert listed(body.encode()) == models


@pytest.mark.parametrize(
    ("model", "there"),
    [
        ("llama3.2", True),
        ("claude-haiku-4-5", True),
        ("gpt-5.4", True),
        ("llama3", False),
        ("claude-haiku", False),
        ("x", False),
    ],
)
def test_a_model_is_also_there_under_its_full_name(model: str, there: bool) -> None:
    assert has(["llama3.2:latest", "claude-haiku-4-5-20251001", "gpt-5.4-2026-03-05"], model) is there


# --- the servers of this machine --------------------------------------------------------------------------------------


def names(answers: list[Probe]) -> set[str]:
    return {answer.provider.name for answer in answers} - {"lmstudio", "vllm", "llamacpp"}  # a developer may run these


def test_a_local_server_is_found_where_the_environment_says() -> None:
    with listening(Says()) as listener:
        answers = found({"OLLAMA_HOST": f"127.0.0.1:{listener.port}"})
    ollama = next(answer for answer in answers if answer.provider.name == "ollama")
    assert ollama.models == ("tiny", "large:latest")


def test_a_custom_provider_on_this_machine_is_found_and_sent_no_secret() -> None:
    with listening(Says()) as listener, nobody() as closed:
        row = {"base_url": listener.url, "api_key": KEY, "headers": {"X-Secret": "canary"}}
        answers = found({"OLLAMA_HOST": f":{closed}", "BOX_API_KEY": KEY}, {"box": row})
    assert names(answers) == {"box"}
    assert KEY not in listener.asked[0]
    assert "canary" not in listener.asked[0]
    box = next(answer for answer in answers if answer.provider.name == "box")
    assert box.provider.headers == {"X-Secret": "canary"}  # it is the row itself, ready for use


def test_two_names_for_one_address_are_one_server() -> None:
    with listening(Says()) as listener:
        answers = found({"OLLAMA_HOST": f"localhost:{listener.port}"}, {"box": {"base_url": listener.url}})
    assert names(answers) == {"box"}
    assert len(listener.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x01\x02",
        Says("<html>hello</html>", kind="text/html"),
        Says("{}"),
        Says("{}", "404 Not Found"),
        Says("{}", "500 Oops"),
        b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_what_listens_but_is_no_model_server_is_not_counted(answer: Says | bytes) -> None:
    with listening(answer) as listener:
        assert names(found({"OLLAMA_HOST": f":{listener.port}"})) == set()


def test_a_silent_listener_delays_no_more_than_its_bound() -> None:
    with listening(None) as one, listening(None) as other, listening(Says()) as good:
        rows = {"one": {"base_url": one.url}, "other": {"base_url": other.url}, "good": {"base_url": good.url}}
        started = time.monotonic()
        answers = found({"OLLAMA_HOST": f":{one.port}"}, rows, seconds=1.0)
    assert time.monotonic() - started < 4
    assert names(answers) <= {"good"}


def test_a_server_elsewhere_is_not_asked_and_a_broken_row_is_passed_over() -> None:
    with nobody() as closed:
        rows = {"far": {"base_url": "https://far.example/v1"}, "broken": {"base_url": 7}, "odd": "text"}
        assert names(found({"OLLAMA_HOST": "gpu.example"}, rows)) == set()
        assert names(found({"OLLAMA_HOST": f":{closed}"}, rows)) == set()


def test_whether_something_listens_is_found_out_without_a_word() -> None:
    with listening(Says()) as listener, nobody() as closed:
        rows = {"box": {"base_url": listener.url}, "shut": {"base_url": f"http://127.0.0.1:{closed}/v1"}}
        providers = Providers(rows, {})
        assert client().listens(providers.get("box"))
        assert not client().listens(providers.get("shut"))
    assert listener.asked == []
