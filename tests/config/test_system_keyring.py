"""Keys in the system's keyring: through a package of the same shape, and through the real one where it is installed."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import AIX

from aix.app import App
from aix.config import system_keyring
from aix.config.secrets import KEYRING, KeySources, find_keys
from aix.errors import AixError, AuthError, ConfigError

KEY = "sk-or-v1-0123456789abcdef"
MASKED = "sk-o***cdef"
STORE = """
import json, os, pathlib

def _file():
    return pathlib.Path(os.environ["KEPT_IN"])

def _kept():
    return json.loads(_file().read_text()) if _file().exists() else {}
"""
STAND_IN = (
    STORE
    + """
def get_password(service, name):
    if os.environ.get("LOCKED"):
        raise RuntimeError("the collection\\n is locked")
    return _kept().get(f"{service}/{name}")

def set_password(service, name, key):
    _file().write_text(json.dumps({**_kept(), f"{service}/{name}": key}))

def delete_password(service, name):
    _file().write_text(json.dumps({place: key for place, key in _kept().items() if place != f"{service}/{name}"}))
"""
)
BACKEND = (
    STORE
    + """
from keyring.backend import KeyringBackend

class Filed(KeyringBackend):
    priority = 1

    def get_password(self, service, name):
        return _kept().get(f"{service}/{name}")

    def set_password(self, service, name, key):
        _file().write_text(json.dumps({**_kept(), f"{service}/{name}": key}))

    def delete_password(self, service, name):
        _file().unlink()
"""
)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a package named `keyring` keeps its keys, here and in every command."""
    package = tmp_path / "packages"
    (package / "keyring").mkdir(parents=True)
    (package / "keyring" / "__init__.py").write_text(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", f"{os.environ['PYTHONPATH']}{os.pathsep}{package}")
    monkeypatch.setenv("KEPT_IN", str(tmp_path / "kept.json"))
    monkeypatch.syspath_prepend(str(package))
    monkeypatch.delitem(sys.modules, "keyring", raising=False)
    return tmp_path / "kept.json"


def keys(*, keyring: bool = True, **own: str) -> list[tuple[str, str]]:
    sources = KeySources("gw", own, ("GW_API_KEY",), "k-saved", keyring=keyring)
    return [(key.secret.reveal(), key.source) for key in find_keys(sources, {"PATH": "/usr/bin:/bin"})]


def test_its_key_comes_after_the_command_s_and_before_the_saved_one(kept: Path) -> None:
    kept.write_text(json.dumps({"aix/gw": "k-ring", "aix/other": "k-other"}))
    assert keys(api_key_command="echo k-command") == [
        ("k-command", "api_key_command"),
        ("k-ring", KEYRING),
        ("k-saved", "config.json"),
    ]
    assert keys(keyring=False) == [("k-saved", "config.json")]


def test_it_is_opened_only_where_no_key_was_found_before_it(kept: Path) -> None:
    kept.write_text("broken")
    sources = KeySources("gw", {"api_key": "k"}, (), None, keyring=True)
    assert next(find_keys(sources, {})).source.endswith(".api_key")


def test_a_backend_that_fails_is_one_sentence(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKED", "1")
    with pytest.raises(AuthError) as caught:
        keys()
    assert (caught.value.message, caught.value.cause) == (
        "the system keyring cannot be read",
        "the collection is locked",
    )
    assert caught.value.hint.endswith("aix config keyring false")


def test_without_the_package_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keyring.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "keyring", raising=False)
    for use in (system_keyring.find, system_keyring.delete):
        with pytest.raises(ConfigError) as caught:
            use("gw")
        assert caught.value.hint.startswith("pip install keyring\n")


def aix(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The command in a process that starts with the package in its path."""
    return subprocess.run([AIX, *arguments], input=stdin, capture_output=True, text=True, timeout=60, check=False)


def test_a_key_is_saved_used_shown_and_deleted_there(kept: Path, library: Path) -> None:
    done = aix("api-key", "openrouter", "--keyring", stdin=KEY)
    assert done.stderr == f"aix: saved the key {MASKED} for openrouter in the system keyring\n"
    assert json.loads(kept.read_text()) == {"aix/openrouter": KEY}
    assert json.loads((library / "config.json").read_text()) == {"keyring": True}
    assert aix("api-key", "openrouter", "--action", "get").stdout == f"{MASKED} (system keyring)\n"
    assert f"Authorization: Bearer {MASKED}\n" in aix("run", "hello", "--name", "Ada", "--show-request").stdout
    assert aix("api-key", "openrouter", "--keyring", "--action", "delete", "--yes").returncode == 0
    assert json.loads(kept.read_text()) == {}
    assert aix("api-key", "openrouter", "--action", "get").returncode == AuthError.exit_code


def test_its_key_is_seen_wherever_keys_are_looked_at(kept: Path, library: Path, home: Path) -> None:
    kept.write_text(json.dumps({"aix/groq": KEY}))
    config = library / "config.json"
    ran = home / "ran"
    config.write_text(
        json.dumps({"keyring": True, "custom_providers": {"openai": {"api_key_command": f"touch '{ran}'; echo k"}}})
    )
    config.chmod(0o600)
    app = App({"HOME": str(home), "KEPT_IN": str(kept)}, home)
    groq, openai, mistral = map(app.providers.get, ("groq", "openai", "mistral"))
    assert (app.roster.key_label(groq), app.roster.trouble(groq), app.runner.keys.usable(groq)) == (KEYRING, "", True)
    assert (app.roster.trouble(mistral), app.runner.keys.usable(mistral)) == ("no key", False)
    assert (app.roster.trouble(openai), app.runner.keys.usable(openai)) == ("", True)
    found = {finding.message for finding in app.examine(lambda _: ["vi"], online=False) if finding.name == "keys"}
    assert f"groq: {MASKED} from {KEYRING}" in found
    assert not ran.exists(), "a key command was run by looking"


@pytest.mark.skipif(find_spec("keyring") is None, reason="the extra `keyring` is not installed")
def test_the_real_package_is_used_in_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "filed.py").write_text(BACKEND)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "filed.Filed")
    monkeypatch.setenv("KEPT_IN", str(tmp_path / "kept.json"))
    system_keyring.save("gw", KEY)
    assert system_keyring.find("gw") == KEY
    system_keyring.delete("gw")
    try:
        assert system_keyring.find("gw") == ""
    except AixError as error:
        pytest.fail(str(error))
