"""What is set, and where it was set: AIX_ variable, config.json, default."""

import json
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aix.config.paths import find_paths
from aix.config.settings import Settings, is_private, join_key, leaves, split_key
from aix.config.values import KEYS
from aix.errors import AixError, ConfigError, UsageError

Make = Callable[..., Settings]


@pytest.fixture
def settings(library: Path) -> Make:
    """Settings over a config.json that holds `data`, and an environment."""

    def make(data: Mapping[str, Any] | None = None, env: Mapping[str, str] | None = None) -> Settings:
        if data is not None:
            (library / "config.json").write_text(json.dumps(data))
            (library / "config.json").chmod(0o600)
        whole = {"HOME": str(library.parent), "PATH": os.environ["PATH"], **(env or {})}
        return Settings(find_paths(whole, library), whole)

    return make


def saved(library: Path) -> Any:
    return json.loads((library / "config.json").read_text())


IN_CONFIG: dict[str, Any] = {
    "default_provider": "openai",
    "default_model": "gpt-4",
    "max_tokens": 100,
    "temperature": 0.5,
    "top_p": 0.9,
    "stream": False,
    "execute": True,
    "timeout": 30,
    "connect_timeout": 5,
    "first_byte_timeout": 60,
    "silence_timeout": 20,
    "max_cost": 0.5,
    "commands_enabled": False,
    "editor": "vi",
    "keyring": True,
    "log": "figures",
    "log_keep": 30,
}
IN_ENVIRONMENT: dict[str, tuple[str, str, Any]] = {
    "default_provider": ("AIX_PROVIDER", "anthropic", "anthropic"),
    "default_model": ("AIX_MODEL", "claude", "claude"),
    "max_tokens": ("AIX_MAX_TOKENS", "200", 200),
    "temperature": ("AIX_TEMPERATURE", "1", 1.0),
    "top_p": ("AIX_TOP_P", "0.1", 0.1),
    "stream": ("AIX_STREAM", "yes", True),
    "execute": ("AIX_EXECUTE", "0", False),
    "timeout": ("AIX_TIMEOUT", "5", 5.0),
    "connect_timeout": ("AIX_CONNECT_TIMEOUT", "2.5", 2.5),
    "first_byte_timeout": ("AIX_FIRST_BYTE_TIMEOUT", "900", 900.0),
    "silence_timeout": ("AIX_SILENCE_TIMEOUT", "90", 90.0),
    "max_cost": ("AIX_MAX_COST", "0.05", 0.05),
    "commands_enabled": ("AIX_COMMANDS_ENABLED", "true", True),
    "editor": ("AIX_EDITOR", "nano -w", "nano -w"),
    "keyring": ("AIX_KEYRING", "no", False),
    "log": ("AIX_LOG", "off", "off"),
    "log_keep": ("AIX_LOG_KEEP", "7", 7),
}
DEFAULTS: dict[str, Any] = {
    "stream": True,
    "execute": False,
    "timeout": 600.0,
    "connect_timeout": 15.0,
    "first_byte_timeout": 300.0,
    "silence_timeout": 300.0,
    "commands_enabled": True,
    "keyring": False,
    "log": "full",
    "log_keep": 90,
}


@pytest.mark.parametrize("key", KEYS)
def test_a_variable_wins_over_config_json_and_that_over_the_default(key: str, settings: Make) -> None:
    variable, text, value = IN_ENVIRONMENT[key]
    places: list[tuple[dict[str, Any], dict[str, str], Any, str]] = [
        (IN_CONFIG, {variable: text}, value, variable),
        (IN_CONFIG, {variable: ""}, IN_CONFIG[key], "config.json"),
        (IN_CONFIG, {}, IN_CONFIG[key], "config.json"),
        ({key: None}, {}, DEFAULTS.get(key), "default"),
        ({}, {}, DEFAULTS.get(key), "default"),
    ]
    for data, env, wanted, source in places:
        setting = settings(data, env).get(key)
        assert (setting.key, setting.value, setting.source) == (key, wanted, source)
    assert settings(IN_CONFIG, {variable: text}).variable_over(key) == variable
    assert settings(IN_CONFIG, {}).variable_over(key) == ""


def test_a_missing_file_and_a_missing_library_set_nothing(settings: Make, library: Path) -> None:
    library.rmdir()
    assert settings().data == {}
    assert list(settings().items()) == []
    assert not library.exists()


@pytest.mark.parametrize(
    ("key", "env", "error"),
    [
        ("stream", {"AIX_STREAM": "maybe"}, "AIX_STREAM must be true or false"),
        ("default_model", {"AIX_MODEL": " "}, "AIX_MODEL must be a text on one line"),
        ("timeout", {"AIX_TIMEOUT": "-1"}, "AIX_TIMEOUT must be a number of seconds above 0"),
    ],
)
def test_a_wrong_variable_is_a_usage_error_that_names_it(
    key: str, env: dict[str, str], error: str, settings: Make
) -> None:
    with pytest.raises(UsageError, match=error):
        settings({}, env).get(key)


def test_all_that_is_set_is_listed_with_its_source(settings: Make) -> None:
    data = {
        "default_model": "gpt-4",
        "stream": False,
        "timeout": None,
        "api_keys": {"my.gw": ["a", "b"]},
        "custom_providers": {"my.gw": {"base_url": "https://gw.example/v1", "headers": {}}},
        "limits": [{"per": "day"}],
    }
    found = [(s.key, s.value, s.source) for s in settings(data, {"AIX_MODEL": "x", "AIX_TOP_P": "1"}).items()]
    assert found == [
        ("stream", False, "config.json"),
        ('api_keys."my.gw"', ["a", "b"], "config.json"),
        ('custom_providers."my.gw".base_url', "https://gw.example/v1", "config.json"),
        ('custom_providers."my.gw".headers', {}, "config.json"),
        ("limits", [{"per": "day"}], "config.json"),
        ("default_model", "x", "AIX_MODEL"),
        ("top_p", 1.0, "AIX_TOP_P"),
    ]


@pytest.mark.parametrize(
    ("key", "segments"),
    [
        ("stream", ("stream",)),
        ("api_keys.openai", ("api_keys", "openai")),
        ('models."gpt-4.1".input_price', ("models", "gpt-4.1", "input_price")),
        ('api_keys."my gw"', ("api_keys", "my gw")),
        ('api_keys."a\\"b"', ("api_keys", 'a"b')),
        ('api_keys."x=y"', ("api_keys", "x=y")),
        ('"a"."b"', ("a", "b")),
    ],
)
def test_a_key_is_dotted_words_and_quotes_keep_a_dot(key: str, segments: tuple[str, ...]) -> None:
    assert split_key(key) == segments
    assert split_key(join_key(segments)) == segments


@pytest.mark.parametrize("key", ["", ".", "a.", ".a", "a..b", '"a', 'a"b"', '"a"b', "a b", "a=b", '"\\x"', "a\n"])
def test_anything_else_is_not_a_key(key: str) -> None:
    with pytest.raises(UsageError):
        split_key(key)


def test_the_refusal_of_a_key_does_not_repeat_what_was_to_be_its_value() -> None:
    with pytest.raises(UsageError) as caught:
        split_key("api_keys.openai=sk-secret")
    assert caught.value.message == "'api_keys.openai=' is not a setting's name"
    assert caught.value.hint == "aix config --set api_keys.openai VALUE"


@given(st.lists(st.text(max_size=6), min_size=1, max_size=4))
def test_every_name_can_be_written_as_a_key(segments: list[str]) -> None:
    assert split_key(join_key(segments)) == tuple(segments)


@given(st.text(st.sampled_from('ab."\\=- '), max_size=12))
def test_an_arbitrary_key_is_split_or_refused(key: str) -> None:
    try:
        assert split_key(join_key(split_key(key))) == split_key(key)
    except UsageError:
        return


@pytest.mark.parametrize(
    ("key", "private"),
    [
        ("api_keys.openai", True),
        ("api_keys", True),
        ("custom_providers.gw.api_key", True),
        ("custom_providers.gw.api_keys", True),
        ("custom_providers.gw.api_key.deeper", True),
        ("custom_providers.gw.headers", True),
        ("custom_providers.gw.headers.X-Team", True),
        ("custom_providers.gw.base_url", False),
        ("custom_providers.api_key.base_url", False),
        ("custom_providers.gw.api_key_command", False),
        ("default_model", False),
    ],
)
def test_what_is_private(key: str, private: bool) -> None:
    assert is_private(split_key(key)) is private


def test_leaves_are_values_with_their_keys() -> None:
    assert dict(leaves({"a": {"b": {"c": 1}, "d": []}, "e": {}, "f": None})) == {"a.b.c": 1, "a.d": [], "e": {}}


def test_setting_and_taking_out_leave_the_rest_alone(settings: Make, library: Path) -> None:
    one = settings({"unknown": {"kept": True}})
    one.set("custom_providers.gw.base_url", "https://gw.example/v1")
    one.set("custom_providers.gw.headers.X-Team", "blue")
    one.set("api_keys.gw", "k1")
    assert one.find("custom_providers.gw.base_url") == "https://gw.example/v1"
    assert saved(library) == {
        "unknown": {"kept": True},
        "custom_providers": {"gw": {"base_url": "https://gw.example/v1", "headers": {"X-Team": "blue"}}},
        "api_keys": {"gw": "k1"},
    }
    one.save("custom_providers.gw.headers.X-Team", None)
    assert saved(library)["custom_providers"] == {"gw": {"base_url": "https://gw.example/v1"}}
    one.save("custom_providers.gw", None)
    one.save("api_keys.gw", None)
    one.save("api_keys.nobody", None)
    assert saved(library) == {"unknown": {"kept": True}}
    assert one.section("api_keys") == {}


def test_a_change_begins_with_what_another_process_wrote(settings: Make, library: Path) -> None:
    one, other = settings({}), settings()
    assert one.data == other.data == {}
    other.set("api_keys.other", "k2")
    one.set("stream", "no")
    assert saved(library) == {"api_keys": {"other": "k2"}, "stream": False}
    other.set("top_p", "1")
    one.reset(everything=False)
    assert saved(library) == {"api_keys": {"other": "k2"}}


@pytest.mark.parametrize("everything", [False, True])
def test_a_reset_keeps_keys_and_providers_unless_all_is_to_go(everything: bool, settings: Make, library: Path) -> None:
    kept = {"api_keys": {"openai": "k"}, "custom_providers": {"gw": {"base_url": "https://gw.example"}}}
    settings({**IN_CONFIG, "roles": {"fast": "x"}, "openai_default_model": "y", **kept}).reset(everything=everything)
    assert saved(library) == ({} if everything else kept)


@pytest.mark.parametrize(
    ("data", "key", "named"),
    [
        ({"api_keys": "k"}, "api_keys.openai", "api_keys"),
        ({"custom_providers": {"my.gw": 5}}, 'custom_providers."my.gw".base_url', 'custom_providers."my.gw"'),
        ({"custom_providers": {"gw": {"headers": []}}}, "custom_providers.gw.headers.X", "custom_providers.gw.headers"),
    ],
)
def test_a_value_where_an_object_should_be_is_named_and_kept(
    data: dict[str, Any], key: str, named: str, settings: Make, library: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(data).save(key, "x")
    assert caught.value.message == f"{named} in config.json must be an object"
    assert caught.value.hint == f"aix config --unset {shlex.quote(named)}"
    assert saved(library) == data
    settings().save(split_hint(caught.value), None)  # and the hint does what it says
    assert not saved(library).get("api_keys")


def split_hint(error: AixError) -> str:
    return shlex.split(error.hint)[-1]


@pytest.mark.parametrize("section", ["api_keys", "custom_providers", "roles"])
def test_a_section_that_is_no_object_is_a_config_error(section: str, settings: Make) -> None:
    with pytest.raises(ConfigError, match=f"{section} in config.json must be an object"):
        settings({section: ["x"]}).section(section)


def test_text_that_is_no_utf_8_survives_a_rewrite(settings: Make, library: Path) -> None:
    settings({"half": "\ud83d", "é\udcff": "ü"}).set("stream", "no")
    assert saved(library) == {"half": "\ud83d", "é\udcff": "ü", "stream": False}
    assert "ü" in (library / "config.json").read_text()
