"""The settings as words of a command line: their keys, and the values of those that have known ones."""

from collections.abc import Iterator, Mapping, Sequence

from aix.cli.completion.candidates import (
    TRUTH,
    Asked,
    Candidate,
    Completer,
    Desk,
    Found,
    after,
    models,
    nothing,
    one_of,
    providers,
)
from aix.config.settings import join_key, kind_of, leaves, split_key
from aix.config.values import FIELDS, STRATEGIES, Kind, boolean
from aix.errors import AixError
from aix.llm.protocols import MODULES
from aix.llm.providers import AUTH
from aix.llm.routing import BUILT_IN_ROLES


def models_of(name: str) -> Completer:
    """The models of one provider, under their own names."""

    def complete(asked: Asked) -> Found:
        return [
            Candidate(model) for row in asked.desk.providers if row.name == name for model in asked.desk.catalogued(row)
        ]

    return complete


def keys(asked: Asked) -> Found:
    return [Candidate(key, kind.says) for key, kind in _known_keys(asked.desk)]


def keys_that_are_set(asked: Asked) -> Found:
    return [Candidate(key) for key, _ in leaves(asked.desk.settings)]


def key_or_value(asked: Asked) -> Found:
    """The first word of `aix config`: a key, or after `--set KEY` its value."""
    key = asked.last("setting")
    return value_of_key(key)(asked) if key and "=" not in key else keys(asked)


def value_of_first(asked: Asked) -> Found:
    return value_of_key(asked.arguments[0])(asked) if asked.arguments else []


def assignments(asked: Asked) -> Found:
    """`KEY`, or `KEY=VALUE` in one word."""
    key, equals, _ = asked.word.partition("=")
    return after(f"{key}=", value_of_key(key))(asked) if equals else keys(asked)


def value_of_key(key: str) -> Completer:
    try:
        segments, kind = split_key(key), kind_of(key)
    except AixError:
        return nothing
    return _by_kind(segments, kind) or _VALUES.get(segments[-1]) or _VALUES.get(segments[0]) or nothing


def _by_kind(segments: Sequence[str], kind: Kind) -> Completer | None:
    if kind.read is boolean:
        return one_of(TRUTH)
    if len(segments) == 1 and segments[0].endswith("_default_model"):
        return models_of(segments[0].removesuffix("_default_model"))
    return None


_VALUES: Mapping[str, Completer] = {
    "default_provider": providers,
    "default_model": models,
    "roles": models,
    "packs": models,
    "fallback": models,
    "strategy": one_of(STRATEGIES),
    "protocol": one_of(name for name in MODULES if FIELDS["custom_providers", "?*", "protocol"].accepts(name)),
    "auth_type": one_of(AUTH),
}
"""The values of a setting, by the last word of its key or else by the first."""


def _known_keys(desk: Desk) -> Iterator[tuple[str, Kind]]:
    """Every key that can be set: where any word will do, with the words that there are."""
    own = {
        "api_keys": [row.name for row in desk.providers if not row.keyless],
        "roles": [*dict.fromkeys((*BUILT_IN_ROLES, *desk.section("roles")))],
        "custom_providers": [*desk.section("custom_providers")],
    }
    for pattern, kind in FIELDS.items():
        if pattern == ("?*_default_model",):
            yield from ((f"{row.name}_default_model", kind) for row in desk.providers)
        elif len(pattern) == 1:
            yield pattern[0], kind
        elif "?*" not in pattern[2:]:
            names = own.get(pattern[0], ()) if pattern[1] == "?*" else pattern[1:2]
            yield from ((join_key((pattern[0], name, *pattern[2:])), kind) for name in names)
