"""Which model answers: every way to name one, with and without keys, settings, roles, packs and custom providers."""

from collections.abc import Mapping
from typing import Any

import pytest

from aix.errors import AixError
from aix.llm.catalogue import Catalogue, Layer, Source
from aix.llm.naming import Known
from aix.llm.providers import Provider, Providers
from aix.llm.routing import Candidates, Out, Route, Wish, at_home
from aix.llm.selection import candidates
from aix.llm.shelf import built_in

LLAMA = "meta-llama/llama-3.2-3b-instruct:free"
SONNET = "anthropic/claude-3.5-sonnet"
CUSTOM: Mapping[str, Any] = {
    "vllm-local": {"base_url": "http://127.0.0.1:8000/v1", "default_model": "qwen"},
    "groq": {"base_url": "https://api.groq.com/openai/v1", "default_model": "llama-3.3-70b-versatile"},
    "azure-gpt4": {"base_url": "https://x.openai.azure.com/openai/v1", "default_model": "gpt-4o"},
    "bare": {"base_url": "https://bare.example/v1"},
}
LISTED: Mapping[str, Mapping[str, Any]] = {
    "openai": {"gpt-5.5": {"aliases": ["best"]}, "gpt-5.4-mini": {}, "gpt-4o": {}, "gpt-4": {}},
    "anthropic": {"claude-haiku-4-5": {}, "claude-sonnet-4-5": {}, "claude-3-opus-20240229": {}},
    "openrouter": {"openrouter/auto": {}, "openrouter/free": {}, SONNET: {}, "anthropic/claude-sonnet-4.5": {}}
    | {"openai/gpt-4o": {}, LLAMA: {}},
    "huggingface": {"meta-llama/Llama-3.3-70B-Instruct": {}, "openai/gpt-oss-120b": {}},
    "requesty": {"claude-sonnet-4-5": {}},
    "azure": {"gpt-4o": {}},
    "ollama": {"llama3.2": {}, "mistral": {}, "qwen3:4b": {}, "shared": {}},
    "mistral": {"mistral-small-latest": {}, "shared": {}},
    "cerebras": {"gpt-oss-120b": {}},
    "deepseek": {"deepseek-v4-flash": {}},
    "": {"anybodys": {}},
}
CATALOGUE = Catalogue(
    [Layer({"s": Source("s")}, {name: {one: {"s": row} for one, row in rows.items()} for name, rows in LISTED.items()})]
)


def found(
    keys: str, *, custom: Mapping[str, Any] = CUSTOM, catalogue: Catalogue = CATALOGUE, **wish: Any
) -> Candidates:
    """Who may be asked, where the providers in `keys` have one."""

    def usable(provider: Provider) -> bool:
        return provider.keyless or provider.key_optional or provider.name in keys.split()

    return candidates(Wish(**wish), Known(Providers(custom, {}), lambda: catalogue, usable))


def names(found: Candidates) -> str:
    """All targets in their order, each group apart."""
    return " | ".join(" ".join(target.name for target in group.targets) for group in found.groups)


OPENAI, ANTHROPIC, OPENROUTER = "gpt-5.4-mini", "claude-haiku-4-5", "openrouter/free"
FAST = {"models": ["groq:a", "ollama:b"], "strategy": "fastest", "context": 1000, "capabilities": ["vision"],
        "max_input_price": 1, "max_output_price": 2.5}  # fmt: skip

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
    ("openai", {"model": "gpt-4", "prompt_model": "gpt-4o", "default_model": "gpt-5.5"}, "openai:gpt-4"),
    ("openai", {"prompt_model": "gpt-4", "default_model": "gpt-5.5"}, "openai:gpt-4"),
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
    ("openai", {"model": "strong", "roles": {"strong": "gpt-4"}}, "openai:gpt-4"),
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
    ("openai", {"provider": "openai", "model": "strong", "roles": {"strong": "gpt-4"}}, "openai:gpt-4"),
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
    ("openai", {"provider": "openai", "default_model": "gpt-4"}, "openai:gpt-4"),
    ("openai", {"provider": "openai", "default_model": "gpt-9"}, f"openai:{OPENAI}"),
    ("openai", {"provider": "openai", "default_model": "gpt-4", "default_provider": "openai"}, "openai:gpt-4"),
    ("openai", {"provider": "ollama", "default_model": "gpt-9", "default_provider": "openai"}, "ollama:llama3.2"),
    ("", {"provider": "openai", "prompt_model": "strong"}, "openai:gpt-5.5"),
    ("", {"provider": "openai", "prompt_model": "strong", "roles": {"strong": "openai:gpt-9"}}, "openai:gpt-9"),
    ("", {"provider": "openai", "prompt_model": "strong", "roles": {"strong": "ollama:x"}}, "openai:gpt-5.5"),
    ("", {"provider": "openai", "prompt_model": "judge", "roles": {"judge": "ollama:x"}}, f"openai:{OPENAI}"),
    ("", {"provider": "echo", "default_model": "custom:gone"}, "echo:echo"),
    ("", {"provider": "echo", "default_provider": "gone", "default_model": "m"}, "echo:echo"),
    # a bare id: whoever lists it, in order; an aggregator has its maker before it
    ("openai openrouter", {"model": "gpt-4o"}, "openai:gpt-4o openrouter:openai/gpt-4o"),
    ("azure openrouter openai", {"model": "gpt-4o"}, "openai:gpt-4o azure:gpt-4o openrouter:openai/gpt-4o"),
    ("openrouter", {"model": "gpt-4o"}, "openrouter:openai/gpt-4o"),
    ("azure openai", {"model": "gpt-4o", "default_provider": "azure"}, "azure:gpt-4o openai:gpt-4o"),
    ("openrouter openai", {"model": "gpt-4o", "default_provider": "openrouter"},
     "openrouter:openai/gpt-4o openai:gpt-4o"),
    ("openrouter requesty anthropic", {"model": "claude-sonnet-4-5"},
     "anthropic:claude-sonnet-4-5 openrouter:anthropic/claude-sonnet-4.5 requesty:claude-sonnet-4-5"),
    ("requesty", {"model": "claude-sonnet-4-5"}, "requesty:claude-sonnet-4-5"),
    ("openrouter", {"model": "claude-sonnet-4-5-20250929"}, "openrouter:anthropic/claude-sonnet-4.5"),
    ("openai", {"model": "GPT-4O"}, "openai:gpt-4o"),
    ("openai", {"model": "best"}, "openai:gpt-5.5"),
    ("openai", {"model": "Best"}, "openai:gpt-5.5"),
    ("openai", {"model": "gpt-4o-2024-08-06"}, "openai:gpt-4o-2024-08-06"),
    ("anthropic", {"model": "claude-3-opus"}, "anthropic:claude-3-opus-20240229"),
    ("anthropic openai", {"model": "claude-haiku-4-5"}, "anthropic:claude-haiku-4-5"),
    ("openai", {"model": "claude-haiku-4-5"}, "anthropic:claude-haiku-4-5"),  # and its error is that it has no key
    ("", {"model": "gpt-5.5"}, "openai:gpt-5.5"),
    ("", {"model": "gpt-4o"}, "openai:gpt-4o"),
    ("", {"model": LLAMA}, f"openrouter:{LLAMA}"),
    ("openai", {"model": "gpt-4", "default_provider": "anthropic"}, "openai:gpt-4"),
    # a model on this machine and one elsewhere never stand for each other
    ("openai", {"model": "qwen3:4b"}, "ollama:qwen3:4b"),
    ("mistral", {"model": "shared"}, "mistral:shared"),
    ("", {"model": "shared"}, "mistral:shared"),
    ("mistral", {"model": "shared", "default_provider": "ollama"}, "ollama:shared"),
    ("mistral", {"model": "mistral", "default_provider": "ollama"}, "ollama:mistral"),
    ("mistral", {"model": "mistral"}, "mistral:mistral-small-latest"),
    ("", {"model": "mistral:7b", "default_provider": "ollama"}, "mistral:7b"),
    # what nobody lists goes to a default provider that may have more
    ("", {"model": "new", "default_provider": "ollama"}, "ollama:new"),
    ("", {"model": "new", "default_provider": "bare"}, "bare:new"),
    ("azure", {"model": "my-deployment", "default_provider": "azure"}, "azure:my-deployment"),
    ("openrouter", {"model": "new"}, "openrouter:new"),
    ("perplexity", {"model": "new"}, "perplexity:new"),  # of which nothing is listed
    ("openai", {"model": "anybodys"}, "openai:anybodys"),  # of which the user has figures
    ("", {"model": "mixtral:8x7b", "default_provider": "ollama"}, "ollama:mixtral:8x7b"),
    ("", {"model": "deepseek-r1:70b", "default_provider": "ollama"}, "ollama:deepseek-r1:70b"),
    # P/M where P has no key: an aggregator that lists it
    ("openrouter", {"model": SONNET}, f"openrouter:{SONNET}"),
    ("openrouter openai", {"model": SONNET, "default_provider": "openai"}, f"openrouter:{SONNET}"),
    ("openrouter", {"model": "anthropic/claude-new"}, "openrouter:anthropic/claude-new"),
    ("huggingface", {"model": "openai/gpt-oss-120b"}, "huggingface:openai/gpt-oss-120b"),
    ("openai", {"model": SONNET}, "anthropic:claude-3.5-sonnet"),
    ("openai openrouter anthropic", {"model": SONNET}, "anthropic:claude-3.5-sonnet"),
    ("anthropic", {"model": SONNET, "default_provider": "openrouter"}, f"openrouter:{SONNET}"),
    ("openrouter", {"model": "deepseek/deepseek-v4-flash"}, "deepseek:deepseek-v4-flash"),
    ("openrouter", {"model": "openai/gpt-5.5", "default_provider": "openrouter"}, "openrouter:openai/gpt-5.5"),
    ("requesty", {"model": "requesty/claude-sonnet-4-5"}, "requesty:claude-sonnet-4-5"),
    ("openrouter huggingface", {"model": LLAMA}, f"openrouter:{LLAMA}"),
    ("openrouter huggingface", {"model": "meta-llama/new"}, "openrouter:meta-llama/new huggingface:meta-llama/new"),
    # roles: several models, an order of their own, other roles, and the project's
    ("openai anthropic", {"model": "r", "roles": {"r": ["openai:a", "anthropic:b"]}}, "openai:a anthropic:b"),
    ("anthropic", {"model": "r", "roles": {"r": ["openai:a", "anthropic:b"]}}, "anthropic:b"),
    ("openai", {"model": "r", "roles": {"r": {"models": ["openai:a"], "strategy": "cheapest"}}}, "openai:a"),
    ("openai", {"model": "r", "roles": {"r": FAST}}, "groq:a ollama:b"),
    ("openai openrouter", {"model": "r", "roles": {"r": ["gpt-4o", "gpt-4"]}},
     "openai:gpt-4o openrouter:openai/gpt-4o openai:gpt-4"),
    ("openai", {"model": "r", "roles": {"r": "s", "s": "t", "t": "openai:a"}}, "openai:a"),
    ("openai", {"model": "r", "roles": {"r": ["s", "strong", "openai:a"], "s": "openai:a"}}, "openai:a openai:gpt-5.5"),
    ("openai", {"model": "r", "roles": {"r": ["custom:gone/x", "openai:a"]}}, "openai:a"),
    ("openai", {"model": "r", "project_roles": {"r": "openai:p"}}, "openai:p"),
    ("openai", {"model": "strong", "project_roles": {"strong": "openai:p"}}, "openai:p"),
    ("openai", {"model": "r", "roles": {"r": "openai:u"}, "project_roles": {"r": "openai:p"}}, "openai:u"),
    ("openai", {"model": "openai", "project_roles": {"openai": "groq:x"}}, f"openai:{OPENAI}"),
    ("openai", {"default_model": "r", "roles": {"r": "openai:u"}}, "openai:u"),
    ("openai groq", {"provider": "groq", "model": "r", "roles": {"r": ["openai:a", "groq:b"]}}, "groq:b"),
    ("openai", {"provider": "openai", "model": "strong", "roles": {"strong": ["groq:x", "openai:y"]}}, "openai:y"),
    # packs come before roles
    ("openai", {"model": "strong", "pack": "p", "packs": {"p": {"strong": "openai:c"}}}, "openai:c"),
    ("openai", {"model": "r", "pack": "p", "packs": {"p": {"r": "openai:c"}}, "roles": {"r": "openai:u"}}, "openai:c"),
    ("openai", {"model": "r", "pack": "p", "packs": {"p": {}}, "roles": {"r": "openai:u"}}, "openai:u"),
    ("openai", {"model": "fast", "pack": "p", "packs": {"p": {"strong": "openai:c"}}}, f"openai:{OPENAI}"),
    ("openai", {"prompt_model": "r", "pack": "p", "packs": {"p": {"r": ["openai:a", "groq:b"]}}}, "openai:a groq:b"),
    ("openai", {"model": "strong", "packs": {"p": {"strong": "openai:c"}}}, "openai:gpt-5.5"),
    ("openai", {"model": "r", "roles": {"r": "strong"}, "pack": "p", "packs": {"p": {"strong": "openai:c"}}},
     "openai:c"),
    # fallbacks: by flag, else the prompt's, else the config's
    ("openai", {"fallback": ("groq:a", "bare:b")}, f"openai:{OPENAI} | groq:a | bare:b"),
    ("openai", {"prompt_fallback": ("groq:a",), "own_fallback": ("bare:b",)}, f"openai:{OPENAI} | groq:a"),
    ("openai", {"own_fallback": ("bare:b",)}, f"openai:{OPENAI} | bare:b"),
    ("openai", {"fallback": ("bare:c",), "prompt_fallback": ("groq:a",)}, f"openai:{OPENAI} | bare:c"),
    ("openai", {"fallback": ("bare:c",), "model": "gpt-4", "own_fallback": ("groq:a",)}, "openai:gpt-4 | bare:c"),
    ("openai", {"model": "gpt-4", "prompt_fallback": ("groq:a",)}, "openai:gpt-4"),
    ("openai", {"provider": "openai", "own_fallback": ("groq:a",)}, f"openai:{OPENAI}"),
    ("openai", {"prompt_model": "gpt-4", "own_fallback": ("groq:a",)}, "openai:gpt-4 | groq:a"),
    ("openai", {"fallback": ("openai:gpt-4", "groq:a", "groq:a"), "model": "gpt-4"}, "openai:gpt-4 | groq:a"),
    ("openai openrouter", {"model": "openai:gpt-4o", "fallback": ("gpt-4o",)},
     "openai:gpt-4o | openrouter:openai/gpt-4o"),
    ("openai", {"fallback": ("cheap",), "provider": "groq"}, "groq:llama-3.3-70b-versatile"),
    ("openai", {"fallback": ("strong",)}, f"openai:{OPENAI} | openai:gpt-5.5"),
    ("openai", {"fallback": ("r",), "roles": {"r": ["groq:a", "bare:b"]}}, f"openai:{OPENAI} | groq:a bare:b"),
    ("openai", {"fallback": ("strong",), "pack": "p", "packs": {"p": {"strong": "groq:c"}}},
     f"openai:{OPENAI} | groq:c"),
    ("openai", {"own_fallback": ("custom:gone/x", "nope", "groq:a")}, f"openai:{OPENAI} | groq:a"),
    ("openai", {"fallback": ("groq:a",), "alone": True}, f"openai:{OPENAI}"),
    ("openai openrouter", {"model": "gpt-4o", "alone": True}, "openai:gpt-4o"),
    ("openai", {"own_fallback": ("groq:a",), "alone": True}, f"openai:{OPENAI}"),
    ("openai", {"model": "r", "roles": {"r": FAST}, "alone": True}, "groq:a ollama:b"),  # the fastest of them
    # who has no key is passed over, unless nobody has one
    ("openai", {"prompt_model": "anthropic:x", "own_fallback": ("openai:y",)}, "openai:y"),
    ("openai", {"model": "anthropic:x", "fallback": ("openai:y",)}, "openai:y"),
    ("", {"model": "anthropic:x", "fallback": ("openai:y",)}, "anthropic:x"),
    ("openai", {"model": "gpt-4", "fallback": ("anthropic:x", "groq:a")}, "openai:gpt-4 | groq:a"),
    # never from this machine to another unasked
    ("openai", {"prompt_model": "ollama:x", "own_fallback": ("openai:y",)}, "ollama:x"),
    ("openai", {"prompt_model": "ollama:x", "prompt_fallback": ("openai:y", "bare:z", "vllm-local:z")},
     "ollama:x | vllm-local:z"),
    ("openai", {"model": "mix", "roles": {"mix": ["ollama:x", "openai:y"]}, "fallback": ("openai:y",)},
     "ollama:x openai:y"),
    ("openai", {"model": "ollama:x", "fallback": ("openai:y",)}, "ollama:x | openai:y"),
    ("openai", {"prompt_model": "openai:y", "own_fallback": ("ollama:x", "groq:z")}, "openai:y | ollama:x | groq:z"),
    ("openai", {"default_provider": "echo", "own_fallback": ("openai:y",)}, "echo:echo"),
    ("openai", {"model": "r", "roles": {"r": ["ollama:x", "openai:y"]}}, "ollama:x"),
    ("openai", {"model": "r", "roles": {"r": ["openai:y", "ollama:x"]}}, "openai:y ollama:x"),
    # allow and deny bind everything
    ("openai openrouter", {"model": "gpt-4o", "deny": ("openai",)}, "openrouter:openai/gpt-4o"),
    ("openai openrouter", {"model": "gpt-4o", "deny": ("OpenAI:GPT-*",)}, "openrouter:openai/gpt-4o"),
    ("openai openrouter", {"model": "gpt-4o", "allow": ("openrouter:openai/*",)}, "openrouter:openai/gpt-4o"),
    ("openai", {"model": "gpt-4o", "allow": ("*:gpt-4o", "groq")}, "openai:gpt-4o"),
    ("openai", {"model": "gpt-4o", "deny": ("openai:gpt-4",)}, "openai:gpt-4o"),
    ("openai", {"model": "groq:x", "deny": ("openai",), "allow": ("custom:groq",)}, "groq:x"),
    ("openai anthropic", {"deny": ("openai",)}, f"anthropic:{ANTHROPIC}"),
    ("openai anthropic", {"allow": ("anthropic",)}, f"anthropic:{ANTHROPIC}"),
    ("openai", {"fallback": ("groq:a", "bare:b"), "deny": ("groq",)}, f"openai:{OPENAI} | bare:b"),
    ("openai", {"model": "r", "roles": {"r": ["groq:a", "openai:b"]}, "deny": ("groq:*",)}, "openai:b"),
    # --provider: what is named elsewhere counts where it leads there
    ("openai openrouter", {"provider": "openrouter", "prompt_model": "gpt-4o"}, "openrouter:openai/gpt-4o"),
    ("openrouter", {"provider": "openrouter", "prompt_model": SONNET}, f"openrouter:{SONNET}"),
    ("openrouter", {"provider": "anthropic", "prompt_model": SONNET}, "anthropic:claude-3.5-sonnet"),
    ("", {"provider": "groq", "default_model": "groq/x"}, "groq:x"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "wish", "targets"), ROWS, ids=str)
def test_a_wish_leads_to_these_targets_in_this_order(keys: str, wish: dict[str, Any], targets: str) -> None:
    assert names(found(keys, **wish)) == targets


SEEDS: Mapping[str, str] = {
    "openai": "gpt-5.2 gpt-5.1 gpt-5 gpt-5-mini gpt-5-nano gpt-4.1 gpt-4.1-mini gpt-4.1-nano gpt-4o gpt-4o-mini o1 o3 "
    "o4-mini gpt-3.5-turbo gpt-4",
    "anthropic": "claude-opus-4-6 claude-sonnet-4-6 claude-sonnet-4-5 claude-haiku-4-5 claude-opus-4-1 "
    "claude-3-haiku-20240307 claude-3-5-sonnet-20241022",
    "gemini": "gemini-2.5-pro gemini-2.5-flash gemini-2.5-flash-lite gemini-3.1-pro-preview gemini-3-pro-preview "
    "gemini-3-flash-preview gemini-2.0-flash gemini-2.0-flash-lite",
    "mistral": "mistral-large-latest mistral-small-latest mistral-nemo codestral-latest ministral-8b-latest",
    "cohere": "command-r-plus command-r command-a-03-2025 command-nightly c4ai-aya-expanse-8b c4ai-aya-expanse-32b "
    "embed-english-v3.0",
    "xai": "grok-3 grok-3-fast grok-3-mini grok-3-mini-fast",
    "openrouter": f"{LLAMA} {SONNET} openai/gpt-4o-mini",
    "groq": "llama-3.3-70b-versatile",
}
IN_SEEDS = [(provider, model) for provider, models in SEEDS.items() for model in models.split()]
SHIPPED = Catalogue([built_in()])


@pytest.mark.parametrize(("provider", "model"), IN_SEEDS)
def test_a_model_that_users_know_leads_to_who_serves_it(provider: str, model: str) -> None:
    for wish in ({"model": model}, {"model": f"{provider}:{model}"}, {"provider": provider, "model": model}):
        assert names(found(provider, custom={}, catalogue=SHIPPED, **wish)) == f"{provider}:{model}", wish


def test_a_model_that_never_was_must_be_forced() -> None:
    with pytest.raises(AixError, match="no provider is known to have a model 'claude-sonnet-4-1'") as caught:
        found("anthropic", custom={}, catalogue=SHIPPED, model="claude-sonnet-4-1")
    assert caught.value.hint.endswith("--model anthropic:claude-sonnet-4-1")
    for wish in ({"model": "anthropic:claude-sonnet-4-1"}, {"model": "anthropic/claude-sonnet-4-1"}):
        assert names(found("anthropic", custom={}, catalogue=SHIPPED, **wish)) == "anthropic:claude-sonnet-4-1"


OLLAMA = "llama3.2 llama3.1:8b qwen3:4b qwen3:8b mistral phi4-mini gemma3:4b deepseek-r1:7b"


@pytest.mark.parametrize("model", OLLAMA.split())
def test_a_model_on_this_machine_is_asked_there(model: str) -> None:
    ways: list[dict[str, Any]] = [{"model": f"ollama/{model}"}, {"model": f"ollama:{model}"}]
    ways.append({"model": model, "default_provider": "ollama"})
    for wish in ways:
        assert names(found("openai openrouter", custom={}, catalogue=SHIPPED, **wish)) == f"ollama:{model}", wish


OUT: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("openrouter", {"model": "gpt-4o"}, [("openai:gpt-4o", "no key; aix api-key openai"),
                                         ("azure:gpt-4o", "no key; aix api-key azure")]),
    ("", {"model": "gpt-4o"}, [("azure:gpt-4o", "no key; aix api-key azure"),
                               ("openrouter:openai/gpt-4o", "no key; aix api-key openrouter")]),
    ("openrouter", {"model": SONNET}, [("anthropic:claude-3.5-sonnet", "no key; aix api-key anthropic")]),
    ("openai", {"prompt_model": "anthropic:x", "own_fallback": ("openai:y",)},
     [("anthropic:x", "no key; aix api-key anthropic")]),
    ("openai", {"fallback": ("groq:a",), "deny": ("groq",)}, [("groq:a", "deny in config.json rules it out")]),
    ("openai", {"fallback": ("groq:a",), "allow": ("openai",)}, [("groq:a", "allow in config.json leaves it out")]),
    ("openai", {"prompt_model": "ollama:x", "own_fallback": ("openai:y",)},
     [("openai:y", "a local model does not hand on to a remote one unasked; --fallback openai:y asks for it")]),
    ("openai", {"own_fallback": ("custom:gone", "nope")},
     [("custom:gone", "there is no provider 'custom:gone'"), ("nope", "no provider is known to have a model 'nope'")]),
    ("openai openrouter", {"model": "gpt-4o", "alone": True, "deny": ("azure",)},
     [("azure:gpt-4o", "deny in config.json rules it out"), ("openrouter:openai/gpt-4o", "--no-fallback")]),
    ("openai", {"model": "r", "roles": {"r": ["custom:gone/x", "openai:a"]}},
     [("custom:gone/x", "there is no provider 'custom:gone'")]),
    ("openai", {"model": "gpt-4", "fallback": ("openai:gpt-4",)}, []),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "wish", "out"), OUT, ids=str)
def test_who_is_not_asked_is_named_with_the_reason(keys: str, wish: dict[str, Any], out: list[tuple[str, str]]) -> None:
    assert found(keys, **wish).out == tuple(Out(name, why) for name, why in out)


STEPS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("openai", {}, ["nobody names a model, so openai is asked: it is the first that has a key"]),
    ("", {"default_provider": "echo"}, ["nobody names a model, so echo is asked: it is your default_provider"]),
    ("openai", {"model": "gpt-4o"}, ["--model gpt-4o: openai lists it"]),
    ("openai", {"prompt_model": "ollama:qwen3:4b"}, ["the prompt's model ollama:qwen3:4b: ollama is named"]),
    ("openai", {"default_model": "groq"}, ["default_model groq: groq is named, with no model"]),
    ("openai", {"model": "strong"}, ["--model strong: openai has that role"]),
    ("openai", {"model": "r", "roles": {"r": "openai:a"}}, ["--model r: roles.r is openai:a: openai is named"]),
    ("openai", {"model": "r", "roles": {"r": FAST}}, ["--model r: roles.r names groq:a, ollama:b, fastest"]),
    ("openai", {"model": "r", "project_roles": {"r": "openai:a"}},
     ["--model r: .prompts/config.json: roles.r is openai:a: openai is named"]),
    ("openai", {"model": "r", "pack": "p", "packs": {"p": {"r": "openai:a"}}},
     ["--model r: packs.p.r is openai:a: openai is named"]),
    ("openrouter", {"model": SONNET, "default_provider": "openrouter"},
     [f"--model {SONNET}: openrouter, your default_provider, lists it"]),
    ("azure", {"model": "mine", "default_provider": "azure"},
     ["--model mine: nobody lists it, and azure may have more than is listed"]),
    ("openai", {"provider": "openai"}, ["--provider openai: its default model"]),
    ("openai", {"provider": "openai", "model": "x"}, ["--provider and --model name it as openai:x"]),
    ("openai", {"provider": "openai", "prompt_model": "openai:x"},
     ["--provider openai, the prompt's model openai:x: openai is named"]),
    ("openai", {"model": "gpt-4", "own_fallback": ("groq:a",)},
     ["--model gpt-4: openai lists it", "--model sets aside the fallbacks of the prompt and of config.json"]),
    ("openai", {"prompt_model": "gpt-4", "own_fallback": ("groq:a",)},
     ["the prompt's model gpt-4: openai lists it", "fallback in config.json groq:a: groq is named"]),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "wish", "steps"), STEPS, ids=str)
def test_each_rule_that_decides_says_so(keys: str, wish: dict[str, Any], steps: list[str]) -> None:
    assert list(found(keys, **wish).steps) == steps


NOTES: list[tuple[str, dict[str, Any], str, list[str]]] = [
    ("openai", {"model": "gpt-4"}, "", []),
    ("openrouter", {"model": SONNET, "default_provider": "openai"},
     f"anthropic has no key, so openrouter is asked for {SONNET}", []),
    ("openai", {"model": "gpt-4", "default_provider": "anthropic"}, "", []),
    ("openai", {"model": "gpt-4o", "default_provider": "azure"},
     "azure, your default_provider, has no key, so openai is asked", []),
    ("openai", {"model": "anthropic:x", "fallback": ("openai:y",)}, "anthropic has no key, so openai:y is asked", []),
    ("", {"fallback": ("ollama",)}, "nobody else has a key, so ollama:llama3.2 is asked", []),
    ("", {"model": "strong", "fallback": ("echo",)}, "nobody else has a key, so echo:echo is asked", []),
    ("", {"prompt_model": "strong", "prompt_fallback": ("vllm-local",)},
     "nobody else has a key, so vllm-local:qwen is asked", []),
    ("", {"model": SONNET}, "", []),
    ("openai", {"model": "gpt-4", "pack": "p", "packs": {"p": {}}}, "",
     ["--pack p has no say, as no role is asked for"]),
    ("openai", {"model": "strong", "pack": "p", "packs": {"p": {}}}, "", []),
    ("openai", {"model": "gpt-4", "fallback": ("mistral",)}, "",
     ["no fallback to mistral: no key; aix api-key mistral"]),
    ("openai groq", {"model": "gpt-4", "fallback": ("groq:a", "openai:b"), "deny": ("groq",)}, "",
     ["no fallback to groq:a: deny in config.json rules it out"]),
    ("openai groq", {"model": "gpt-4", "own_fallback": ("groq:a",), "deny": ("groq",)}, "", []),
    ("", {"model": "echo", "fallback": ("gpt-55",)}, "", ["no fallback to gpt-55: No API key found"]),
    ("", {"model": "echo", "fallback": ("strong", "openai")}, "",
     ["no fallback to strong: No API key found", "no fallback to openai: no key; aix api-key openai"]),
    ("openai", {"model": "gpt-4", "roles": {"groq": "openai:x"}}, "",
     ["roles.groq is not read: that is a provider's name"]),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "wish", "note", "notes"), NOTES, ids=str)
def test_what_the_user_should_know_is_noted(keys: str, wish: dict[str, Any], note: str, notes: list[str]) -> None:
    chosen = found(keys, **wish)
    assert (chosen.groups[0].targets[0].note, list(chosen.notes)) == (note, notes)


def test_a_role_says_what_it_wants_of_its_models() -> None:
    group = found("openai", model="r", roles={"r": FAST}).groups[0]
    assert group.strategy == "fastest"
    (needs,) = group.targets[0].needs
    assert (needs.context, needs.capabilities) == (1000, frozenset({"vision"}))
    assert (str(needs.max_input_price), str(needs.max_output_price)) == ("1", "2.5")
    alias = found("openai", model="s", roles={"r": FAST, "s": "r"}).groups[0]
    assert alias == group


def test_what_a_role_wants_counts_inside_another_one_too() -> None:
    roles = {"saving": {"models": ["openai:a", "groq:a"], "max_output_price": 1}, "chat": ["saving", "openai:b"]}
    first, second, third = found("openai groq", model="chat", roles=roles).groups[0].targets
    assert [str(needs.max_output_price) for one in (first, second) for needs in one.needs] == ["1", "1"]
    assert (third.name, third.needs) == ("openai:b", ())
    again = found("openai groq", model="chat", roles=roles, fallback=("openai:a",))
    assert names(again) == "openai:a groq:a openai:b | openai:a"


def test_roles_that_multiply_come_to_an_end() -> None:
    roles = {f"r{place}": [f"a{place}", f"b{place}"] for place in range(0, 15, 2)}
    roles |= {f"{one}{place}": [f"r{place + 2}"] * 50 for place in range(0, 14, 2) for one in "ab"}
    roles |= {"a14": ["openai:a"], "b14": ["openai:b", "nobody:c"]}
    assert names(found("openai", model="r0", roles=roles)) == "openai:a openai:b"


def test_a_race_that_one_on_this_machine_wins_ends_there() -> None:
    race = found("openai", model="r", roles={"r": {"models": ["openai:a", "ollama:b"], "strategy": "fastest"}})
    remote, local = race.groups[0].targets
    assert at_home(Route((remote, local)), race).targets == (remote, local)
    kept = at_home(Route((local, remote)), race)
    assert ([one.name for one in kept.targets], [one.name for one in kept.out]) == (["ollama:b"], ["openai:a"])


def test_who_rests_is_not_lost_behind_one_on_this_machine() -> None:
    chosen = found("openai", prompt_model="openai:a", own_fallback=("ollama:b",))
    remote, local = (group.targets[0] for group in chosen.groups)
    assert at_home(Route((local, remote)), chosen).targets == (local, remote)


def test_a_custom_provider_wins_over_a_built_in_one() -> None:
    row = {"openai": {"base_url": "https://proxy.example/v1", "default_model": "m"}}
    target = found("", custom=row, model="openai:x").groups[0].targets[0]
    assert (target.provider.base_url, target.model) == ("https://proxy.example/v1", "x")


@pytest.mark.parametrize(
    ("wish", "model"),
    [
        ({"model": "custom:ollama"}, "m"),
        ({"model": "custom:ollama/qwen3:4b"}, "qwen3:4b"),
        ({"model": "ollama:qwen3:4b"}, "qwen3:4b"),
        ({"model": "ollama"}, "m"),
        ({"provider": "custom:ollama"}, "m"),
        ({"provider": "custom:ollama", "model": "qwen3:4b"}, "qwen3:4b"),
        ({"default_provider": "custom:ollama", "default_model": "qwen3:4b"}, "qwen3:4b"),
    ],
    ids=str,
)
def test_a_custom_ollama_is_meant_by_both_of_its_names(wish: dict[str, Any], model: str) -> None:
    row = {"ollama": {"base_url": "http://192.168.1.5:11434/v1", "default_model": "m"}}
    target = found("openai openrouter", custom=row, **wish).groups[0].targets[0]
    assert (target.provider.base_url, target.model) == (row["ollama"]["base_url"], model)


@pytest.mark.parametrize(
    ("row", "near"),
    [
        ({"base_url": "http://127.0.0.1:8000/v1"}, True),
        ({"base_url": "http://192.168.1.5:8000/v1"}, True),
        ({"base_url": "http://box.lan/v1"}, True),
        ({"base_url": "https://box.example/v1"}, False),
    ],
)
def test_a_box_in_the_users_own_network_hands_on_to_nobody_unasked(row: dict[str, Any], near: bool) -> None:
    chosen = found("openai", custom={"box": row}, prompt_model="box:m", own_fallback=("openai:y",))
    assert names(chosen) == ("box:m" if near else "box:m | openai:y")


CHAIN = {str(place): str(place + 1) for place in range(3000)}
FAILURES: list[tuple[str, dict[str, Any], int, str, str]] = [
    ("", {}, 4, "no_key", "No API key found"),
    ("", {"model": "strong"}, 4, "no_key", "No API key found"),
    ("", {"model": "gpt-55"}, 4, "no_key", "No API key found"),
    ("", {"deny": ("openai",)}, 4, "no_key", "No API key found"),
    ("openai", {"deny": ("openai",)}, 11, "denied", f"openai:{OPENAI} is not asked: deny in config.json rules it out"),
    ("openai", {"allow": ("groq",), "model": "strong"}, 11, "denied",
     f"openai:{OPENAI} is not asked: allow in config.json leaves it out"),
    ("openai", {"deny": ("openai",), "model": "gpt-4o"}, 11, "denied",
     "openai:gpt-4o is not asked: deny in config.json rules it out"),
    ("openai", {"deny": ("openai:",), "model": "openai:x"}, 11, "denied",
     "openai:x is not asked: deny in config.json rules it out"),
    ("openai", {"deny": (" OpenAI : GPT-* ",), "model": "openai:gpt-4o"}, 11, "denied",
     "openai:gpt-4o is not asked: deny in config.json rules it out"),
    ("openai", {"provider": "nope"}, 5, "provider", "there is no provider 'nope'"),
    ("openai", {"default_provider": "nope"}, 5, "provider", "there is no provider 'nope'"),
    ("openai", {"model": "custom:nope/m"}, 5, "provider", "there is no provider 'custom:nope'"),
    ("openai", {"model": "custom:openai"}, 5, "provider", "there is no provider 'custom:openai'"),
    ("openai", {"model": "custom:ollama"}, 5, "provider", "there is no provider 'custom:ollama'"),
    ("openai", {"model": "opnai:gpt-4o"}, 5, "provider", "there is no provider 'opnai'"),
    ("", {"model": "opnai:gpt-4o"}, 5, "provider", "there is no provider 'opnai'"),
    ("", {"model": "opnai:gpt-4o", "default_provider": "ollama"}, 5, "provider", "there is no provider 'opnai'"),
    ("openai", {"model": "nobody:model"}, 5, "model", "no provider is known to have a model 'nobody:model'"),
    ("openai", {"model": "gpt-55"}, 5, "model", "no provider is known to have a model 'gpt-55'"),
    ("openai", {"model": "gpt-4o:free"}, 5, "model", "no provider is known to have a model 'gpt-4o:free'"),
    ("openai", {"prompt_model": "nope/nope"}, 5, "model", "no provider is known to have a model 'nope/nope'"),
    ("openai", {"fallback": ("gpt-55",)}, 5, "model", "no provider is known to have a model 'gpt-55'"),
    ("openai", {"model": "judge", "roles": {"judge": "custom:gone"}}, 5, "provider",
     "there is no provider 'custom:gone'"),
    ("openai", {"model": "judge", "roles": {"judge": ["custom:gone", "gpt-55"]}}, 5, "provider",
     "there is no provider 'custom:gone'"),
    ("openai", {"model": "bare"}, 5, "model", "bare has no default model"),
    ("openai", {"provider": "bare"}, 5, "model", "bare has no default model"),
    ("openai", {"provider": "openai", "model": "judge", "roles": {"judge": "anthropic:claude-x"}}, 5, "model",
     "the role 'judge' means anthropic:claude-x, which is not a model of openai"),
    ("openai", {"model": "strong", "pack": "cheep", "packs": {"cheap": {}}}, 5, "pack", "there is no pack 'cheep'"),
    ("openai", {"pack": "none"}, 5, "pack", "there is no pack 'none'"),
    ("openai", {"model": "openai:x", "deny": ("openai",)}, 11, "denied",
     "openai:x is not asked: deny in config.json rules it out"),
    ("openai", {"provider": "openai", "allow": ("groq",)}, 11, "denied",
     f"openai:{OPENAI} is not asked: allow in config.json leaves it out"),
    ("openai", {"default_provider": "openai", "deny": ("*",)}, 11, "denied",
     f"openai:{OPENAI} is not asked: deny in config.json rules it out"),
    ("openai", {"model": "openai:x", "deny": ("openai",), "fallback": ("groq:a",)}, 11, "denied",
     "openai:x is not asked: deny in config.json rules it out"),
    ("openai", {"model": "a", "roles": {"a": "b", "b": ["a", "openai:x"]}}, 12, "",
     "the roles a -> b -> a go round in a circle"),
    ("openai", {"model": "a", "roles": {"a": "a"}}, 12, "", "the roles a -> a go round in a circle"),
    ("openai", {"model": "0", "roles": CHAIN}, 12, "", "the roles 0 … are nested too deeply"),
    ("openai", {"model": "a", "roles": {"a": {"strategy": "fastest"}}}, 12, "",
     "roles.a in config.json must be a role that names its models"),
    ("openai", {"model": "a", "roles": {"a": {"models": ["b"], "strategie": "fastest"}}}, 12, "",
     "roles.a in config.json must be a model, models with commas between, or a JSON object of models, strategy, "
     "context, capabilities, max_input_price, max_output_price"),
    ("openai", {"model": "a", "roles": {"a": {"models": ["b"], "strategy": "best"}}}, 12, "",
     "roles.a.strategy in config.json must be one of ordered, cheapest, fastest"),
    ("openai", {"model": "a", "pack": "p", "packs": {"p": "x"}}, 12, "",
     "packs.p in config.json must be an object of roles"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "wish", "status", "reason", "said"), FAILURES, ids=str)
def test_a_wish_that_leads_nowhere_says_why(
    keys: str, wish: dict[str, Any], status: int, reason: str, said: str
) -> None:
    with pytest.raises(AixError) as caught:
        found(keys, **wish)
    assert (caught.value.exit_code, caught.value.reason, caught.value.message) == (status, reason, said)
    assert caught.value.hint


HINTS: list[tuple[str, dict[str, Any], str]] = [
    ("openai", {"model": "$(id)"}, "aix model list\nif openai has it all the same: --model 'openai:$(id)'"),
    ("openai", {"pack": "a b"}, """aix config 'packs."a b".strong' PROVIDER:MODEL"""),
    ("openai", {"model": "a.b", "roles": {"a.b": 5}}, """aix config --unset 'roles."a.b"'"""),
    ("openai", {"model": "a b", "roles": {"a b": "a b"}}, """aix config 'roles."a b"'"""),
    ("openai", {"model": "a", "project_roles": {"a": "a"}}, "mend .prompts/config.json"),
    ("openai", {"provider": "OpenAI"}, "did you mean openai?"),
    ("openai", {"model": "gpt-55"},
     "did you mean openai:gpt-5.5 or openai:gpt-4 or openai:gpt-4o?\n"
     "if openai has it all the same: --model openai:gpt-55"),
    ("openai", {"model": "claude-haiku-45"},
     "did you mean anthropic:claude-haiku-4-5 or anthropic:claude-sonnet-4-5 or requesty:claude-sonnet-4-5?\n"
     "if openai has it all the same: --model openai:claude-haiku-45"),
    ("openai", {"model": "zzz"}, "aix model list\nif openai has it all the same: --model openai:zzz"),
    ("openai", {"model": "opnai:gpt-4o"}, "did you mean openai:gpt-4o?"),
    ("openai", {"pack": "cheep", "packs": {"cheap": {}}}, "did you mean cheap?"),
    ("openai", {"pack": "x"}, "aix config packs.x.strong PROVIDER:MODEL"),
    ("openai", {"model": "openai:x", "deny": ("openai",)}, "aix config deny"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "wish", "hint"), HINTS, ids=str)
def test_an_error_says_what_to_do(keys: str, wish: dict[str, Any], hint: str) -> None:
    with pytest.raises(AixError) as caught:
        found(keys, **wish)
    assert caught.value.hint == hint


def test_nobody_on_this_machine_is_ever_asked_unasked() -> None:
    with pytest.raises(AixError, match="No API key found") as caught:
        found("ollama echo vllm-local")
    assert caught.value.hint.splitlines() == [
        "aix init sets up a provider",
        "get a key at https://openrouter.ai/keys",
        "save it: aix api-key openrouter",
        "or set OPENROUTER_API_KEY",
        "without a key: --provider ollama (a model on this machine), --provider echo (no model at all)",
    ]
