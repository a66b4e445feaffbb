"""Keys, each with where it comes from, and whom aix would ask. No key is shown whole, and no key command is run."""

from collections.abc import Iterator

from aix.config.paths import find_cache, find_paths
from aix.config.secrets import COMMAND, KEYRING, SAVED, Key, KeySources, keys_at, places
from aix.config.settings import join_key
from aix.errors import AixError, ConfigError, NetworkError
from aix.health.finding import Finding, fault, ok, skipped, warning
from aix.health.scene import Scene
from aix.llm.catalogue import Catalogue
from aix.llm.probe import Probe, running
from aix.llm.providers import Provider, checked_url
from aix.llm.routing import Target, no_key
from aix.llm.shelf import known
from aix.runs.key_queue import key_sources
from aix.runs.run import Order
from aix.runs.runner import Runner


def keys(scene: Scene) -> Iterator[Finding]:
    """Each provider's keys in their order, and what looks wrong with them."""
    each = [finding for provider in scene.providers.sound() for finding in _keys_of(scene, provider)]
    found = list({finding.message: finding for finding in each}.values())  # a locked keyring is so for all of them
    yield from found
    yield from _saved_for_nobody(scene)
    if not any(finding.facts.get("source") for finding in found):
        yield skipped("no key is set", "aix api-key openrouter, or another provider")


def _keys_of(scene: Scene, provider: Provider) -> Iterator[Finding]:
    if provider.keyless:
        return
    sources = key_sources(provider, scene.settings, scene.env)
    found = list(_candidates(scene, sources))
    there = [key for key in found if isinstance(key, Key)]
    yield from (fault(error, provider=provider.name) for error in found if isinstance(error, AixError))
    if there:
        yield _first(provider, there)
        yield from _looks(scene, provider, there[0])
    if command := sources.own.get(COMMAND):
        order = "after that, its" if there else "its"
        yield ok(f"{provider.name}: {order} key comes from {COMMAND} ({len(str(command))} letters), not run here")
    elif not there and not found and (variable := sources.own.get("api_key_env")):
        yield warning(f"{provider.name} takes its key from {variable}, which is not set", f"export {variable}=…")


def _first(provider: Provider, there: list[Key]) -> Finding:
    """The key that is used, and those that follow when it is turned down; one that is saved twice is of no use."""
    used, *others = there
    said = f"{provider.name}: {used.secret!r} from {used.source}"
    facts = {"provider": provider.name, "source": used.source}
    for place, key in enumerate(others, 1):
        before = next((other for other in there[:place] if other.secret == key.secret), None)
        if before and key.source not in provider.key_env:  # two variables may be there for two programs
            ways = dict.fromkeys((_removing(provider, key.source), _removing(provider, before.source)))
            return warning(f"{said}; {key.source} has the key of {before.source} again", ", or: ".join(ways), **facts)
    then = "".join(f", then {key.secret!r} from {key.source}" for key in others if key.secret != used.secret)
    return ok(f"{said}{then}", **facts)


def _removing(provider: Provider, source: str) -> str:
    """The command that takes the key out of a place."""
    if source.startswith("custom_providers."):
        return f"aix config --unset {source}"
    delete = f"aix api-key {provider.name} --action delete"
    return {SAVED: delete, KEYRING: f"{delete} --keyring"}.get(source, f"unset {source}")


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


def _candidates(scene: Scene, sources: KeySources) -> Iterator[Key | AixError]:
    """Every key that is set, best first, each looked at by itself; the key command is left out."""
    for place in places(sources, scene.env):
        try:
            yield from keys_at(place, sources.name)
        except AixError as error:
            yield error


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
    if not runner(scene).keys.usable(provider):
        raise no_key(provider)
    if provider.local and provider.base_url and not scene.client().listens(provider):
        raise NetworkError(
            f"{provider.name} does not answer at {provider.base_url}", hint=provider.start or "start its server"
        )


def runner(scene: Scene) -> Runner:
    return Runner(scene.settings, scene.providers, scene.client, scene.env, lambda _: None, lambda: _catalogue(scene))


def _catalogue(scene: Scene) -> Catalogue:
    """Every model that is known, also where the user's own figures cannot be read."""
    cache = find_cache(scene.env, find_paths(scene.env, scene.cwd).home)
    try:
        return known(scene.settings.section("models"), scene.providers, cache)
    except ConfigError:
        return known({}, scene.providers, cache)


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
