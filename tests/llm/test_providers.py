"""Providers as rows: the built-in ones are sound, the user's own are judged by field, the environment has its say."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aix.config.secrets import Secret, without_keys
from aix.config.values import PROVIDER_FIELDS
from aix.errors import AixError, ConfigError, NetworkError, NotFoundError, UsageError
from aix.llm import shelf
from aix.llm.catalogue import Catalogue
from aix.llm.exchange import Exchange
from aix.llm.protocols import COUNTERS, MODULES, protocol
from aix.llm.providers import AUTH, Provider, Providers, checked_url, is_loopback
from aix.llm.wire import Call

BUILT_IN = Providers({}, {}).names()
URL = "https://gw.example/v1"


def built_in(name: str, **env: str) -> Provider:
    return Providers({}, env).get(name)


def custom(**row: Any) -> Provider:
    return Providers({"gw": {"base_url": URL, **row}}, {}).get("gw")


# --- the rows there are -----------------------------------------------------------------------------------------------


@pytest.fixture(params=BUILT_IN)
def row(request: pytest.FixtureRequest) -> Provider:
    return built_in(request.param)


def test_a_built_in_row_is_sound(row: Provider) -> None:
    assert row.protocol in MODULES
    assert row.auth_type in AUTH
    assert not row.custom
    assert row.default_model or row.local or row.forms  # a deployment has the name that its owner gave it
    assert set(row.roles) == ({"strong", "fast", "cheap"} if row.default_model else set())
    assert not row.counter or row.counter in COUNTERS
    assert re.fullmatch("[a-z][a-z0-9-]*", row.name)


def test_a_built_in_row_has_an_address_that_is_safe_to_ask(row: Provider) -> None:
    if row.protocol == "echo":
        assert row.base_url == ""
        return
    if not row.address:
        assert checked_url(row) == row.base_url
    assert row.base_url.startswith("https://") or (row.local and is_loopback(urlsplit(row.base_url).hostname or ""))
    assert not row.base_url.endswith("/")


def test_a_built_in_row_that_takes_a_key_says_where_one_is_found(row: Provider) -> None:
    variables = (*row.key_env, *row.moved_key_env)
    assert bool(variables) == (not row.keyless)
    assert all(re.fullmatch("[A-Z][A-Z0-9_]*", variable) for variable in variables)
    assert row.keyless or row.key_page.startswith("https://")
    assert set(row.token_env) <= set(row.key_env)
    assert without_keys(dict.fromkeys(variables, "x")) == {}  # no process that aix starts is to see one


def test_no_two_rows_have_an_address_or_a_variable_for_a_key_or_a_prefix_in_common() -> None:
    rows = [built_in(name) for name in BUILT_IN if name not in ("local", "echo")]  # `local` is where others may be
    for things in (
        [row.base_url for row in rows],
        [variable for row in rows for variable in row.key_env],
        [row.key_prefix for row in rows if row.key_prefix],
    ):
        assert len(things) == len(set(things))


def test_the_first_with_a_key_is_asked_in_the_documented_order() -> None:
    first = ["openrouter", "openai", "anthropic", "gemini", "groq", "mistral", "deepseek", "xai", "cohere"]
    assert Providers({}, {}).preferred()[: len(first)] == first
    assert not {"echo", "ollama", "local", "vllm"} & set(Providers({}, {}).preferred())


def test_every_provider_that_was_promised_is_there() -> None:
    promised = """openai anthropic openrouter gemini groq deepseek mistral cohere xai together replicate hyperbolic
        inception inference-net requesty aimlapi chutes fireworks cerebras perplexity nvidia huggingface moonshot z-ai
        ollama vllm lmstudio llamacpp azure bedrock vertex local echo"""
    assert set(BUILT_IN) == set(promised.split())


def test_the_models_that_a_row_names_are_in_the_catalogue(row: Provider) -> None:
    catalogue = Catalogue([shelf.built_in()])
    if not catalogue.of(row.name) or row.name == "inference-net":
        pytest.skip("the catalogue's sources list no models of it, or none that it still has")
    for model in {row.default_model, *row.roles.values()} - {""}:
        found = catalogue.find(row.name, model)
        assert found, model
        assert not found.retires or found.retires > "2026-11-21", model


@pytest.mark.parametrize(
    ("name", "protocol", "url", "header", "variable"),
    [
        ("openrouter", "openai-chat", "https://openrouter.ai/api/v1", "Authorization", "OPENROUTER_API_KEY"),
        ("openai", "openai-chat", "https://api.openai.com/v1", "Authorization", "OPENAI_API_KEY"),
        ("anthropic", "anthropic-messages", "https://api.anthropic.com", "x-api-key", "ANTHROPIC_API_KEY"),
        ("ollama", "ollama", "http://127.0.0.1:11434", "Authorization", ""),
        ("echo", "echo", "", "", ""),
    ],
)
def test_the_documented_providers(name: str, protocol: str, url: str, header: str, variable: str) -> None:
    row = built_in(name)
    assert (row.protocol, row.base_url) == (protocol, url)
    assert list(row.authorize("k")) == [header] * bool(header)
    assert list(row.key_env)[:1] == [variable] * bool(variable)


def test_openrouter_is_told_who_asks() -> None:
    assert built_in("openrouter").headers == {
        "X-OpenRouter-Title": "aix",
        "X-Title": "aix",
        "X-OpenRouter-Categories": "cli-agent",
    }


@pytest.mark.parametrize(
    ("auth_type", "headers"),
    [
        ("bearer", {"Authorization": "Bearer k"}),
        ("api-key", {"api-key": "k"}),
        ("x-api-key", {"x-api-key": "k"}),
        ("none", {}),
    ],
)
def test_a_key_is_shown_as_the_auth_type_says(auth_type: str, headers: dict[str, str]) -> None:
    assert custom(auth_type=auth_type).authorize("k") == headers
    assert custom(auth_type=auth_type).authorize("") == {}


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("sk-or-v1-abc", "openrouter"),
        ("sk-ant-api03-abc", "anthropic"),
        ("sk-proj-abc", "openai"),
        ("gsk_abc", "groq"),
        ("AIzaSy-abc", "gemini"),
        ("sk-abc", ""),  # more than one provider gives such keys
        ("", ""),
    ],
)
def test_a_key_names_its_provider_by_its_longest_prefix(key: str, name: str) -> None:
    assert Providers({}, {}).named_by_key(key) == name


# --- the user's own rows ----------------------------------------------------------------------------------------------


def test_a_custom_row_has_every_field() -> None:
    own = {
        "protocol": "anthropic-messages",
        "default_model": "m",
        "headers": {"X-Team": "blue"},
        "auth_type": "api-key",
        "allow_http": True,
        "timeout": 5,
        "connect_timeout": 6,
        "first_byte_timeout": 7,
        "silence_timeout": 8,
        "max_tokens_field": "max_completion_tokens",
        "api_key_env": "MY_KEY",
        "api_key": "k",
        "api_keys": ["k2"],
        "api_key_command": "pass show gw",
    }
    assert {"base_url", *own} == set(PROVIDER_FIELDS)
    row = custom(**own)
    assert (row.base_url, row.protocol, row.default_model) == (URL, "anthropic-messages", "m")
    assert (row.headers, row.auth_type, row.allow_http) == ({"X-Team": "blue"}, "api-key", True)
    assert (row.timeout, row.dialect.max_tokens_field) == (5, "max_completion_tokens")
    assert (row.connect_timeout, row.first_byte_timeout, row.silence_timeout) == (6, 7, 8)
    assert row.key_env == ("MY_KEY", "GW_API_KEY")
    assert row.custom
    assert not row.key_optional, "who names a variable has a key"
    assert not row.local
    assert "blue" not in repr(row)


@pytest.mark.parametrize(
    ("protocol", "header"), [({}, "Authorization"), ({"protocol": "anthropic-messages"}, "x-api-key")]
)
def test_a_custom_row_shows_its_key_as_its_protocol_usually_does(protocol: dict[str, str], header: str) -> None:
    assert list(custom(**protocol).authorize("k")) == [header]


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:8000/v1", True),
        ("https://localhost.example/v1", False),
        ("https://gw.example/v1", False),
        ("https://[bad/v1", False),
    ],
)
def test_a_custom_row_on_this_machine_is_local(url: str, local: bool) -> None:
    assert custom(base_url=url).local is local


@pytest.mark.parametrize(
    ("row", "message", "hint"),
    [
        (5, "custom_providers.gw in config.json must be an object", "aix config --unset custom_providers.gw"),
        (None, "custom_providers.gw in config.json must be an object", "aix config --unset custom_providers.gw"),
        ({}, "custom_providers.gw has no base_url", "aix config --set custom_providers.gw.base_url https://…/v1"),
        (
            {"base_url": ""},
            "custom_providers.gw.base_url in config.json must be an address such as",
            "aix config --unset",
        ),
        ({"base_url": 5}, "custom_providers.gw.base_url in config.json must be an address", "aix config --unset "),
        (
            {"base_url": "gw/v1"},
            "custom_providers.gw.base_url in config.json must be an address",
            "aix config --unset ",
        ),
        ({"base_uri": URL}, "custom_providers.gw.base_uri is not a field of a provider", "did you mean base_url?"),
        (
            {"colour": "red"},
            "custom_providers.gw.colour is not a field of a provider",
            "the fields are base_url, protoc",
        ),
        (
            {"protocol": "grpc"},
            "custom_providers.gw.protocol in config.json must be one of openai-chat, openai-",
            "",
        ),
        (
            {"protocol": "echo"},
            "custom_providers.gw.protocol in config.json must be one of openai-chat, openai-",
            "",
        ),
        ({"auth_type": "basic"}, "custom_providers.gw.auth_type in config.json must be one of bearer, api-key, x-", ""),
        ({"default_model": ["m"]}, "custom_providers.gw.default_model in config.json must be a text on one line", ""),
        ({"headers": "X: y"}, "custom_providers.gw.headers in config.json must be HTTP headers as a JSON object", ""),
        ({"headers": {"X": 1}}, "custom_providers.gw.headers in config.json must be HTTP headers", ""),
        ({"headers": {"X": "a\nY: b"}}, "custom_providers.gw.headers in config.json must be HTTP headers", ""),
        ({"headers": {"X": "é"}}, "custom_providers.gw.headers in config.json must be HTTP headers", ""),
        ({"headers": {"X": " a"}}, "custom_providers.gw.headers in config.json must be HTTP headers", ""),
        ({"headers": {"X Y": "a"}}, "custom_providers.gw.headers in config.json must be HTTP headers", ""),
        ({"headers": {"": "a"}}, "custom_providers.gw.headers in config.json must be HTTP headers", ""),
        ({"allow_http": "yes"}, "custom_providers.gw.allow_http in config.json must be true or false", ""),
        ({"timeout": "5"}, "custom_providers.gw.timeout in config.json must be a number of seconds above 0", ""),
        ({"timeout": 0}, "custom_providers.gw.timeout in config.json must be a number of seconds above 0", ""),
        ({"timeout": True}, "custom_providers.gw.timeout in config.json must be a number of seconds above 0", ""),
        (
            {"max_tokens_field": ""},
            "custom_providers.gw.max_tokens_field in config.json must be a text on one line",
            "",
        ),
        ({"api_key": 5}, "custom_providers.gw.api_key in config.json must be a key without spaces, or a list of", ""),
        ({"api_keys": [["k"]]}, "custom_providers.gw.api_keys in config.json must be a key without spaces", ""),
        ({"api_key_env": []}, "custom_providers.gw.api_key_env in config.json must be a text on one line", ""),
        ({"api_key_command": ["pass"]}, "custom_providers.gw.api_key_command in config.json must be a text on", ""),
    ],
)
def test_a_wrong_field_is_named(row: Any, message: str, hint: str) -> None:
    whole = {"base_url": URL, **row} if isinstance(row, dict) and row else row
    providers = Providers({"gw": whole}, {})
    with pytest.raises(ConfigError) as caught:
        providers.get("custom:gw")
    assert caught.value.message.startswith(message)
    assert caught.value.hint.startswith(hint or f"aix config --unset {message.split(' ')[0]}")
    assert providers.get("openai").name == "openai"  # the others work on


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(sorted(PROVIDER_FIELDS)), json_values, max_size=4))
def test_an_arbitrary_row_is_a_provider_or_a_config_error(row: dict[str, Any]) -> None:
    try:
        assert Providers({"gw": {"base_url": URL, **row}}, {}).get("gw").custom
    except ConfigError as error:
        assert error.message.startswith("custom_providers.gw")


def test_a_custom_provider_with_a_built_in_s_name_wins() -> None:
    providers = Providers({"openai": {"base_url": URL}}, {"OPENAI_BASE_URL": "https://other.example/v1"})
    for name in ("openai", "custom:openai"):
        row = providers.get(name)
        assert (row.base_url, row.custom, row.key_env) == (URL, True, ("OPENAI_API_KEY",))
    assert providers.names().count("openai") == 1


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("opnai", "did you mean openai?"),
        ("antropic", "did you mean anthropic?"),
        ("custom:gww", "did you mean gw?"),
        ("custom:openai", "did you mean openai?"),
        ("", "aix provider list"),
        ("zzzz", "aix provider list"),
    ],
)
def test_an_unknown_provider_is_answered_with_near_matches(name: str, hint: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        Providers({"gw": {"base_url": URL}}, {}).get(name)
    assert caught.value.message == f"there is no provider '{name}'"
    assert (caught.value.hint, caught.value.reason) == (hint, "provider")


# --- what the environment says ----------------------------------------------------------------------------------------

NEW, OLD = "https://new.example/v1", "https://old.example/v1"


@pytest.mark.parametrize(
    ("name", "env", "url"),
    [
        ("openai", {"OPENAI_BASE_URL": NEW, "OPENAI_API_BASE": OLD}, NEW),
        ("openai", {"OPENAI_API_BASE": OLD}, OLD),
        ("openai", {"OPENAI_BASE_URL": " ", "OPENAI_API_BASE": f" {OLD}/ "}, OLD),
        ("openai", {"ANTHROPIC_BASE_URL": NEW}, "https://api.openai.com/v1"),
        ("anthropic", {"ANTHROPIC_BASE_URL": "http://10.0.0.1:8080"}, "http://10.0.0.1:8080"),
        ("openrouter", {"OPENAI_BASE_URL": NEW, "OLLAMA_HOST": "box"}, "https://openrouter.ai/api/v1"),
    ],
)
def test_the_base_url_comes_from_the_environment(name: str, env: Mapping[str, str], url: str) -> None:
    assert checked_url(built_in(name, **env)) == url


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("box", "http://box:11434"),
        ("box:1234", "http://box:1234"),
        ("http://box", "http://box:80"),
        ("http://box:1234/", "http://box:1234"),
        ("https://box", "https://box:443"),
        ("https://box/prefix/", "https://box:443/prefix"),
        ("box/v1", "http://box:11434/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:1234", "http://127.0.0.1:1234"),
        ("[::]:1234", "http://127.0.0.1:1234"),
        (":1234", "http://127.0.0.1:1234"),
        ("[::1]:1234", "http://[::1]:1234"),
        ("[::1]", "http://[::1]:11434"),
        (" 192.168.1.5 ", "http://192.168.1.5:11434"),
    ],
)
def test_ollama_host_is_read_as_ollama_reads_it(host: str, url: str) -> None:
    assert checked_url(built_in("ollama", OLLAMA_HOST=host)) == url


@pytest.mark.parametrize("host", ["box:port", "[::1", "http://box]", "ftp://box"])
def test_an_ollama_host_that_cannot_be_asked_is_refused(host: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked_url(built_in("ollama", OLLAMA_HOST=host))
    assert caught.value.hint == "look at OLLAMA_HOST"


def test_organisation_and_project_become_headers() -> None:
    row = built_in("openai", OPENAI_ORG_ID="org-1", OPENAI_PROJECT_ID="proj-1")
    assert row.headers == {"OpenAI-Organization": "org-1", "OpenAI-Project": "proj-1"}
    assert built_in("openai", OPENAI_ORG_ID="").headers == {}
    for wrong in ("org\nX-Evil: 1", "é"):
        with pytest.raises(UsageError, match="OPENAI_ORG_ID must be a text that can stand in an HTTP header"):
            built_in("openai", OPENAI_ORG_ID=wrong)


# --- addresses with blanks, and in several forms ----------------------------------------------------------------------

KEY = "key-0123456789abcdef"


def asked(provider: Provider, key: str = KEY, path: str = "/chat/completions", model: str = "gpt-4") -> Exchange:
    call = Call("POST", path, {"model": model})
    return Exchange(provider, model, protocol("openai-chat"), call, Secret(key), stream=True, timeout=5)


VERTEX = "aiplatform.googleapis.com/v1/projects/p-1/locations"


@pytest.mark.parametrize(
    ("name", "env", "url"),
    [
        ("bedrock", {"AWS_REGION": "eu-west-1"}, "https://bedrock-mantle.eu-west-1.api.aws/v1"),
        ("bedrock", {"AWS_DEFAULT_REGION": "us-east-1"}, "https://bedrock-mantle.us-east-1.api.aws/v1"),
        ("bedrock", {"AWS_BEDROCK_BASE_URL": "https://box.example/v1"}, "https://box.example/v1"),
        ("vertex", {"GOOGLE_CLOUD_PROJECT": "p-1"}, f"https://{VERTEX}/global/endpoints/openapi"),
        (
            "vertex",
            {"GOOGLE_CLOUD_PROJECT": "p-1", "GOOGLE_CLOUD_LOCATION": "europe-west4"},
            f"https://europe-west4-{VERTEX}/europe-west4/endpoints/openapi",
        ),
        ("azure", {"AZURE_RESOURCE_NAME": "box"}, "https://box.openai.azure.com/openai/v1"),
        ("azure", {"AZURE_OPENAI_ENDPOINT": "https://box.openai.azure.com/"}, "https://box.openai.azure.com/openai/v1"),
        ("azure", {"AZURE_API_BASE": "https://box.openai.azure.com/openai"}, "https://box.openai.azure.com/openai/v1"),
        ("azure", {"AZURE_OPENAI_ENDPOINT": "https://gw.example/x/"}, "https://gw.example/x"),
    ],
)
def test_variables_fill_the_blanks_in_an_address(name: str, env: dict[str, str], url: str) -> None:
    assert checked_url(built_in(name, **env)) == url


@pytest.mark.parametrize(
    ("name", "env", "message", "hint"),
    [
        (
            "bedrock",
            {},
            "needs a region, from AWS_REGION or AWS_DEFAULT_REGION",
            "export AWS_REGION=…\nor: export AWS_BEDROCK_BASE_URL=https",
        ),
        ("vertex", {}, "needs a project, from GOOGLE_CLOUD_PROJECT or", "export GOOGLE_CLOUD_PROJECT=…"),
        ("azure", {}, "needs a resource, from AZURE_RESOURCE_NAME", "export AZURE_OPENAI_ENDPOINT=https://…"),
        ("bedrock", {"AWS_REGION": "evil.example/"}, "needs a region, from AWS_REGION", "export AWS_REGION=…"),
        ("azure", {"AZURE_RESOURCE_NAME": "x@evil.example#"}, "needs a resource, from", "export AZURE_RESOURCE_NAME"),
    ],
)
def test_a_blank_that_nothing_fills_is_named(name: str, env: dict[str, str], message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked_url(built_in(name, **env))
    assert message in caught.value.message
    assert hint in caught.value.hint


DEPLOYMENTS = "https://box.openai.azure.com/openai/deployments"


@pytest.mark.parametrize(
    ("base", "env", "url"),
    [
        (DEPLOYMENTS, {}, f"{DEPLOYMENTS}/gpt-4/chat/completions?api-version=2024-10-21"),
        (f"{DEPLOYMENTS}/", {}, f"{DEPLOYMENTS}/gpt-4/chat/completions?api-version=2024-10-21"),
        (
            DEPLOYMENTS,
            {"OPENAI_API_VERSION": "2025-01-01"},
            f"{DEPLOYMENTS}/gpt-4/chat/completions?api-version=2025-01-01",
        ),
        (DEPLOYMENTS, {"OPENAI_API_VERSION": "1&x=2"}, f"{DEPLOYMENTS}/gpt-4/chat/completions?api-version={{version}}"),
        (f"{DEPLOYMENTS}/mine", {}, f"{DEPLOYMENTS}/mine/chat/completions?api-version=2024-10-21"),
        ("https://BOX.openai.azure.com", {}, "https://BOX.openai.azure.com/openai/v1/chat/completions"),
        ("https://x.services.ai.azure.com/", {}, "https://x.services.ai.azure.com/openai/v1/chat/completions"),
        (
            "https://x.cognitiveservices.azure.com/openai/v1",
            {},
            "https://x.cognitiveservices.azure.com/openai/v1/chat/completions",
        ),
        ("https://openai.azure.com.evil.example", {}, "https://openai.azure.com.evil.example/chat/completions"),
    ],
)
def test_both_forms_of_an_azure_address_are_asked(base: str, env: dict[str, str], url: str) -> None:
    row = Providers({"azure-gpt4": {"base_url": base}}, env).get("azure-gpt4")
    assert asked(row).url == url
    assert ("api-key" in asked(row).headers) == (".azure.com/" in url)


def test_what_an_azure_row_says_itself_wins_over_its_host() -> None:
    row = custom(base_url=DEPLOYMENTS, auth_type="bearer", max_tokens_field="max_tokens")
    assert asked(row).headers["Authorization"] == f"Bearer {KEY}"
    assert row.dialect.max_tokens_field == "max_tokens"
    claude = custom(base_url="https://x.services.ai.azure.com/anthropic", protocol="anthropic-messages")
    assert list(claude.authorize("k")) == ["x-api-key"]


def test_a_model_s_name_cannot_leave_its_place_in_an_address() -> None:
    assert asked(custom(base_url=DEPLOYMENTS), model="../x?y").url.startswith(f"{DEPLOYMENTS}/..%2Fx%3Fy/chat/")


@pytest.mark.parametrize(
    ("name", "variable", "usual"),
    [("anthropic", "ANTHROPIC_AUTH_TOKEN", "x-api-key"), ("azure", "AZURE_OPENAI_AD_TOKEN", "api-key")],
)
def test_a_token_goes_as_a_bearer_token_and_a_key_as_usual(name: str, variable: str, usual: str) -> None:
    row = built_in(name, **{variable: " the-token ", "AZURE_RESOURCE_NAME": "box"})
    assert variable in row.key_env
    assert asked(row, "the-token").headers["Authorization"] == "Bearer the-token"
    assert asked(row).headers[usual] == KEY
    assert "the-token" not in repr(row)
    assert "the-token" not in str(asked(row, "the-token").masked_headers)


# --- a row that changes a built-in one --------------------------------------------------------------------------------


def test_a_row_of_a_built_in_s_name_without_an_address_changes_that_one() -> None:
    own = {"api_key_command": "gcloud auth print-access-token", "default_model": "google/x", "timeout": 5}
    row = Providers({"vertex": own}, {"GOOGLE_CLOUD_PROJECT": "p-1"}).get("vertex")
    usual = built_in("vertex", GOOGLE_CLOUD_PROJECT="p-1")
    assert (row.base_url, row.roles, row.key_env) == (usual.base_url, usual.roles, usual.key_env)
    assert (row.default_model, row.timeout, row.custom, row.key_optional) == ("google/x", 5, True, False)


def test_a_changed_row_adds_its_headers_and_asks_for_its_own_variable_first() -> None:
    own = {"headers": {"X-Title": "mine"}, "api_key_env": "MINE", "max_tokens_field": "max_completion_tokens"}
    row = Providers({"openrouter": own}, {}).get("custom:openrouter")
    assert row.headers == {**built_in("openrouter").headers, "X-Title": "mine"}
    assert row.key_env == ("MINE", "OPENROUTER_API_KEY")
    assert (row.dialect.effort, row.dialect.max_tokens_field) == ("object", "max_completion_tokens")


def test_perplexity_can_be_asked_in_its_newer_protocol() -> None:
    row = Providers({"perplexity": {"protocol": "openai-responses"}}, {}).get("perplexity")
    assert asked(row, path="/responses").url == "https://api.perplexity.ai/v1/responses"


# --- the variables that a provider reads ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "url", "keys"),
    [
        ({}, "http://127.0.0.1:8080/v1", ("LOCAL_API_KEY",)),
        ({"OPENAI_API_KEY": KEY}, "http://127.0.0.1:8080/v1", ("LOCAL_API_KEY",)),
        ({"OPENAI_API_BASE": OLD}, OLD, ("LOCAL_API_KEY", "OPENAI_API_KEY")),
        ({"OPENAI_API_BASE": OLD, "OPENAI_BASE_URL": NEW}, NEW, ("LOCAL_API_KEY", "OPENAI_API_KEY")),
    ],
)
def test_local_is_sent_openai_s_key_only_where_the_environment_moved_it(
    env: dict[str, str], url: str, keys: tuple[str, ...]
) -> None:
    row = built_in("local", **env)
    assert (row.base_url, row.key_env) == (url, keys)


@pytest.mark.parametrize(
    ("host", "keys", "free"),
    [
        ("", (), True),
        ("127.0.0.1:11500", (), True),
        ("http://192.168.1.5", (), True),
        ("http://ollama.com", (), False),
        ("https://ollama.com", ("OLLAMA_API_KEY",), False),
        ("https://ollama.lan", ("OLLAMA_API_KEY",), True),
    ],
)
def test_ollama_has_a_key_only_where_it_is_elsewhere_and_costs_nothing_at_home(
    host: str, keys: tuple[str, ...], free: bool
) -> None:
    row = built_in("ollama", OLLAMA_HOST=host, OLLAMA_API_KEY=KEY)
    assert (row.key_env, row.free, row.key_optional) == (keys, free, True)
    assert ("OLLAMA_API_KEY", True) in [(each.name, each.is_set) for each in row.variables({"OLLAMA_API_KEY": KEY})]


def test_every_variable_is_listed_with_what_it_is_for() -> None:
    env = {"OPENAI_BASE_URL": NEW, "OPENAI_ORG_ID": " "}
    found = built_in("openai", **env).variables(env)
    assert [(each.name, each.meaning, each.is_set) for each in found] == [
        ("OPENAI_API_KEY", "its key", False),
        ("OPENAI_BASE_URL", "its address", True),
        ("OPENAI_API_BASE", "its address", False),
        ("OPENAI_ORG_ID", "the header OpenAI-Organization", False),
        ("OPENAI_PROJECT_ID", "the header OpenAI-Project", False),
    ]
    azure = {each.name: each.meaning for each in built_in("azure").variables({})}
    assert azure["AZURE_OPENAI_AD_TOKEN"] == "its key, as a bearer token"
    assert azure["OPENAI_API_VERSION"] == "the version in its address"


# --- addresses that are not asked -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        ("box/v1", ConfigError, "the base URL of openai, 'box/v1', must begin with https:// or http:// and name"),
        ("//box/v1", ConfigError, "must begin with https:// or http://"),
        ("ftp://box/v1", ConfigError, "must begin with https:// or http://"),
        ("HTTP://box/v1", ConfigError, "must begin with https:// or http://"),
        ("https://", ConfigError, "must begin with https:// or http://"),
        ("https:///v1", ConfigError, "must begin with https:// or http://"),
        ("https://[bad/v1", ConfigError, "must begin with https:// or http://"),
        ("https://box:port/v1", ConfigError, "must begin with https:// or http://"),
        ("https://box:99999/v1", ConfigError, "must begin with https:// or http://"),
        ("https://box:0/v1", ConfigError, "must begin with https:// or http://"),
        ("https://bo x/v1", ConfigError, "must begin with https:// or http://"),
        ("https://b\nox/v1", ConfigError, "must begin with https:// or http://"),
        ("https://b\x01ox/v1", ConfigError, "must begin with https:// or http://"),
        ("https://user:pass@box/v1", ConfigError, "must not hold a user name, a password, a query or a fragment"),
        ("https://user@box/v1", ConfigError, "must not hold a user name"),
        ("user:pass@box/v1", ConfigError, "must not hold a user name"),
        ("https://box/v1?key=pass", ConfigError, "must not hold a user name, a password, a query"),
        ("https://box/v1#pass", ConfigError, "must not hold a user name, a password, a query"),
    ],
)
def test_an_address_that_cannot_be_asked_is_refused(url: str, error: type[AixError], says: str) -> None:
    with pytest.raises(error) as caught:
        checked_url(built_in("openai", OPENAI_BASE_URL=url))
    assert says in caught.value.message
    assert "pass" not in caught.value.message.replace("a password", "")
    assert caught.value.hint == "look at OPENAI_BASE_URL and OPENAI_API_BASE"


def test_a_path_may_hold_an_at_sign() -> None:
    assert checked_url(custom(base_url="https://gw.example/@cf/v1")) == "https://gw.example/@cf/v1"
    assert checked_url(built_in("openai", OPENAI_BASE_URL="https://gw.example/@cf/v1")) == "https://gw.example/@cf/v1"


@pytest.mark.parametrize(
    ("url", "row", "refused"),
    [
        ("http://gw.example/v1", {}, True),
        ("http://192.168.1.5/v1", {}, True),
        ("http://localhost.example/v1", {}, True),
        ("http://127.0.0.1.example/v1", {}, True),
        ("http://gw.example/v1", {"allow_http": False}, True),
        ("http://gw.example/v1", {"allow_http": True}, False),
        ("https://gw.example/v1", {}, False),
        ("http://localhost:8000/v1", {}, False),
        ("http://LOCALHOST:8000/v1", {}, False),
        ("http://127.0.0.1/v1", {}, False),
        ("http://[::1]:8000/v1/", {}, False),
    ],
)
def test_plain_http_leaves_this_machine_only_when_it_was_allowed(url: str, row: dict[str, Any], refused: bool) -> None:
    provider = custom(base_url=url, **row)
    if not refused:
        assert checked_url(provider) == url.rstrip("/")
        return
    with pytest.raises(NetworkError) as caught:
        checked_url(provider)
    assert caught.value.message == f"the base URL of gw, '{url}', is plain http, so its key could be read on the way"
    assert caught.value.hint == "use https, or allow it: aix config --set custom_providers.gw.allow_http true"


@given(st.text(max_size=30) | st.from_regex(r"https?://[\w@:\[\].?#/ ]{0,12}", fullmatch=True))
def test_an_arbitrary_address_is_asked_or_refused(url: str) -> None:
    try:
        found = checked_url(built_in("openai", OPENAI_BASE_URL=url))
    except ConfigError:
        return
    assert urlsplit(found).scheme in ("http", "https")
    assert urlsplit(found).hostname


@given(st.text(max_size=20) | st.from_regex(r"(https?://)?[\w:\[\].]{0,9}(:[0-9]{0,6})?/?[a-z]{0,3}", fullmatch=True))
def test_an_arbitrary_ollama_host_is_asked_or_refused(host: str) -> None:
    try:
        found = checked_url(built_in("ollama", OLLAMA_HOST=host))
    except ConfigError:
        return
    assert urlsplit(found).scheme in ("http", "https")
    assert urlsplit(found).port


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("127.0.0.1.example.com", False),
        ("localhost.example.com", False),
        ("128.0.0.1", False),
        ("", False),
    ],
)
def test_only_loopback_is_this_machine(host: str, here: bool) -> None:
    assert is_loopback(host) is here
