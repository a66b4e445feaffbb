"""`aix api-key` through the real command: from a pipe and from a person, and what it warns about."""

import json
from pathlib import Path

import pytest
from conftest import Aix
from stage import Terminal, configure

KEY = "sk-or-v1-0123456789abcdef"
MASKED = "sk-o***cdef"
NEW = "sk-or-v1-fedcba9876543210"
CUSTOM = {"base_url": "https://gw.example/v1"}
CUSTOM_PROVIDERS = {"vllm-local": CUSTOM, "my.gw": CUSTOM, "free": {**CUSTOM, "auth_type": "none"}}


def saved_keys(library: Path) -> object:
    return json.loads((library / "config.json").read_text()).get("api_keys", {})


@pytest.fixture
def custom(library: Path) -> Path:
    """A library with custom providers."""
    configure(library, custom_providers=CUSTOM_PROVIDERS)
    return library


@pytest.mark.parametrize(
    ("name", "place", "text"),
    [
        ("openrouter", "openrouter", KEY),
        ("openai", "openai", f"{KEY}\n"),
        ("anthropic", "anthropic", f"  {KEY}\r\n"),
        ("custom:vllm-local", "vllm-local", f"\ufeff{KEY}\n"),
        ("vllm-local", "vllm-local", KEY),
        ("custom:my.gw", "my.gw", KEY),
    ],
)
def test_a_piped_key_is_saved_and_shown_masked(name: str, place: str, text: str, aix: Aix, custom: Path) -> None:
    done = aix("api-key", name, stdin=text)
    assert (done.stdout, done.status) == ("", 0)
    assert done.stderr.splitlines()[0] == f"aix: saved the key {MASKED} for {place} in {custom}/config.json"
    assert KEY not in done.stderr
    assert saved_keys(custom) == {place: KEY}


def test_get_set_and_delete(aix: Aix, library: Path) -> None:
    assert aix("api-key", "openrouter", "--action", "set", stdin=KEY).status == 0
    done = aix("api-key", "openrouter", "--action", "get")
    assert (done.stdout, done.stderr, done.status) == (f"{MASKED} (config.json)\n", "", 0)
    done = aix("api-key", "openrouter", "--action", "delete")
    assert (done.stdout, done.status) == ("", 2)
    assert (
        done.stderr == "aix: error: there is nobody to ask: Delete the saved key for openrouter?\n  hint: add --yes\n"
    )
    assert saved_keys(library) == {"openrouter": KEY}
    done = aix("api-key", "openrouter", "--action", "delete", "--yes")
    assert (done.stdout, done.stderr, done.status) == ("", "aix: the key for openrouter is deleted\n", 0)
    assert json.loads((library / "config.json").read_text()) == {}
    done = aix("api-key", "openrouter", "--action", "delete", "--yes")
    assert (done.stdout, done.stderr, done.status) == ("", "aix: there is no saved key for openrouter\n", 0)


@pytest.mark.parametrize(
    ("name", "env", "out", "err"),
    [
        ("openai", {"OPENAI_API_KEY": "sk-abcdefghijklmnop"}, "sk-a***mnop (OPENAI_API_KEY)\n", ""),
        ("vllm-local", {"VLLM_LOCAL_API_KEY": "short"}, "*** (VLLM_LOCAL_API_KEY)\n", ""),
        ("custom:my.gw", {"MY_GW_API_KEY": KEY}, f"{MASKED} (MY_GW_API_KEY)\n", ""),
        ("vllm-local", {}, "", "aix: vllm-local has no key, and needs none\n"),
        ("free", {"FREE_API_KEY": KEY}, "", "aix: free has no key, and needs none\n"),
        ("ollama", {}, "", "aix: ollama has no key, and needs none\n"),
    ],
)
def test_get_says_which_key_is_in_force(
    name: str, env: dict[str, str], out: str, err: str, aix: Aix, custom: Path
) -> None:
    done = aix("api-key", name, "--action", "get", env=env)
    assert (done.stdout, done.stderr, done.status) == (out, err, 0)


@pytest.mark.parametrize(
    ("arguments", "text", "status", "message", "hint"),
    [
        (["openai"], "", 4, "the key for openai is empty", "aix api-key openai"),
        (["openai"], " \n ", 4, "the key for openai is empty", "aix api-key openai"),
        (["openai"], None, 4, "the key for openai is empty", "aix api-key openai"),
        (
            ["openai"],
            f"{KEY}\nX-Evil: 1",
            4,
            "the key for openai holds a space, a line break or a",
            "aix api-key openai",
        ),
        (["openai"], "a b", 4, "the key for openai holds a space, a line break or a", "aix api-key openai"),
        (["openai"], b"\xff\xfe", 2, "standard input is not UTF-8 text (byte 0)", ""),
        (["opnai"], KEY, 5, "there is no provider 'opnai'", "did you mean openai?"),
        (["custom:vllm-locl"], KEY, 5, "there is no provider 'custom:vllm-locl'", "did you mean vllm-local?"),
        (["custom:openai"], KEY, 5, "there is no provider 'custom:openai'", "did you mean openai?"),
        (["zzz"], KEY, 5, "there is no provider 'zzz'", "aix provider list"),
        (
            ["openai", "--add", "--keyring"],
            KEY,
            2,
            "--add is for saving a key in config.json",
            "aix api-key openai --add",
        ),
        (["openai", "--add", "--action", "get"], KEY, 2, "--add is for saving a key in config.json", "aix api-key"),
        (["echo"], KEY, 2, "echo takes no key", "aix run hello --name Ada --provider echo -x"),
        (["free"], KEY, 2, "free takes no key", "aix run hello --name Ada --provider free -x"),
        (
            ["openai", "--action", "show"],
            KEY,
            2,
            "invalid value for '--action': 'show' is not one of",
            "aix api-key --help",
        ),
        (
            ["openai", "--action", "get"],
            None,
            4,
            "No API key found for openai",
            "get a key at https://platform.openai.com",
        ),
    ],
)
def test_what_is_no_key_is_refused(
    arguments: list[str], text: str | bytes | None, status: int, message: str, hint: str, aix: Aix, custom: Path
) -> None:
    before = (custom / "config.json").read_bytes()
    done = aix("api-key", *arguments, stdin=text)
    assert (done.stdout, done.status) == ("", status)
    assert done.stderr.startswith(f"aix: error: {message}")
    assert (f"\n  hint: {hint}" if hint else "\n") in done.stderr
    assert KEY not in done.stderr
    assert (custom / "config.json").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "key", "env", "warning"),
    [
        ("openai", "sk-ant-api03-0123456789", {}, "it looks like a key of anthropic; if so: aix api-key anthropic"),
        ("openai", KEY, {}, "it looks like a key of openrouter; if so: aix api-key openrouter"),
        ("anthropic", "sk-proj-0123456789", {}, "it looks like a key of openai; if so: aix api-key openai"),
        ("openrouter", KEY, {}, ""),
        ("anthropic", "sk-ant-api03-0123456789", {}, ""),
        ("openai", "sk-proj-0123456789", {}, ""),
        ("openai", "something-else-0123456789", {}, ""),
        ("vllm-local", KEY, {}, ""),
        (
            "openrouter",
            KEY,
            {"OPENROUTER_API_KEY": "x"},
            "OPENROUTER_API_KEY is set and comes first; this key is used when that one is turned down",
        ),
        (
            "my.gw",
            KEY,
            {"MY_GW_API_KEY": "x"},
            "MY_GW_API_KEY is set and comes first; this key is used when that one is turned down",
        ),
    ],
)
def test_a_key_that_will_not_do_what_was_meant_is_warned_about(
    name: str, key: str, env: dict[str, str], warning: str, aix: Aix, custom: Path
) -> None:
    done = aix("api-key", name, stdin=key, env=env)
    assert (done.stdout, done.status) == ("", 0)
    assert done.stderr.splitlines()[1:] == ([f"aix: warning: {warning}"] if warning else [])
    assert saved_keys(custom) == {name: key}


def test_a_further_key_comes_after_those_that_are_saved(aix: Aix, library: Path) -> None:
    assert aix("api-key", "openrouter", "--add", stdin=KEY).status == 0
    assert saved_keys(library) == {"openrouter": KEY}
    assert aix("api-key", "openrouter", "--add", stdin=NEW).status == 0
    assert aix("api-key", "openrouter", "--add", stdin=NEW).status == 0
    assert saved_keys(library) == {"openrouter": [KEY, NEW]}
    done = aix("api-key", "openrouter", "--action", "get", env={"OPENROUTER_API_KEY": "short"})
    assert done.stdout == f"*** (OPENROUTER_API_KEY)\n{MASKED} (config.json)\nsk-o***3210 (config.json)\n"
    done = aix("api-key", "openrouter", "--action", "delete", "--yes")
    assert (done.stderr, saved_keys(library)) == ("aix: the 2 keys for openrouter are deleted\n", {})


def test_a_saved_key_is_the_one_that_is_used(aix: Aix, library: Path) -> None:
    aix("api-key", "openrouter", stdin=KEY)
    done = aix("run", "hello", "--name", "Ada", "--show-request")
    assert done.status == 0
    assert "POST https://openrouter.ai/api/v1/chat/completions\n" in done.stdout
    assert f"Authorization: Bearer {MASKED}\n" in done.stdout
    assert KEY not in done.stdout + done.stderr


# --- a person ---------------------------------------------------------------------------------------------------------


def test_a_person_is_asked_without_echo(library: Path) -> None:
    terminal = Terminal("api-key", "openrouter")
    terminal.wait_for("Key for openrouter:")
    terminal.type(f"{KEY}\r")
    assert terminal.end() == 0
    assert "aix: get a key at https://openrouter.ai/keys" in terminal.screen
    assert f"aix: saved the key {MASKED} for openrouter" in terminal.screen
    assert KEY.encode() not in terminal.raw
    assert saved_keys(library) == {"openrouter": KEY}


@pytest.mark.parametrize(("answer", "kept"), [("n", KEY), ("y", NEW)])
def test_a_saved_key_is_replaced_only_with_a_yes(answer: str, kept: str, library: Path) -> None:
    configure(library, api_keys={"openrouter": KEY})
    terminal = Terminal("api-key", "openrouter")
    terminal.wait_for(f"Replace the saved key {MASKED} for openrouter?")
    terminal.type(answer)
    if answer == "y":
        terminal.wait_for("Key for openrouter:")
        terminal.type(f"{NEW}\r")
    assert terminal.end() == 0
    assert ("nothing is changed" in terminal.screen) == (answer == "n")
    assert saved_keys(library) == {"openrouter": kept}


@pytest.mark.parametrize(("answer", "left"), [("n", {"openrouter": KEY}), ("y", {})])
def test_a_saved_key_is_deleted_only_with_a_yes(answer: str, left: object, library: Path) -> None:
    configure(library, api_keys={"openrouter": KEY})
    terminal = Terminal("api-key", "openrouter", "--action", "delete")
    terminal.wait_for("Delete the saved key for openrouter?")
    terminal.type(answer)
    assert terminal.end() == 0
    assert saved_keys(library) == left


def test_a_person_can_leave_without_giving_a_key(library: Path) -> None:
    terminal = Terminal("api-key", "openrouter")
    terminal.wait_for("Key for openrouter:")
    terminal.press_control_c()
    assert terminal.end() == -2
    assert not (library / "config.json").exists()
