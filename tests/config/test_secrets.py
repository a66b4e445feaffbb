"""Keys: which one is taken, and that none is ever seen."""

import copy
import os
import pickle
import select
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aix.config import secrets
from aix.config.secrets import (
    Key,
    KeySources,
    Secret,
    checked,
    conventional_variable,
    find_keys,
    has_key,
    known_secrets,
    mask,
    without_keys,
)
from aix.errors import AuthError, ConfigError

CANARY = "sk-canary-0123456789abcdef"
PATH = {"PATH": "/usr/bin:/bin"}
OWN = {
    "api_key": "k-direct",
    "api_keys": ["k-second", "k-third"],
    "api_key_command": "echo k-command",
}
SOURCES = KeySources("gw", OWN, ("MY_VARIABLE", "GW_API_KEY"), ["k-saved", "k-spare"])
ENV = {**PATH, "MY_VARIABLE": "k-named", "GW_API_KEY": "k-usual"}
IN_ORDER = [
    ("k-direct", "custom_providers.gw.api_key"),
    ("k-second", "custom_providers.gw.api_keys"),
    ("k-third", "custom_providers.gw.api_keys"),
    ("k-named", "MY_VARIABLE"),
    ("k-usual", "GW_API_KEY"),
    ("k-command", "api_key_command"),
    ("k-saved", "config.json"),
    ("k-spare", "config.json"),
]


def found(sources: KeySources, env: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(key.secret.reveal(), key.source) for key in find_keys(sources, env)]


def with_command(command: str) -> KeySources:
    return KeySources("gw", {"api_key_command": command}, (), None)


def test_keys_come_in_the_documented_order() -> None:
    assert found(SOURCES, ENV) == IN_ORDER


@pytest.mark.parametrize("missing", range(len(IN_ORDER)))
def test_without_the_first_places_the_next_one_wins(missing: int) -> None:
    kept = {text for text, _ in IN_ORDER[missing:]}
    own: dict[str, Any] = {
        "api_key": OWN["api_key"] if "k-direct" in kept else " ",
        "api_keys": [text for text in OWN["api_keys"] if text in kept],
        "api_key_command": OWN["api_key_command"] if "k-command" in kept else None,
    }
    env = {name: value if value in kept else " " for name, value in ENV.items()} | PATH
    sources = KeySources("gw", own, SOURCES.variables, [text for text in SOURCES.saved if text in kept])
    assert found(sources, env) == IN_ORDER[missing:]


def test_no_command_runs_when_a_key_was_found_before_it(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    sources = KeySources("gw", {"api_key_command": f"touch '{ran}'; echo k"}, ("GW_API_KEY",), None)
    assert next(find_keys(sources, ENV)).source == "GW_API_KEY"
    assert has_key(sources, PATH), "a command stands for a key"
    assert not ran.exists()
    assert next(find_keys(sources, PATH)).source == "api_key_command"
    assert ran.exists()


@pytest.mark.parametrize("saved", [5, {"a": "b"}, ["k", 5], [["k"]]])
def test_a_saved_key_that_is_no_text_is_a_config_error(saved: object) -> None:
    with pytest.raises(ConfigError):
        found(KeySources("gw", {}, (), saved), {})


def test_a_command_sees_no_key() -> None:
    variables = [
        "OPENAI_API_KEY",
        "REPLICATE_API_TOKEN",
        "ANTHROPIC_AUTH_TOKEN",
        "HF_TOKEN",
        "aws_bearer_token_bedrock",
        "MY_VARIABLE",
    ]
    env = {**PATH, "OTHER": "stays", **dict.fromkeys(variables, CANARY)}
    sources = KeySources("gw", {"api_key_command": "env | sort | tr '\\n' ','"}, ("MY_VARIABLE",), None)
    *_, key = find_keys(sources, env)
    assert "OTHER=stays" in key.secret.reveal()
    assert CANARY not in key.secret.reveal()
    assert not {line.split("=")[0] for line in key.secret.reveal().split(",")} & set(variables)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("exit 3", "api_key_command of gw failed with status 3"),
        ("echo k-partial; kill -9 $$", "api_key_command of gw failed with status -9"),
        ("no-such-command-at-all", "api_key_command of gw failed with status 127"),
        ("true", "the key for gw from api_key_command is empty"),
        ("printf '  \\n'", "the key for gw from api_key_command is empty"),
        ("printf 'one\\ntwo'", "the key for gw from api_key_command holds a space, a line break or a letter"),
        ("printf '\\377\\376'", "the key for gw from api_key_command holds a space, a line break or a letter"),
    ],
)
def test_a_command_that_gives_no_key_is_an_auth_error(command: str, message: str) -> None:
    with pytest.raises(AuthError) as caught:
        found(with_command(command), PATH)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        ("echo not this >&2; echo 'the vault is locked' >&2; exit 1", "the vault is locked"),
        (f"echo 'no such item: {CANARY}' >&2; exit 1", "no such item: sk-c***cdef"),
        ("echo 'bad token saved-0123456789 here' >&2; exit 1", "bad token save***6789 here"),
        ("printf '%5000d\\n' 7 | tr ' ' x >&2; exit 1", "x" * 200),
        ("printf '\\377' >&2; exit 1", "\ufffd"),
        ("exit 1", ""),
    ],
)
def test_a_command_that_fails_has_the_last_word_without_a_key_in_it(command: str, cause: str) -> None:
    sources = KeySources("gw", {"api_key_command": command}, (), None, [Secret("saved-0123456789")])
    with pytest.raises(AuthError) as caught:
        found(sources, PATH)
    assert caught.value.cause == cause
    assert CANARY not in caught.value.cause


def test_what_a_command_leaves_behind_is_not_waited_for() -> None:
    started = time.monotonic()
    assert found(with_command("sleep 20 >/dev/null & echo k"), PATH) == [("k", "api_key_command")]
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("command", ["sleep 30", "sleep 30 & sleep 30", "sleep 30 | cat"])
def test_a_command_that_hangs_is_ended_with_all_that_it_started(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "COMMAND_SECONDS", 0.5)
    held = tmp_path / "held"
    os.mkfifo(held)
    reader = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(AuthError) as caught:
        found(with_command(f"exec 3>'{held}'; {command}"), PATH)
    assert caught.value.message == "api_key_command of gw did not end within 0.5 s"
    assert select.select([reader], [], [], 10)[0]
    assert os.read(reader, 1) == b""  # nobody is left who holds the other end
    os.close(reader)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("sk a", "holds a space"),
        ("sk\na", "holds a space, a line break"),
        ("sk\r\nX-Evil: 1", "holds a space, a line break"),
        ("ské", "holds a space, a line break or a letter that no key has"),
        ("sk\x00", "holds a space, a line break or a letter that no key has"),
    ],
)
def test_a_text_that_cannot_stand_in_a_header_is_no_key(text: str, says: str) -> None:
    with pytest.raises(AuthError) as caught:
        checked(text, "openai", "OPENAI_API_KEY")
    assert caught.value.message.startswith(f"the key for openai from OPENAI_API_KEY {says}")
    assert caught.value.hint == "look at OPENAI_API_KEY"


@given(st.text(max_size=30))
def test_every_key_can_stand_in_a_header_and_no_message_repeats_it(text: str) -> None:
    try:
        secret = checked(text, "openai")
    except AuthError as error:
        assert len(text.strip()) < 4 or text.strip() not in f"{error.message}{error.hint}"
    else:
        assert all("!" <= letter <= "~" for letter in secret.reveal())
        assert secret.reveal() == text.strip()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sk-abcdefghijklmnop", "sk-a***mnop"),
        ("0123456789abcdef", "0123***cdef"),
        ("0123456789abcde", "***"),
        ("", "***"),
    ],
)
def test_a_mask_shows_both_ends_of_a_long_key_and_nothing_of_a_short_one(text: str, shown: str) -> None:
    assert mask(text) == shown


@pytest.mark.parametrize(
    "shown",
    [
        repr,
        str,
        "{}".format,
        "{!r:>40}".format,
        "{!s}".format,
        "%s %r".__mod__,
        ascii,
        lambda secret: f"{secret}",
        lambda secret: repr(Key(secret, "OPENAI_API_KEY")),
        lambda secret: repr([{"key": secret}]),
        lambda secret: repr(copy.deepcopy(secret)),
        lambda secret: "".join(traceback.format_exception(ValueError(secret))),
        lambda secret: "".join(traceback.TracebackException.from_exception(KeyError(secret)).format()),
    ],
)
def test_a_secret_is_masked_however_it_is_shown(shown: Any) -> None:
    secret = Secret(CANARY)
    text = shown((secret, secret)) if getattr(shown, "__name__", "") == "__mod__" else shown(secret)
    assert CANARY not in text
    assert CANARY[5:-5] not in text
    assert "sk-c***cdef" in text


def test_a_failure_beside_a_secret_shows_the_masked_one_even_with_locals() -> None:
    def fail(secret: Secret) -> None:
        raise RuntimeError(f"cannot use {secret}")

    try:
        fail(Secret(CANARY))
    except RuntimeError as error:
        told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert CANARY not in told
    assert "sk-c***cdef" in told


def test_secrets_compare_by_their_text() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert pickle.loads(pickle.dumps(Secret("a"))) == Secret("a")


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("openai", "OPENAI_API_KEY"),
        ("vllm-local", "VLLM_LOCAL_API_KEY"),
        ("my.gw", "MY_GW_API_KEY"),
    ],
)
def test_the_conventional_variable_is_the_name_in_capitals(name: str, variable: str) -> None:
    assert conventional_variable(name) == variable


def test_every_key_that_the_user_has_is_known_longest_first() -> None:
    env = {"OPENAI_API_KEY": "from-environment ", "MYGW": "named-by-api_key_env", "SHORT_API_KEY": "tiny", "OTHER": "o"}
    data = {
        "api_keys": {"openai": "saved-openai", "gw": ["saved-first", "saved-second"]},
        "custom_providers": {
            "gw": {
                "base_url": "https://not-a-secret.example",
                "api_key": "direct-key",
                "api_keys": ["list-key-1", "list-key-2"],
                "api_key_env": "MYGW",
                "headers": {"X-Gateway-Token": "token-in-a-header"},
            }
        },
    }
    known = [secret.reveal() for secret in known_secrets(env, data)]
    assert sorted(known) == sorted(
        [
            "named-by-api_key_env",
            "token-in-a-header",
            "from-environment",
            "saved-openai",
            "saved-second",
            "saved-first",
            "list-key-1",
            "list-key-2",
            "direct-key",
        ]
    )
    assert known == sorted(known, key=len, reverse=True)


@pytest.mark.parametrize(
    "data",
    [
        {"api_keys": ["a"], "custom_providers": []},
        {"api_keys": {"x": {"nested": ["deep-enough"]}}, "custom_providers": {"gw": 5}},
        {"api_keys": 5, "custom_providers": {"gw": {"api_key": 5, "api_key_env": []}}},
        {"api_keys": None, "custom_providers": None},
    ],
)
def test_a_malformed_config_never_keeps_keys_from_being_known(data: Mapping[str, Any]) -> None:
    assert Secret("from-environment") in known_secrets({"OPENAI_API_KEY": "from-environment"}, data)


def test_the_environment_for_a_process_holds_no_key_by_name_or_by_value() -> None:
    env = {"OPENAI_API_KEY": "x", "openai_api_key": "x", "COPIED": CANARY, "HF_TOKEN": "x", "LANG": "C", "TOKENS": "5"}
    assert without_keys(env, [Secret(CANARY)]) == {"LANG": "C", "TOKENS": "5"}
