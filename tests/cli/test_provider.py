"""`aix provider`: adding, listing, looking, trying, importing and removing, with a model on this machine."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Aix
from stage import Model, Terminal, configure, serving
from typer.main import get_command

from aix.app import App
from aix.cli.completion.answer import answer
from aix.cli.main import cli
from aix.config import provider_row
from aix.config.provider_row import TAKEN, in_own_network
from aix.config.values import PROTOCOLS
from aix.errors import UsageError
from aix.llm.routing import BUILT_IN_ROLES

URL = "https://box.example/v1"
KEY = "gsk_12345678901234567890"
ENTER = "\r"


@pytest.fixture
def model(library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    """A model that listens as the custom provider `box`; nothing else on this machine is a model server."""
    with serving(library) as model:
        monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
        yield model


def config(library: Path) -> Any:
    path = library / "config.json"
    return json.loads(path.read_text()) if path.exists() else {}


# --- adding -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "row"),
    [
        ([URL], {"base_url": URL}),
        ([f"{URL}/"], {"base_url": URL}),
        ([f"{URL}/chat/completions"], {"base_url": URL}),
        (["HTTPS://box.example/v1"], {"base_url": URL}),
        (["http://localhost:8000/v1"], {"base_url": "http://localhost:8000/v1"}),
        (["http://10.0.0.7/v1"], {"base_url": "http://10.0.0.7/v1", "allow_http": True}),
        (["http://gpu.lan/v1"], {"base_url": "http://gpu.lan/v1", "allow_http": True}),
        (["http://box.example/v1", "--allow-http"], {"base_url": "http://box.example/v1", "allow_http": True}),
        (
            [URL, "--model", "m", "--protocol", "gemini", "--auth-type", "x-api-key", "--timeout", "2.5"],
            {"base_url": URL, "default_model": "m", "protocol": "gemini", "auth_type": "x-api-key", "timeout": 2.5},
        ),
        (
            [URL, "--header", "X-Team: pay:ments", "--header", "X-B:1", "--max-tokens-field", "n"],
            {"base_url": URL, "headers": {"X-Team": "pay:ments", "X-B": "1"}, "max_tokens_field": "n"},
        ),
        (
            [URL, "--api-key-env", "MY_KEY", "--api-key-command", "pass show x"],
            {"base_url": URL, "api_key_env": "MY_KEY", "api_key_command": "pass show x"},
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_said_is_what_is_written(arguments: list[str], row: dict[str, Any], aix: Aix, library: Path) -> None:
    done = aix("provider", "add", "new", *arguments)
    assert (done.stdout, done.status) == ("", 0)
    assert config(library) == {"custom_providers": {"new": row}}
    assert ("plain http to it is allowed" in done.stderr) == (
        row.get("allow_http", False) and "--" not in arguments[-1]
    )
    assert (library / "config.json").stat().st_mode & 0o777 == 0o600


def test_what_is_next_is_said(aix: Aix, library: Path) -> None:
    said = aix("provider", "add", "new", URL, env={"NEW_API_KEY": KEY}).stderr.splitlines()
    assert said == [
        f"aix: saved the provider new in {library / 'config.json'}",
        "aix: its key comes from $NEW_API_KEY",
        "aix: next: aix provider test new",
        "aix: then: aix run hello --name Ada -m new:MODEL -x",
    ]


def test_prices_go_to_the_model(aix: Aix, library: Path) -> None:
    aix("provider", "add", "new", URL, "-m", "m-1.5", "--input-price", "0.25", "--output-price", "$2")
    assert config(library)["models"] == {"m-1.5": {"input_price": 0.25, "output_price": 2.0, "provider": "new"}}


def test_a_built_in_name_is_taken_over_and_given_back(aix: Aix, library: Path) -> None:
    assert "it takes the place of the built-in openai" in aix("provider", "add", "openai", URL).stderr
    assert "openai is the built-in provider again" in aix("provider", "remove", "openai", "--yes").stderr
    assert config(library) == {}


def test_a_built_in_provider_needs_no_address_to_be_changed(aix: Aix, library: Path) -> None:
    assert aix("provider", "add", "openai", "--header", "X-Team: pay").status == 0
    assert config(library) == {"custom_providers": {"openai": {"headers": {"X-Team": "pay"}}}}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x", "localhost:8000"], "URL must begin with https:// or http://\n  hint: such as http://localhost:8000"),
        (["x", "ftp://box/v1"], "URL must begin with https:// or http://"),
        (["x", "https://u:hunter2@box/v1"], "URL must not hold a user name or a password"),
        (["x", f"{URL}?v=1"], f"URL must not hold a query or a fragment\n  hint: {URL}"),
        (["x", "https://"], "URL names no host"),
        (["x", "https://box:99999/v1"], "URL names no host"),
        (["x", "http://box.example/v1"], "URL is plain http, so that a key could be read on the way to box.example"),
        (["my box", URL], "NAME 'my box' cannot name a provider"),
        (["a:b", URL], "NAME 'a:b' cannot name a provider"),
        (["a/b", URL], "NAME 'a/b' cannot name a provider"),
        (["fast", URL], "NAME 'fast' means something else in --model"),
        (["x", URL, "--protocol", "openai-caht"], "did you mean openai-chat or openai-responses?"),
        (["x", URL, "--auth-type", "basic"], "--auth-type must be one of bearer, "),
        (["x", URL, "--header", "X-Team"], "--header takes NAME: VALUE, with a colon between"),
        (["x", URL, "--header", "X-Team: a\nHost: b"], "--header 'X-Team' cannot stand in an HTTP header"),
        (["x", URL, "--header", "X Team: a"], "--header 'X Team' cannot stand in an HTTP header"),
        (["x", URL, "--timeout", "soon"], "--timeout must be a number of seconds above 0"),
        (["x", URL, "--timeout", "0"], "--timeout must be a number of seconds above 0"),
        (["x", URL, "-m", "m", "--input-price", "cheap"], "--input-price must be dollars per million tokens"),
        (["x", URL, "-m", "m", "--input-price", "-1"], "--input-price must be dollars per million tokens"),
        (["x", URL, "-m", "m", "--output-price", "nan"], "--output-price must be dollars per million tokens"),
        (["x", URL, "--input-price", "1"], "--input-price is the price of a model\n  hint: name it: --model MODEL"),
        (["x", URL, "--api-key-env", KEY], "--api-key-env must be the name of a variable, not a key"),
        (["x", URL, "--api-key", KEY], "stays in the shell's history\n  hint: aix api-key custom:x asks for it"),
        (["x"], "where is x?\n  hint: aix provider add x https://…"),
        ([], "aix provider add asks questions, and there is no terminal"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_said_and_nothing_written(arguments: list[str], said: str, aix: Aix, library: Path) -> None:
    done = aix("provider", "add", *arguments)
    assert (done.stdout, done.status) == ("", 2)
    assert said in done.stderr
    assert KEY not in done.stderr
    assert "hunter2" not in done.stderr
    assert list(library.iterdir()) == []


def test_a_provider_that_is_there_is_replaced_only_when_that_is_meant(aix: Aix, library: Path) -> None:
    configure(library, custom_providers={"new": {"base_url": "https://old.example", "timeout": 3}})
    done = aix("provider", "add", "new", URL)
    assert (done.status, "Replace the provider new (https://old.example)?" in done.stderr) == (2, True)
    assert aix("provider", "add", "new", URL, "--yes").status == 0
    assert config(library) == {"custom_providers": {"new": {"base_url": URL}}}


def test_no_role_can_be_a_providers_name() -> None:
    assert set(BUILT_IN_ROLES) < set(TAKEN)


@pytest.mark.parametrize(
    ("url", "own"),
    [
        *((f"http://{host}/v1", True) for host in ("10.0.0.7", "192.168.1.2", "172.16.0.1", "100.64.0.9", "[fd00::1]")),
        *((f"http://{host}/v1", True) for host in ("gpu", "gpu.local", "gpu.corp.internal")),
        *((f"http://{host}/v1", False) for host in ("8.8.8.8", "box.example", "172.32.0.1", "[2606:4700::1]")),
    ],
)
def test_a_network_of_ones_own(url: str, own: bool) -> None:
    assert in_own_network(url) is own


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_can_be_named(protocol: str) -> None:
    assert provider_row.read("protocol", protocol, "--protocol") == protocol


# --- adding, asked ----------------------------------------------------------------------------------------------------

NAME, WHERE, SPEAKS, KEYS, WHICH = "called?", "Where is it?", "speak?", "Its key?", "Which model"


def test_a_wizard_asks_for_all_of_it(model: Model, library: Path) -> None:
    (library / "config.json").unlink()
    model.key = KEY
    terminal = Terminal("provider", "add")
    terminal.wait_for(NAME)
    terminal.type(f"a b{ENTER}")
    terminal.wait_for("cannot name a provider")
    terminal.type(f"\x15new{ENTER}")
    terminal.wait_for(WHERE)
    terminal.type(f"http://127.0.0.1:{model.port}/v1{ENTER}")
    terminal.wait_for(SPEAKS)
    terminal.type(ENTER)
    terminal.wait_for(KEYS)
    terminal.choose("type it now")
    terminal.wait_for("Key for new:")
    terminal.type(KEY + ENTER)
    terminal.wait_for(WHICH)
    terminal.choose("big")
    assert terminal.end() == 0
    assert config(library) == {
        "custom_providers": {"new": {"base_url": f"http://127.0.0.1:{model.port}/v1", "default_model": "big"}},
        "api_keys": {"new": KEY},
    }
    assert KEY.encode() not in terminal.raw


@pytest.mark.parametrize("question", [NAME, WHERE, SPEAKS, KEYS, WHICH])
def test_control_c_at_any_question_writes_nothing(question: str, model: Model, library: Path) -> None:
    before = config(library)
    terminal = Terminal("provider", "add")
    answers: dict[str, Callable[[], None]] = {
        NAME: lambda: terminal.type(f"new{ENTER}"),
        WHERE: lambda: terminal.type(f"http://127.0.0.1:{model.port}{ENTER}"),
        SPEAKS: lambda: terminal.type(ENTER),
        KEYS: lambda: terminal.type(ENTER),
        WHICH: lambda: None,
    }
    for asked, reply in answers.items():
        terminal.wait_for(asked)
        if asked == question:
            break
        reply()
    terminal.press_control_c()
    assert terminal.end() == -signal.SIGINT
    assert config(library) == before


def test_init_makes_a_provider_of_ones_own_and_runs_with_it(model: Model, library: Path) -> None:
    (library / "config.json").unlink()
    terminal = Terminal("init", columns=100)
    terminal.wait_for("Who answers your prompts?")
    terminal.choose("(another)")
    terminal.wait_for(NAME)
    terminal.type(f"new{ENTER}")
    terminal.wait_for(WHERE)
    terminal.type(f"http://127.0.0.1:{model.port}{ENTER}")
    terminal.wait_for(SPEAKS)
    terminal.type(ENTER)
    terminal.wait_for(KEYS)
    terminal.type(ENTER)
    terminal.wait_for(WHICH)
    terminal.choose("big")
    terminal.wait_for("What shall")
    terminal.type(ENTER)
    terminal.wait_for("a first prompt now")
    terminal.type("y")
    assert terminal.end() == 0
    row = {"base_url": f"http://127.0.0.1:{model.port}", "default_model": "big", "auth_type": "none"}
    assert config(library) == {"default_provider": "new", "custom_providers": {"new": row}, "execute": False}
    assert model.asked[0]["model"] == "big"


# --- looking ----------------------------------------------------------------------------------------------------------


def test_the_list_says_who_can_be_used_and_why_not(aix: Aix, model: Model, library: Path) -> None:
    azure = {"base_url": "https://x.example", "api_key_env": "AZURE_API_KEY"}
    rows = {"box": model.provider, "az": azure, "bad": {"base_url": 5}, "off": {"base_url": "http://127.0.0.1:9/v1"}}
    configure(library, custom_providers=rows, api_keys={"groq": KEY})
    lines = [line.split("\t") for line in aix("provider", "list", env={"OPENAI_API_KEY": KEY}).stdout.splitlines()]
    by_name = {line[0]: line[1:] for line in lines}
    url = model.provider["base_url"]
    assert by_name["box"] == ["ready", "$BOX_API_KEY (default)", "tiny", url, "custom"]
    assert by_name["az"] == ["no key", "$AZURE_API_KEY", "", "https://x.example", "custom"]
    assert by_name["bad"] == ["broken", "", "", "", "custom"]
    assert by_name["off"][0] == "not running"
    assert by_name["openai"][:2] == ["ready", "$OPENAI_API_KEY (default)"]
    assert by_name["groq"][:2] == ["ready", "config.json, api_keys.groq"]
    assert by_name["anthropic"][:2] == ["no key", "$ANTHROPIC_API_KEY (default)"]
    assert by_name["echo"][:2] == ["ready", "none"]


@pytest.mark.parametrize(
    ("flags", "names"), [(["--custom"], ["box"]), (["--usable"], ["box", "echo"]), (["--usable", "--custom"], ["box"])]
)
def test_a_list_can_be_shorter(flags: list[str], names: list[str], aix: Aix, model: Model) -> None:
    rows = json.loads(aix("provider", "list", "--json", *flags).stdout)
    assert [row["name"] for row in rows] == names
    assert all(row["usable"] for row in rows)


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_list_fits_a_terminal(columns: int, model: Model) -> None:
    terminal = Terminal("provider", "list", columns=columns)
    assert terminal.end() == 0
    lines = terminal.screen.splitlines()
    assert lines[0].split()[:2] == ["provider", "state"]
    assert lines[1].split()[:2] == ["box", "ready"]
    assert len(lines) == len({line.split()[0] for line in lines})
    assert ("default model" in lines[0], "address" in lines[0]) == (columns > 40, columns > 80)


def test_info_says_where_each_part_comes_from(aix: Aix, library: Path) -> None:
    row = {"base_url": URL, "headers": {"X-Team": "payments-and-more"}, "max_tokens_field": "n", "api_key_command": "x"}
    configure(
        library, custom_providers={"new": row}, new_default_model="m", api_keys={"new": [KEY, "second-key-0123456789"]}
    )
    lines = aix("provider", "info", "custom:new", env={"NEW_API_KEY": KEY}).stdout.splitlines()
    assert {
        "default_model\tm\tconfig.json, new_default_model",
        "protocol\topenai-chat\tusual",
        f"base_url\t{URL}\tconfig.json",
        "headers.X-Team\tpaym***more\tconfig.json",
        "dialect\tmax_tokens_field=n\tconfig.json",
        "key, in use\tgsk_***7890\t$NEW_API_KEY",
        "key\tnot run here\tapi_key_command",
        "key\tgsk_***7890, seco***6789\tconfig.json, api_keys.new",
    } <= set(lines)


def test_info_says_what_of_the_environment_applies(aix: Aix) -> None:
    env = {"OPENAI_API_BASE": "http://localhost:9/v1", "OPENAI_ORG_ID": "org-1"}
    said = json.loads(aix("provider", "info", "openai", "--json", env=env).stdout)
    assert said["fields"]["base_url"] == {"value": "http://localhost:9/v1", "source": "$OPENAI_API_BASE"}
    assert said["fields"]["headers.OpenAI-Organization"]["source"] == "$OPENAI_ORG_ID"
    assert said["fields"]["key_page"]["source"] == "built in"
    assert {variable["name"]: variable["set"] for variable in said["variables"]}.items() >= {
        "OPENAI_BASE_URL": False,
        "OPENAI_API_BASE": True,
        "OPENAI_ORG_ID": True,
    }.items()


@pytest.mark.parametrize("command", ["info", "remove", "test"])
def test_a_name_that_there_is_not_has_near_ones(command: str, aix: Aix) -> None:
    done = aix("provider", command, "opnai")
    assert (done.status, "did you mean openai?" in done.stderr) == (5, True)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["info", "opena"], ["openai"]),
        (["test", "box", "opena"], ["openai"]),
        (["remove", ""], ["box"]),
        (["add", "new", URL, "--protocol", "anth"], ["anthropic-messages"]),
        (["add", "new", URL, "--auth-type", "bear"], ["bearer"]),
        (["add", ""], []),
        (["quick"], ["quick-setup"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_tab_offers_what_fits(words: list[str], offered: list[str], model: Model) -> None:
    lines = answer(App(dict(os.environ), Path.cwd()), get_command(cli), "fish", ["provider", *words]).splitlines()
    assert [line.partition("\t")[0] for line in lines[2:]] == offered


# --- trying -----------------------------------------------------------------------------------------------------------


def test_a_provider_is_tried(aix: Aix, model: Model) -> None:
    done = aix("provider", "test", "box", "--send")
    levels = [line.split("\t")[:2] for line in done.stdout.splitlines()]
    assert (levels, done.status) == ([["ok", "box"]] * 2, 0)
    assert "with 2 models: tiny, big" in done.stdout
    assert "box:tiny-1 answers a message" in done.stdout
    assert (len(model.asked), model.asked[0]["max_tokens"]) == (1, 16)


def test_nothing_is_sent_unasked(aix: Aix, model: Model) -> None:
    assert aix("provider", "test").status == 0
    assert model.asked == []


@pytest.mark.parametrize(
    ("row", "status", "said"),
    [
        ({"default_model": "tyni"}, 0, "box does not list tyni"),
        ({"base_url": "http://127.0.0.1:9/v1"}, 7, "cannot connect to box"),
        ({"auth_type": "none"}, 4, "box"),
    ],
    ids=["no such model", "nobody there", "no key"],
)
def test_what_is_wrong_with_a_provider_is_said(
    row: dict[str, Any], status: int, said: str, aix: Aix, model: Model, library: Path
) -> None:
    model.key = KEY if status == 4 else ""
    configure(library, custom_providers={"box": {**model.provider, **row}})
    done = aix("provider", "test", "box", "--json")
    found = json.loads(done.stdout)
    assert (done.status, found["ok"]) == (status, status == 0)
    assert said in found["checks"][-1]["message"]
    assert found["checks"][-1]["provider" if status else "model"] == ("box" if status else "tyni")


# --- a model server of this machine -----------------------------------------------------------------------------------


def test_quick_setup_takes_the_first_that_runs(aix: Aix, model: Model, library: Path) -> None:
    configure(library, default_model="openai:gpt-x")
    done = aix("provider", "quick-setup", "--yes", env={"OLLAMA_HOST": f"127.0.0.1:{model.port}"})
    assert done.status == 0
    assert "default_model, which was openai:gpt-x, is no longer set" in done.stderr
    assert config(library) == {"default_provider": "ollama", "ollama_default_model": "tiny"}


def test_quick_setup_asks_which(model: Model, library: Path) -> None:
    terminal = Terminal("provider", "quick-setup", columns=60)
    terminal.wait_for("Which model of box?")
    terminal.choose("big")
    assert terminal.end() == 0
    assert (config(library)["default_provider"], config(library)["box_default_model"]) == ("box", "big")


@pytest.mark.parametrize(
    ("arguments", "models", "status", "said"),
    [
        ([], ("tiny",), 2, "there is nobody to ask which: box (tiny)"),
        (["--yes"], (), 5, "there is no model yet at box"),
        (["--yes", "-m", "huge"], ("tiny",), 5, "there is no model huge at box\n  hint: box has tiny"),
    ],
)
def test_quick_setup_that_cannot_choose(
    arguments: list[str], models: tuple[str, ...], status: int, said: str, aix: Aix, model: Model, library: Path
) -> None:
    model.models = models
    before = config(library)
    done = aix("provider", "quick-setup", *arguments)
    assert (done.status, said in done.stderr, config(library)) == (status, True, before)


def test_quick_setup_says_where_it_looked(aix: Aix) -> None:
    done = aix("provider", "quick-setup", "--yes", env={"OLLAMA_HOST": "127.0.0.1:9"})
    assert done.status == 5
    assert "ollama at http://127.0.0.1:9, lmstudio at http://127.0.0.1:1234/v1, vllm at" in done.stderr
    assert "start one: ollama serve" in done.stderr


# --- from a file ------------------------------------------------------------------------------------------------------

GPTME = f"""[prompt]
about_user = "a person"
[env]
OPENAI_BASE_URL = "http://localhost:8000/v1"

[[providers]]
name = "vllm-local"
base_url = "http://localhost:8000/v1"
default_model = "meta-llama/Llama-3.1-8B"

[[providers]]
name = "groq"
base_url = "https://api.groq.com/openai/v1"
api_key_env = "GROQ_API_KEY"
api_key = "{KEY}"
"""


def test_providers_come_from_a_file(aix: Aix, library: Path, home: Path) -> None:
    (home / "gptme.toml").write_text(GPTME)
    planned = aix("provider", "import", "gptme.toml", "--dry-run")
    assert (planned.status, config(library)) == (0, {})
    done = aix("provider", "import", "~/gptme.toml")
    assert (
        done.stdout == planned.stdout == "vllm-local\thttp://localhost:8000/v1\ngroq\thttps://api.groq.com/openai/v1\n"
    )
    assert "groq takes the place of the built-in groq" in done.stderr
    assert "the key of groq goes to api_keys.groq" in done.stderr
    assert "OPENAI_BASE_URL in [env] is not taken over" in done.stderr
    assert KEY not in done.stderr
    assert config(library) == {
        "custom_providers": {
            "vllm-local": {"base_url": "http://localhost:8000/v1", "default_model": "meta-llama/Llama-3.1-8B"},
            "groq": {"base_url": "https://api.groq.com/openai/v1", "api_key_env": "GROQ_API_KEY"},
        },
        "api_keys": {"groq": KEY},
    }
    again = aix("provider", "import", "gptme.toml")
    assert (again.status, "there are already vllm-local, groq" in again.stderr) == (2, True)
    assert aix("provider", "import", "gptme.toml", "--force").status == 0


ONE = '[[providers]]\nname = "a"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\ny = ", "f.toml:2: this is not TOML: invalid value"),
        ("[prompt]\n", "f.toml has no [[providers]]"),
        ("providers = 3\n", "f.toml: providers must be tables"),
        ("\n[[providers]]\n", "f.toml:2: this provider has no name"),
        (ONE, "f.toml:1: a has no base_url"),
        (f'{ONE}base_url = "localhost"\n', "f.toml:1: base_url must begin with https://"),
        (f'{ONE}base_url = "{URL}"\n{ONE}base_url = "{URL}"\n', "f.toml:4: there is another provider named a"),
        (f'{ONE}base_ulr = "{URL}"\n', "f.toml:1: base_ulr is no field of a provider\n  hint: did you mean base_url?"),
        (f'{ONE}base_url = "{URL}"\ntimeout = "x"\n', "f.toml:1: timeout must be a number of seconds"),
        (f'{ONE}base_url = "{URL}"\napi_key_env = "{KEY}"\n', "f.toml:1: api_key_env must be the name of a variable"),
        ('[[providers]]\nname = "a b"\n', "f.toml:1: 'a b' cannot name a provider"),
        (f'{ONE}base_url = "http://box.example"\n', "the base_url of a is plain http"),
        ("\x00", "f.toml:1: this is not TOML"),
    ],
)
def test_a_file_that_is_wrong_changes_nothing(text: str, said: str, aix: Aix, library: Path, home: Path) -> None:
    (home / "f.toml").write_text(text)
    done = aix("provider", "import", "f.toml")
    assert (done.status, config(library)) == (2, {})
    assert said in done.stderr
    assert KEY not in done.stderr


@pytest.mark.parametrize(("name", "said"), [("no.toml", "no.toml is not a file"), (".", "is not a file")])
def test_a_file_that_there_is_not(name: str, said: str, aix: Aix) -> None:
    done = aix("provider", "import", name)
    assert (done.status, said in done.stderr) == (2, True)


def test_bytes_that_are_no_text_are_named(aix: Aix, home: Path) -> None:
    (home / "f.toml").write_bytes(b"a = 1\nb = '\xff'\n")
    assert "f.toml:2: this is not UTF-8 text" in aix("provider", "import", "f.toml").stderr


# --- removing ---------------------------------------------------------------------------------------------------------


def test_removing_says_what_still_names_it(aix: Aix, model: Model, library: Path) -> None:
    configure(
        library,
        custom_providers={"box": model.provider},
        default_provider="box",
        default_model="custom:box/tiny",
        box_default_model="big",
        roles={"mine": "box:tiny", "other": "boxes:tiny"},
        models={"tiny": {"provider": "box"}},
        api_keys={"box": KEY},
    )
    done = aix("provider", "remove", "box", "--yes")
    named = [line.split()[2] for line in done.stderr.splitlines() if "still names" in line]
    assert named == ["default_provider", "default_model", "box_default_model", "roles.mine", "models.tiny.provider"]
    assert (done.status, config(library)["api_keys"]) == (0, {"box": KEY})
    assert "custom_providers" not in config(library)


def test_a_key_goes_too_when_that_is_asked_for(aix: Aix, model: Model, library: Path) -> None:
    configure(library, custom_providers={"box": model.provider}, api_keys={"box": KEY})
    assert "the provider box is forgotten, and its key" in aix("provider", "remove", "box", "--key", "-y").stderr
    assert config(library) == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["openai", "--yes"], "openai is built in, and stays"), (["box"], "Forget the provider box?")],
)
def test_what_is_not_removed(arguments: list[str], said: str, aix: Aix, model: Model, library: Path) -> None:
    before = config(library)
    done = aix("provider", "remove", *arguments)
    assert (done.status, said in done.stderr, config(library)) == (2, True, before)


def test_an_unknown_field_is_an_error_also_from_a_program() -> None:
    with pytest.raises(UsageError, match="is no field of a provider"):
        provider_row.checked("nothing", 1, "x")
