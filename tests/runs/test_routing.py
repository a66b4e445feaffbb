"""Which model answers: every way to name one, with and without keys, settings, roles and custom providers."""

from collections.abc import Mapping
from typing import Any

import pytest

from aix.errors import AixError
from aix.llm.providers import Provider, Providers
from aix.llm.routing import Chooser, Target, Wish

LLAMA = "meta-llama/llama-3.2-3b-instruct:free"
SONNET = "anthropic/claude-3.5-sonnet"
CUSTOM: Mapping[str, Any] = {
    "vllm-local": {"base_url": "http://127.0.0.1:8000/v1", "default_model": "qwen"},
    "groq": {"base_url": "https://api.groq.com/openai/v1", "default_model": "llama-3.3-70b-versatile"},
    "azure-gpt4": {"base_url": "https://x.openai.azure.com/openai/v1", "default_model": "gpt-4o"},
    "bare": {"base_url": "https://bare.example/v1"},
}


def chosen(keys: str, **wish: Any) -> Target:
    """The target of a wish, where the providers in `keys` have one."""

    def usable(provider: Provider) -> bool:
        return provider.keyless or provider.key_optional or provider.name in keys.split()

    return Chooser(Providers(CUSTOM, {}), Wish(**wish), usable).choose()


OPENAI, ANTHROPIC, OPENROUTER = "gpt-5.4-mini", "claude-haiku-4-5", "openrouter/free"

ROWS: list[tuple[str, dict[str, Any], str]] = [
    # nothing named: the default provider, else the first with a key
    ("openai", {}, f"openai:{OPENAI}"),
    ("anthropic", {}, f"anthropic:{ANTHROPIC}"),
    ("anthropic openai", {}, f"openai:{OPENAI}"),
    ("anthropic openai openrouter", {}, f"openrouter:{OPENROUTER}"),
    ("openrouter openai", {"default_provider": "openai"}, f"openai:{OPENAI}"),
    ("", {"default_provider": "ollama"}, "ollama:llama3.2"),
    ("", {"default_provider": "vllm-local"}, "vllm-local:qwen"),
    ("", {"default_provider": "custom:vllm-local"}, "vllm-local:qwen"),
    ("openai", {"provider_defaults": {"openai": "gpt-4"}}, "openai:gpt-4"),
    ("openai", {"provider_defaults": {"anthropic": "claude-x"}}, f"openai:{OPENAI}"),
    # a bare id: the default provider
    ("openai", {"model": "gpt-5.5"}, "openai:gpt-5.5"),
    ("openai", {"prompt_model": "gpt-5.5"}, "openai:gpt-5.5"),
    ("openai", {"default_model": "gpt-5.5"}, "openai:gpt-5.5"),
    ("openai", {"model": "a", "prompt_model": "b", "default_model": "c"}, "openai:a"),
    ("openai", {"prompt_model": "b", "default_model": "c"}, "openai:b"),
    ("", {"model": "qwen3:4b", "default_provider": "ollama"}, "ollama:qwen3:4b"),
    ("", {"model": "my-model", "default_provider": "vllm-local"}, "vllm-local:my-model"),
    # provider:model
    ("", {"model": "openai:gpt-5.5"}, "openai:gpt-5.5"),
    ("openai", {"model": "ollama:qwen3:4b"}, "ollama:qwen3:4b"),
    ("openai", {"model": f"openrouter:{SONNET}"}, f"openrouter:{SONNET}"),
    ("openrouter", {"model": f"openrouter:{LLAMA}"}, f"openrouter:{LLAMA}"),
    ("openai", {"model": "echo:"}, "echo:echo"),
    ("", {"model": "groq:llama3"}, "groq:llama3"),
    ("openrouter", {"prompt_model": "anthropic:claude-x"}, "anthropic:claude-x"),
    ("openai", {"model": "nobody:model"}, "openai:nobody:model"),
    # provider/model
    ("openai", {"model": "openai/gpt-5.5"}, "openai:gpt-5.5"),
    ("openai", {"model": "ollama/llama3.1:8b"}, "ollama:llama3.1:8b"),
    ("openai", {"model": "vllm-local/my/model"}, "vllm-local:my/model"),
    ("", {"model": "groq/llama-3.3-70b-versatile"}, "groq:llama-3.3-70b-versatile"),
    ("openrouter openai", {"model": "openai/gpt-5.5"}, "openai:gpt-5.5"),
    ("openrouter", {"model": f"openrouter/{SONNET}"}, f"openrouter:{SONNET}"),
    ("openrouter", {"model": "openrouter/auto"}, "openrouter:openrouter/auto"),
    ("openai", {"model": "openrouter/auto"}, "openrouter:openrouter/auto"),
    ("", {"model": "openai/gpt-5.5"}, "openai:gpt-5.5"),
    # an aggregator that is the default takes the whole of it, but nothing that stays on this machine
    ("openrouter anthropic", {"model": SONNET, "default_provider": "openrouter"}, f"openrouter:{SONNET}"),
    ("openrouter", {"model": LLAMA, "default_provider": "openrouter"}, f"openrouter:{LLAMA}"),
    ("openrouter", {"default_model": LLAMA, "default_provider": "openrouter"}, f"openrouter:{LLAMA}"),
    ("openrouter", {"default_model": LLAMA}, f"openrouter:{LLAMA}"),
    ("openrouter", {"model": "ollama/llama3.1:8b", "default_provider": "openrouter"}, "ollama:llama3.1:8b"),
    ("openrouter", {"model": "vllm-local/m", "default_provider": "openrouter"}, "vllm-local:m"),
    ("openrouter", {"model": "groq/m", "default_provider": "openrouter"}, "groq:m"),
    ("openrouter", {"model": f"openrouter/{SONNET}", "default_provider": "openrouter"}, f"openrouter:{SONNET}"),
    # custom:NAME
    ("openai", {"model": "custom:vllm-local"}, "vllm-local:qwen"),
    ("openai", {"model": "custom:vllm-local/big/one:7b"}, "vllm-local:big/one:7b"),
    ("openai", {"model": "custom:bare/m"}, "bare:m"),
    # a provider's bare name
    ("openai", {"model": "azure-gpt4"}, "azure-gpt4:gpt-4o"),
    ("openai", {"model": "anthropic"}, f"anthropic:{ANTHROPIC}"),
    ("", {"model": "groq"}, "groq:llama-3.3-70b-versatile"),
    ("", {"model": "ollama", "provider_defaults": {"ollama": "qwen3:4b"}}, "ollama:qwen3:4b"),
    # roles
    ("openai", {"model": "strong"}, "openai:gpt-5.5"),
    ("anthropic", {"model": "cheap"}, f"anthropic:{ANTHROPIC}"),
    ("anthropic", {"prompt_model": "fast"}, f"anthropic:{ANTHROPIC}"),
    ("openai", {"model": "strong", "default_provider": "vllm-local"}, "vllm-local:qwen"),
    ("openai", {"model": "strong", "roles": {"strong": "anthropic:claude-x"}}, "anthropic:claude-x"),
    ("openai", {"model": "strong", "roles": {"strong": "gpt-9"}}, "openai:gpt-9"),
    ("openai", {"model": "judge", "roles": {"judge": "anthropic/claude-x"}}, "anthropic:claude-x"),
    ("openai", {"prompt_model": "judge", "roles": {"judge": "ollama:qwen3:4b"}}, "ollama:qwen3:4b"),
    ("openai", {"model": "anthropic", "roles": {"anthropic": "openai:gpt-9"}}, f"anthropic:{ANTHROPIC}"),
    # --provider with --model: whole, unless a role
    ("", {"provider": "openai", "model": "gpt-4"}, "openai:gpt-4"),
    ("", {"provider": "openai", "model": "anthropic:claude-x"}, "openai:anthropic:claude-x"),
    ("", {"provider": "openrouter", "model": SONNET}, f"openrouter:{SONNET}"),
    ("", {"provider": "ollama", "model": "openai/gpt-oss:20b"}, "ollama:openai/gpt-oss:20b"),
    ("", {"provider": "custom:vllm-local", "model": "openai"}, "vllm-local:openai"),
    ("", {"provider": "openai", "model": "strong"}, "openai:gpt-5.5"),
    ("", {"provider": "vllm-local", "model": "strong"}, "vllm-local:qwen"),
    ("", {"provider": "openai", "model": "strong", "roles": {"strong": "openai:gpt-9"}}, "openai:gpt-9"),
    ("", {"provider": "openai", "model": "strong", "roles": {"strong": "anthropic:claude-x"}}, "openai:gpt-5.5"),
    ("openai", {"provider": "openai", "model": "strong", "roles": {"strong": "gpt-9"}}, "openai:gpt-9"),
    # --provider alone: what else is named counts only when it leads there
    ("", {"provider": "anthropic"}, f"anthropic:{ANTHROPIC}"),
    ("", {"provider": "anthropic", "provider_defaults": {"anthropic": "claude-x"}}, "anthropic:claude-x"),
    ("", {"provider": "anthropic", "default_model": LLAMA}, f"anthropic:{ANTHROPIC}"),
    ("openrouter", {"provider": "anthropic", "default_model": LLAMA, "default_provider": "openrouter"},
     f"anthropic:{ANTHROPIC}"),
    ("", {"provider": "anthropic", "default_model": "openai:gpt-9"}, f"anthropic:{ANTHROPIC}"),
    ("", {"provider": "anthropic", "default_model": "openai/gpt-9"}, f"anthropic:{ANTHROPIC}"),
    ("", {"provider": "anthropic", "default_model": "anthropic:claude-x"}, "anthropic:claude-x"),
    ("", {"provider": "anthropic", "prompt_model": "openai:a", "default_model": "anthropic/b"}, "anthropic:b"),
    ("", {"provider": "anthropic", "prompt_model": "anthropic:a", "default_model": "anthropic:b"}, "anthropic:a"),
    ("openai", {"provider": "openai", "default_model": "gpt-9"}, "openai:gpt-9"),
    ("openai", {"provider": "openai", "default_model": "gpt-9", "default_provider": "openai"}, "openai:gpt-9"),
    ("openai", {"provider": "ollama", "default_model": "gpt-9", "default_provider": "openai"}, "ollama:llama3.2"),
    ("", {"provider": "openai", "prompt_model": "strong"}, "openai:gpt-5.5"),
    ("", {"provider": "openai", "prompt_model": "strong", "roles": {"strong": "openai:gpt-9"}}, "openai:gpt-9"),
    ("", {"provider": "openai", "prompt_model": "strong", "roles": {"strong": "ollama:x"}}, "openai:gpt-5.5"),
    ("", {"provider": "openai", "prompt_model": "judge", "roles": {"judge": "ollama:x"}}, f"openai:{OPENAI}"),
    ("", {"provider": "echo", "default_model": "custom:gone"}, "echo:echo"),
    ("", {"provider": "echo", "default_provider": "gone", "default_model": "m"}, "echo:echo"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "wish", "target"), ROWS, ids=str)
def test_a_wish_leads_to_one_provider_and_one_model(keys: str, wish: dict[str, Any], target: str) -> None:
    found = chosen(keys, **wish)
    assert f"{found.provider.name}:{found.model}" == target
    assert found.note == ""


def test_a_custom_provider_wins_over_a_built_in_one() -> None:
    hidden = Providers({"openai": {"base_url": "https://proxy.example/v1", "default_model": "m"}}, {})
    found = Chooser(hidden, Wish(model="openai:x"), lambda _: True).choose()
    assert (found.provider.base_url, found.model) == ("https://proxy.example/v1", "x")


def test_without_its_key_an_aggregator_is_asked_and_the_user_told() -> None:
    found = chosen("openrouter", model=SONNET, default_provider="openai")
    assert (found.provider.name, found.model) == ("openrouter", SONNET)
    assert found.note == f"anthropic has no key, so openrouter is asked for {SONNET}"


def test_who_is_named_with_a_colon_is_asked_without_a_key_too() -> None:
    found = chosen("openrouter", model="anthropic:claude-x")
    assert (found.provider.name, found.note) == ("anthropic", "")


FAILURES: list[tuple[str, dict[str, Any], int, str, str]] = [
    ("", {}, 4, "no_key", "No API key found"),
    ("", {"model": "gpt-5.5"}, 4, "no_key", "No API key found"),
    ("", {"model": "strong"}, 4, "no_key", "No API key found"),
    ("", {"model": LLAMA}, 4, "no_key", "No API key found"),
    ("openai", {"provider": "nope"}, 5, "provider", "there is no provider 'nope'"),
    ("openai", {"default_provider": "nope"}, 5, "provider", "there is no provider 'nope'"),
    ("openai", {"model": "custom:nope/m"}, 5, "provider", "there is no provider 'custom:nope'"),
    ("openai", {"model": "custom:openai"}, 5, "provider", "there is no provider 'custom:openai'"),
    ("openai", {"model": "judge", "roles": {"judge": "custom:gone"}}, 5, "provider",
     "there is no provider 'custom:gone'"),
    ("openai", {"model": "bare"}, 5, "model", "bare has no default model"),
    ("openai", {"provider": "bare"}, 5, "model", "bare has no default model"),
    ("openai", {"provider": "openai", "model": "judge", "roles": {"judge": "anthropic:claude-x"}}, 5, "model",
     "the role 'judge' means anthropic:claude-x, which is not a model of openai"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "wish", "status", "reason", "said"), FAILURES, ids=str)
def test_a_wish_that_leads_nowhere_says_why(
    keys: str, wish: dict[str, Any], status: int, reason: str, said: str
) -> None:
    with pytest.raises(AixError) as caught:
        chosen(keys, **wish)
    assert (caught.value.exit_code, caught.value.reason, caught.value.message) == (status, reason, said)
    assert caught.value.hint


def test_nobody_on_this_machine_is_ever_asked_unasked() -> None:
    with pytest.raises(AixError, match="No API key found") as caught:
        chosen("ollama echo vllm-local")
    assert caught.value.hint.splitlines() == [
        "aix init sets up a provider",
        "get a key at https://openrouter.ai/keys",
        "save it: aix api-key openrouter",
        "or set OPENROUTER_API_KEY",
        "without a key: --provider ollama (a model on this machine), --provider echo (no model at all)",
    ]
