"""The way out: proxies, certificates, and with `--online` the providers themselves."""

import re
import shlex
import ssl
import sys
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path

from aix.config.secrets import Key
from aix.errors import AixError, NetworkError
from aix.health.finding import Finding, fault, ok, skipped, warning
from aix.health.keys import counted, runner
from aix.health.scene import Scene
from aix.llm.network import masked, proxy_for, refuse_special
from aix.llm.probe import Probe, has, probe, side_by_side
from aix.llm.providers import Provider
from aix.runs.run import Order

PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
SCHEMES = ("http", "https", "socks5", "socks5h")
NOT_READ = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
SKEW_SECONDS = 60.0


def proxies(scene: Scene) -> Iterator[Finding]:
    """Which proxy applies, and the variables that cannot."""
    found = {name: _values(scene.env, name) for name in PROXIES}
    faults = [finding for values in found.values() for finding in _proxy_faults(values)]
    yield from faults
    way = proxy_for("https://provider.invalid/", scene.env)
    except_ = next((scene.env[name] for name in ("no_proxy", "NO_PROXY") if name in scene.env), "")
    shown = masked(way) if way else ""
    facts = {"https": shown or None, "no_proxy": except_ or None}
    if way and not faults:
        yield ok(f"https goes through {shown}" + (f", but for {except_}" if except_ else ""), **facts)
    elif not faults:
        yield ok("no proxy", **facts)


def _values(env: Mapping[str, str], name: str) -> dict[str, str]:
    """A variable in all of its spellings; the first one counts."""
    spellings = sorted((spelt for spelt in env if spelt.upper() == name), reverse=True)
    return {spelt: env[spelt].strip() for spelt in spellings}


def _proxy_faults(values: Mapping[str, str]) -> Iterator[Finding]:
    if len(set(values.values())) > 1:
        counts, other = list(values)[:2]
        yield warning(f"{counts} and {other} differ, and {counts} counts", f"unset {other}")
    spelt, value = next(iter(values.items()), ("", ""))
    if value and (wrong := _wrong_with(value)):
        yield fault(NetworkError(f"{spelt} {wrong[0]}", hint=wrong[1].format(name=spelt)), variable=spelt)


def _wrong_with(value: str) -> tuple[str, str] | None:
    """What keeps a text from being a proxy's address, and what to do."""
    example = "export {name}=http://proxy.example:3128"
    shown = masked(value)
    scheme = shown.partition(":")[0]
    if not shown:
        return "holds no address of a proxy", example
    if scheme not in SCHEMES:
        return f"names no kind of proxy that aix knows ({', '.join(SCHEMES)})", example
    if scheme.startswith("socks") and find_spec("socksio") is None:
        return f"({shown}) needs a package that is not installed", "pip install socksio"
    return None


def certificates(scene: Scene) -> Iterator[Finding]:
    """The authorities that the environment names can be read, and are some."""
    file, folder = scene.env.get("SSL_CERT_FILE", ""), scene.env.get("SSL_CERT_DIR", "")
    others = [name for name in NOT_READ if scene.env.get(name)]
    if others and not file and not folder:
        yield warning(f"{others[0]} is set, which aix does not read", f'export SSL_CERT_FILE="${others[0]}"')
    faults = [*_file_faults(file), *_folder_faults(folder)]
    yield from faults
    if not faults and not (others and not file and not folder):
        yield ok(f"the authorities in {file or folder}" if file or folder else "the usual authorities")


def _file_faults(file: str) -> Iterator[Finding]:
    if not file:
        return
    try:
        refuse_special(file)
        count = ssl.create_default_context(cafile=file).cert_store_stats()["x509"]
        wrong = "" if count else "holds no certificate"
    except ssl.SSLError:
        wrong = "holds no certificate"
    except OSError as error:
        wrong = f"cannot be read: {(error.strerror or '').lower()}"
    if wrong:
        yield fault(NetworkError(f"SSL_CERT_FILE={file} {wrong}", hint="unset SSL_CERT_FILE"), variable="SSL_CERT_FILE")


def _folder_faults(folder: str) -> Iterator[Finding]:
    """OpenSSL finds a certificate in a folder by the hash that is its file's name."""
    if not folder:
        return
    try:
        places = [Path(place) for place in folder.split(":")]
        hashed = any(re.fullmatch(r"[0-9a-f]{8}\.[0-9]+", path.name) for place in places for path in place.iterdir())
        wrong, hint = "" if hashed else "holds no certificate under its hash", f"openssl rehash {shlex.quote(folder)}"
    except OSError as error:
        wrong, hint = f"cannot be read: {(error.strerror or '').lower()}", "unset SSL_CERT_DIR"
    if wrong:
        yield fault(NetworkError(f"SSL_CERT_DIR={folder} {wrong}", hint=hint), variable="SSL_CERT_DIR")


def online(scene: Scene) -> Iterator[Finding]:
    """Each provider that could be asked is asked for its models: it answers, takes the key, and has what is wanted."""
    if not scene.online:
        yield skipped("no provider was asked", "aix doctor --online")
        return
    found = answers(scene, list(usable(scene)))
    for answer in found:
        yield from judged(scene, answer)
    yield from _clock(found)
    if not found:
        yield warning("there is nobody to ask", "aix api-key openrouter")


def answers(scene: Scene, asked: Sequence[Provider]) -> list[Probe]:
    """What comes of asking providers for their models, all at the same time."""
    if asked:
        scene.tell(f"asking {', '.join(provider.name for provider in asked)}")
    keys = {provider.name: _key(scene, provider) for provider in asked}  # here, where Ctrl-C ends a key command
    return side_by_side(lambda provider: _probed(scene, provider, keys[provider.name]), asked)


def usable(scene: Scene) -> Iterator[Provider]:
    """The providers with a key, the user's own ones, and the local ones that run."""
    for provider in scene.providers.sound():
        if provider.base_url and (provider.custom or _there(scene, provider)):
            yield provider


def _there(scene: Scene, provider: Provider) -> bool:
    try:
        return scene.client().listens(provider) if provider.local else runner(scene).keys.usable(provider)
    except AixError:  # the check of keys says so
        return False


def _key(scene: Scene, provider: Provider) -> Key | AixError | None:
    try:
        return runner(scene).keys.best(provider)
    except AixError as error:
        return error


def _probed(scene: Scene, provider: Provider, key: Key | AixError | None) -> Probe:
    if isinstance(key, AixError):
        return Probe(provider, 0, 0.0, error=key)
    return probe(scene.client(), provider, key.secret if key else None)


def judged(scene: Scene, answer: Probe) -> Iterator[Finding]:
    """What a provider's answer says: how fast it came, and whether the model that it would be asked for is there."""
    name = answer.provider.name
    facts = {"provider": name, "status": answer.status, "seconds": answer.seconds, "models": len(answer.models)}
    if answer.error and answer.status == 404:
        yield warning(answer.error.message, answer.error.hint, **facts)
    elif answer.error:
        yield fault(answer.error, **facts)
    else:
        yield ok(f"{name} answers in {answer.seconds:.2f} s with {counted(answer)}", **facts)
        yield from _default_model(scene, answer)


def _default_model(scene: Scene, answer: Probe) -> Iterator[Finding]:
    """Whether the model that a run would ask the provider for is one of its own."""
    provider = answer.provider
    try:
        model = runner(scene).choose(Order(provider=provider.name), "").model
    except AixError:  # it has none, which is no fault
        return
    if not answer.models or has(answer.models, model):
        return
    near = next(iter(get_close_matches(model, answer.models, n=1, cutoff=0.5)), answer.models[0])
    setting = "custom_providers.{}.default_model" if provider.custom else "{}_default_model"
    hint = f"aix config --set {setting.format(provider.name)} {shlex.quote(near)}"
    pull = provider.pull.replace("{model}", shlex.quote(model)) + "\n" if provider.pull else ""
    yield warning(f"{provider.name} does not list {model}, the model it would be asked for", pull + hint, model=model)


def _clock(found: Sequence[Probe]) -> Iterator[Finding]:
    """Our clock against theirs: certificates and signed requests are refused where it is wrong."""
    skews = [answer.skew for answer in found if answer.skew is not None]
    if not skews:
        return
    skew = sorted(skews)[len(skews) // 2]
    if abs(skew) <= SKEW_SECONDS:
        yield ok("the clock is right", skew=round(skew, 1))
        return
    way = "behind" if skew > 0 else "ahead of"
    hint = "sudo sntp -sS time.apple.com" if sys.platform == "darwin" else "sudo timedatectl set-ntp true"
    yield warning(f"the clock is {abs(skew):.0f} s {way} the providers'", hint, skew=round(skew, 1))
