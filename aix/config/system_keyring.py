"""Keys in the system's own keyring (Keychain, Secret Service, KWallet): the one door to `keyring`, an extra."""

import contextlib
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from aix.errors import AuthError, ConfigError

SERVICE = "aix"
MOST_SAID = 200


def find(name: str) -> str:
    """The key of a provider; empty when there is none. Raises ConfigError or AuthError."""
    keyring = _package()
    with _explained("read"):
        return str(keyring.get_password(SERVICE, name) or "")


def save(name: str, key: str) -> None:
    """Keep the key of a provider, in place of the one that is there. Raises ConfigError or AuthError."""
    keyring = _package()
    with _explained("written"):
        keyring.set_password(SERVICE, name, key)


def delete(name: str) -> None:
    """Forget the key of a provider. Raises ConfigError or AuthError."""
    keyring = _package()
    with _explained("changed"):
        keyring.delete_password(SERVICE, name)


def _package() -> Any:
    """The package, loaded when it is used: most people never do."""
    try:
        return import_module("keyring")
    except ImportError:
        raise ConfigError(
            "the system keyring needs a package that is not installed",
            hint="pip install keyring\nor do without: aix config keyring false",
        ) from None


@contextlib.contextmanager
def _explained(done: str) -> Iterator[None]:
    """Turn what a backend raises, which may be anything, into an AuthError."""
    try:
        yield
    except Exception as error:  # a backend is anybody's code
        raise AuthError(
            f"the system keyring cannot be {done}",
            cause=" ".join(str(error).split())[:MOST_SAID] or type(error).__name__,
            hint="unlock it and run the command again\nor do without: aix config keyring false",
        ) from error
