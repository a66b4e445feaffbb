"""How the value of each setting is written, and what is not one."""

import math
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aix.config.settings import kind_of
from aix.config.values import KEYS, PROVIDER_FIELDS, check, convert
from aix.errors import ConfigError, UsageError
from aix.llm.protocols import MODULES
from aix.llm.providers import AUTH, Provider

PROVIDER = "custom_providers.gw."

ACCEPTED = [
    ("default_provider", "openai", "openai"),
    ("default_model", " openai:gpt-5.5 ", "openai:gpt-5.5"),
    ("openai_default_model", "gpt-4", "gpt-4"),
    ("max_tokens", "800", 800),
    ("temperature", "0.2", 0.2),
    ("temperature", "0", 0.0),
    ("top_p", "1", 1.0),
    ("stream", "Yes", True),
    ("stream", "OFF", False),
    ("execute", "1", True),
    ("commands_enabled", "false", False),
    ("timeout", "2.5", 2.5),
    ("editor", "code --wait", "code --wait"),
    ("roles.strong", "anthropic:claude-opus-5-5", "anthropic:claude-opus-5-5"),
    ("roles.strong", "openai:a, groq:b", ["openai:a", "groq:b"]),
    ("roles.strong", '{"models": ["openai:a"], "max_input_price": 2}', {"models": ["openai:a"], "max_input_price": 2}),
    ("roles.fast.models", "openai:a,groq:b", ["openai:a", "groq:b"]),
    ("roles.fast.strategy", "fastest", "fastest"),
    ("packs.cheap.strong", "deepseek:x", "deepseek:x"),
    ("packs.cheap.strong.context", "1000", 1000),
    ("fallback", "openai:a,groq:b", {"targets": ["openai:a", "groq:b"]}),
    ("fallback", '{"targets": ["openai:a"], "on": [429]}', {"targets": ["openai:a"], "on": [429]}),
    ("fallback.targets", "openai:a", ["openai:a"]),
    ("fallback.on", "429,5xx, connect", [429, "5xx", "connect"]),
    ("fallback.on", '[401, "503"]', [401, 503]),
    ("allow", "openai,*:free", ["openai", "*:free"]),
    ("api_keys.openai", " sk-abc\n", "sk-abc"),
    ("api_keys.openai", '["sk-a", "sk-b"]', ["sk-a", "sk-b"]),
    (PROVIDER + "base_url", "http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
    (PROVIDER + "protocol", "anthropic-messages", "anthropic-messages"),
    (PROVIDER + "auth_type", "none", "none"),
    (PROVIDER + "headers", '{"X-Team": "blue"}', {"X-Team": "blue"}),
    (PROVIDER + "headers.X-Team", "blue sky", "blue sky"),
    (PROVIDER + "allow_http", "true", True),
    (PROVIDER + "timeout", "30", 30.0),
    (PROVIDER + "api_key_command", "pass show gw | head -1", "pass show gw | head -1"),
]

REFUSED = [
    ("default_model", "", "a text on one line"),
    ("default_model", "   ", "a text on one line"),
    ("default_model", "a\nb", "a text on one line"),
    ("default_model", "a\udcff", "a text on one line"),
    ("max_tokens", "0", "a whole number above 0"),
    ("max_tokens", "1.5", "a whole number above 0"),
    ("max_tokens", "many", "a whole number above 0"),
    ("max_tokens", "9" * 5000, "a whole number above 0"),
    ("temperature", "-0.1", "a number, 0 or above"),
    ("temperature", "nan", "a number, 0 or above"),
    ("temperature", "inf", "a number, 0 or above"),
    ("top_p", "1.1", "a number from 0 to 1"),
    ("stream", "maybe", "true or false"),
    ("roles.strong", '{"modells": ["a"]}', "a model, models with commas between, or a JSON object of models, strategy"),
    ("roles.strong", "a,,b", "a model, models with commas between"),
    ("roles.fast.strategy", "quickest", "one of ordered, cheapest, fastest"),
    ("fallback", '{"to": ["a"]}', "models with commas between, or a JSON object of targets and on"),
    ("fallback.on", "400", "statuses above 400, or some of connect, timeout, context, 5xx"),
    ("fallback.on", "600", "statuses above 400"),
    ("fallback.on", "4xx", "statuses above 400"),
    ("fallback.on", "[true]", "statuses above 400"),
    ("deny", "[]", "providers or provider:model, with commas between; * stands for anything"),
    ("timeout", "0", "a number of seconds above 0"),
    ("timeout", "-1", "a number of seconds above 0"),
    ("api_keys.openai", "", "a key without spaces, or a list of such"),
    ("api_keys.openai", "sk-a sk-b", "a key without spaces, or a list of such"),
    ("api_keys.openai", "sk-a\nsk-b", "a key without spaces, or a list of such"),
    ("api_keys.openai", "sk-é", "a key without spaces, or a list of such"),
    ("api_keys.openai", '["sk-a", 1]', "a key without spaces, or a list of such"),
    ("api_keys.openai", '["sk-a"', "a key without spaces, or a list of such"),
    (PROVIDER + "base_url", "box/v1", "an address such as"),
    (PROVIDER + "base_url", "ftp://box/v1", "an address such as"),
    (PROVIDER + "base_url", "https://user:pass@box/v1", "an address such as"),
    (PROVIDER + "base_url", "https://box/v1?key=1", "an address such as"),
    (PROVIDER + "base_url", "https://bo x/v1", "an address such as"),
    (PROVIDER + "protocol", "openai", "one of openai-chat, openai-responses"),
    (PROVIDER + "auth_type", "basic", "one of bearer, api-key, x-api-key, x-goog-api-key, none"),
    (PROVIDER + "headers", "[]", "HTTP headers as a JSON object"),
    (PROVIDER + "headers", "{", "HTTP headers as a JSON object"),
    (PROVIDER + "headers", '{"X Team": "blue"}', "HTTP headers as a JSON object"),
    (PROVIDER + "headers", '{"X-Team": "blue\\nX-Other: red"}', "HTTP headers as a JSON object"),
    (PROVIDER + "headers", '{"X-Team": 1}', "HTTP headers as a JSON object"),
    (PROVIDER + "headers.X-Team", "blé", "a text that can stand in an HTTP header"),
    (PROVIDER + "timeout", "soon", "a number of seconds above 0"),
]


@pytest.mark.parametrize(("key", "text", "value"), ACCEPTED)
def test_a_text_becomes_the_value_that_it_means(key: str, text: str, value: object) -> None:
    found = convert(kind_of(key), text, key)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("key", "text", "says"), REFUSED)
def test_a_text_of_the_wrong_kind_is_refused_without_being_repeated(key: str, text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        convert(kind_of(key), text, key)
    assert caught.value.message == f"{key} must be {kind_of(key).says}"
    assert kind_of(key).says.startswith(says)


@pytest.mark.parametrize(("key", "text", "value"), ACCEPTED)
def test_what_a_text_became_is_accepted_in_config_json_too(key: str, text: str, value: object) -> None:
    assert check(kind_of(key), value, key) == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_tokens", True),
        ("max_tokens", "800"),
        ("temperature", True),
        ("temperature", math.nan),
        ("temperature", 10**400),
        ("stream", "yes"),
        ("stream", 1),
        ("default_model", ["gpt-4"]),
        ("default_model", None),
        (PROVIDER + "headers", "X-Team: blue"),
        (PROVIDER + "protocol", ["openai-chat"]),
        (PROVIDER + "timeout", True),
        (PROVIDER + "api_keys", [["sk-a"]]),
    ],
)
def test_a_wrong_type_in_config_json_says_how_to_take_it_out(key: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        check(kind_of(key), value, key)
    assert caught.value.message.startswith(f"{key} in config.json must be ")
    assert caught.value.hint == f"aix config --unset {key}"


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("defualt_model", "did you mean default_model or "),
        ("temprature", "did you mean temperature?"),
        ("api_key.openai", "did you mean api_keys.openai"),
        ("custom_provider.gw.base_url", "did you mean custom_providers.gw.base_url"),
        ("custom_providers.gw.base_uri", "did you mean custom_providers.gw.base_url"),
        ("custom_providers.gw.key", "did you mean custom_providers.gw.api_key"),
        ("default_model.x", "did you mean default_model or "),
        ("zzz", "the settings are default_provider, "),
        ("api_keys.a.b", "did you mean api_keys.a"),
        ("custom_providers.box.base_urll", "did you mean custom_providers.box.base_url?"),
        ("box.base_urll", "the settings are default_provider, "),
    ],
)
def test_an_unknown_key_is_refused_with_near_matches(key: str, near: str) -> None:
    with pytest.raises(UsageError) as caught:
        kind_of(key)
    assert caught.value.message == f"there is no setting '{key}'"
    assert caught.value.hint.startswith(near)


def test_an_unknown_key_is_told_every_section_too() -> None:
    with pytest.raises(UsageError) as caught:
        kind_of("zzz")
    assert caught.value.hint.endswith("deny, limits, custom_providers.<name>.…, models.<name>.…")


@given(st.sampled_from(sorted({*KEYS, *(PROVIDER + name for name in PROVIDER_FIELDS)})), st.text(max_size=20))
def test_arbitrary_text_is_a_value_of_its_kind_or_a_usage_error(key: str, text: str) -> None:
    kind = kind_of(key)
    try:
        value: Any = convert(kind, text, key)
    except UsageError:
        return
    assert kind.accepts(value)


def test_the_tables_of_providers_and_of_settings_agree() -> None:
    def allowed(field: str) -> set[str]:
        return set(PROVIDER_FIELDS[field].says.removeprefix("one of ").split(", "))

    assert allowed("auth_type") == set(AUTH)
    assert allowed("protocol") == set(MODULES) - {"echo"}
    assert set(PROVIDER_FIELDS) - {field.name for field in fields(Provider)} == {
        "max_tokens_field",
        "api_key",
        "api_keys",
        "api_key_env",
        "api_key_command",
    }
