"""Keys, each with where it comes from, and whom aix would ask. No key is shown whole, and no key command is run."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from aix.config.secrets import Key, KeySources, find_keys
from aix.config.settings import join_key
from aix.errors import AixError, AuthError, NetworkError
from aix.health.finding import Finding, fault, ok, skipped, warning
from aix.health.scene import Scene
from aix.llm.probe import Probe, running
from aix.llm.providers import Provider, checked_url
from aix.llm.routing import Target, no_key
from aix.runs.run import Order
from aix.runs.runner import Runner


def keys(scene: Scene) -> Iterator[Finding]:
    """Each provider's key, the ones that it hides, and what looks wrong with it."""
    found = [finding for provider in known(scene) for finding in _keys_of(scene, provider)]
    yield from found
    yield from _saved_for_nobody(scene)
    if not any(finding.facts.get("source") for finding in found):
        yield skipped("no key is set", "aix api-key openrouter, or another provider")


def known(scene: Scene) -> Iterator[Provider]:
    """The providers whose rows are sound."""
    for name in scene.providers.names():
        try:
            yield scene.providers.get(name)
        except AixError:  # the check of config.json says so
            continue


def _keys_of(scene: Scene, provider: Provider) -> Iterator[Finding]:
    if provider.keyless:
        return
    own = _own(scene, provider)
    found = list(_candidates(scene, provider, own))
    there = [key for key in found if isinstance(key, Key)]
    yield from (fault(error, provider=provider.name) for error in found if isinstance(error, AuthError))
    if there:
        yield _first(provider, there)
        yield from _looks(scene, provider, there[0])
    if command := own.get("api_key_command"):
        order = "after that, its" if there else "its"
        yield ok(f"{provider.name}: {order} key comes from api_key_command ({len(str(command))} letters), not run here")
    elif not there and not found and (variable := own.get("api_key_env")):
        yield warning(f"{provider.name} takes its key from {variable}, which is not set", f"export {variable}=…")


def _first(provider: Provider, there: list[Key]) -> Finding:
    """The key that is used; another one behind it is hidden."""
    used, *others = there
    said = f"{provider.name}: {used.secret!r} from {used.source}"
    facts = {"provider": provider.name, "source": used.source}
    different = [key.source for key in others if key.secret != used.secret and key.source != used.source]
    if different:
        hint = (
            f"aix api-key {provider.name} --action delete" if different[0] == "config.json" else f"unset {different[0]}"
        )
        return warning(f"{said}, which hides another in {different[0]}", f"{hint}, or: unset {used.source}", **facts)
    return ok(said, **facts)


def _looks(scene: Scene, provider: Provider, key: Key) -> Iterator[Finding]:
    """What is wrong with how a key looks."""
    other = scene.providers.named_by_key(key.secret.reveal())
    if other and other != provider.name and not provider.custom and not provider.key_optional:
        yield warning(
            f"the key for {provider.name} from {key.source} looks like one of {other}", f"aix api-key {other}"
        )
    text = scene.env.get(key.source, "")
    if text != text.strip():
        yield warning(
            f"{key.source} has white space around the key: aix takes it off, others do not",
            f'export {key.source}="$(printf %s "${key.source}" | tr -d "[:space:]")"',
        )
    if key.source.endswith(".api_key"):
        yield warning(f"{key.source} holds a key in the provider's row", f"aix api-key custom:{provider.name}")


def _candidates(scene: Scene, provider: Provider, own: Mapping[str, Any]) -> Iterator[Key | AuthError]:
    """Every key that is set, best first, each looked at by itself; the key command is left out."""
    nothing = KeySources(provider.name, {}, (), None)
    sources = [replace(nothing, own={field: own[field]}) for field in ("api_key", "api_keys") if own.get(field)]
    sources += [replace(nothing, variables=(variable,)) for variable in provider.key_env]
    sources.append(replace(nothing, saved=scene.settings.section("api_keys").get(provider.name)))
    for source in sources:
        try:
            yield from find_keys(source, scene.env)
        except AuthError as error:
            yield error


def _own(scene: Scene, provider: Provider) -> Mapping[str, Any]:
    row = scene.settings.section("custom_providers").get(provider.name) if provider.custom else {}
    return row if isinstance(row, dict) else {}


def _saved_for_nobody(scene: Scene) -> Iterator[Finding]:
    for name in scene.settings.section("api_keys"):
        if name not in scene.providers.names():
            place = join_key(("api_keys", name))
            yield warning(f"{place} is for a provider that there is not", f"aix config --unset '{place}'")


def default(scene: Scene) -> Iterator[Finding]:
    """Whom a run would ask that names nobody: it is an error only where the user has chosen them."""
    try:
        target = runner(scene).choose(Order(), "")
        _refuse_unusable(scene, target)
    except AixError as error:
        chosen = any(scene.settings.get(key).value for key in ("default_provider", "default_model"))
        hint = error.hint or "aix config default_provider NAME"
        yield fault(error) if chosen else warning(f"nobody to ask yet: {error.message}", hint)
        return
    facts = {"provider": target.provider.name, "model": target.model}
    yield ok(f"{target.provider.name} with {target.model}", **facts)


def _refuse_unusable(scene: Scene, target: Target) -> None:
    """Raise what keeps a target from being asked, as far as that is known without asking it."""
    provider = target.provider
    if provider.base_url:
        checked_url(provider)
    if not runner(scene).usable(provider):
        raise no_key(provider)
    if provider.local and provider.base_url and not scene.client().listens(provider):
        raise NetworkError(
            f"{provider.name} does not answer at {provider.base_url}", hint=provider.start or "start its server"
        )


def runner(scene: Scene) -> Runner:
    return Runner(scene.settings, scene.providers, scene.client, scene.env, lambda _: None)


def local_servers(scene: Scene) -> Iterator[Finding]:
    """The model servers of this machine; a port that is closed is nobody's fault."""
    found = running(scene.client(), scene.providers)
    for answer in found:
        yield ok(
            f"{answer.provider.name} answers at {answer.provider.base_url} with {counted(answer)}",
            provider=answer.provider.name,
            models=list(answer.models),
        )
    if not found:
        yield skipped("no model server answers on this machine")


def counted(answer: Probe) -> str:
    """`2 models: a, b`, and no more names than a person reads."""
    count, names = len(answer.models), ", ".join(answer.models[:3])
    if not count:
        return "no model yet"
    return f"{count} model{'s' if count > 1 else ''}: {names}{', …' if count > 3 else ''}"
