"""All checks, as a table, and what runs them: a check that cannot look is itself a finding."""

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from aix.config.secrets import Secret, hidden, known_secrets
from aix.errors import AixError
from aix.health import files, keys, leftovers, machine, network, project, prompts, trust
from aix.health.finding import Finding, fault, skipped, unreadable
from aix.health.scene import Scene


@dataclass(frozen=True, slots=True)
class Check:
    group: str
    name: str
    look: Callable[[Scene], Iterator[Finding]]


CHECKS: Sequence[Check] = (
    Check("Program", "versions", machine.versions),
    Check("Program", "terminal", machine.terminal),
    Check("Program", "editor", machine.editor),
    Check("Files", "library", files.library),
    Check("Files", "config", files.config),
    Check("Files", "project", project.project),
    Check("Files", "variables", files.settings),
    Check("Files", "git", files.git_hygiene),
    Check("Files", "leftovers", leftovers.leftovers),
    Check("Prompts", "prompts", prompts.broken),
    Check("Prompts", "hidden", prompts.hidden),
    Check("Prompts", "trust", trust.trust),
    Check("Models", "keys", keys.keys),
    Check("Models", "default", keys.default),
    Check("Models", "local", keys.local_servers),
    Check("Network", "proxy", network.proxies),
    Check("Network", "certificates", network.certificates),
    Check("Network", "online", network.online),
)


NAMED_ABOVE = skipped("cannot be looked at, for a reason that is named above")
"""What stands in the way of many checks is said once."""


def examine(scene: Scene) -> Iterator[Finding]:
    """What the checks find, one after the other. No key is in it, whoever said it."""
    named: set[str] = set()
    secrets = known_secrets(scene.env, scene.settings.data)
    for check in CHECKS:
        for finding in _found(check, scene):
            again = finding.level == "error" and finding.message in named
            named.add(finding.message)
            yield finished(NAMED_ABOVE if again else finding, check.name, check.group, secrets)


def finished(finding: Finding, name: str, group: str, secrets: Sequence[Secret]) -> Finding:
    """A finding under its name, without any key."""
    message, hint = hidden(finding.message, secrets), hidden(finding.hint, secrets)
    facts = {name: _scrubbed(secrets, value) for name, value in finding.facts.items()}
    return replace(finding, message=message, hint=hint, facts=facts, name=name, group=group)


def _scrubbed(secrets: Sequence[Secret], value: Any) -> Any:
    """A fact without a key: also a server's own words can be one."""
    if isinstance(value, list):
        return [_scrubbed(secrets, inner) for inner in value]
    return hidden(value, secrets) if isinstance(value, str) else value


def _found(check: Check, scene: Scene) -> Iterator[Finding]:
    try:
        yield from check.look(scene)
    except AixError as error:
        yield fault(unreadable(error.__cause__) if _is_too_long(error.__cause__) else error)
    except OSError as error:
        yield fault(unreadable(error))
    except (ValueError, RecursionError) as error:
        yield fault(AixError(f"the check of {check.name} could not end ({type(error).__name__}: {error})"))


def _is_too_long(error: object) -> TypeGuard[OSError]:
    return isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG
