"""`aix doctor`: every fault that is seeded is found, with what to type and its exit status, and no key is shown."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import AIX, Aix, Result
from listing import Says, listening, nobody
from stage import Terminal, configure, write

from aix.cli.doctor import sentence
from aix.health.finding import ok
from aix.llm import probe

KEY = "sk-proj-canary-0123456789abcdef"
OTHER = "sk-proj-second-9876543210fedcba"
LEVELS = {"ok", "warning", "error", "skipped"}


@pytest.fixture(autouse=True)
def no_ollama(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A developer's own Ollama is not there."""
    with nobody() as port:
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{port}")
        yield


def rows(done: Result) -> list[dict[str, str]]:
    """The lines of a pipe: level, name, message, hint."""
    cells = [(*line.split("\t"), "")[:4] for line in done.stdout.splitlines()]
    return [dict(zip(("level", "name", "message", "hint"), row, strict=True)) for row in cells]


def only(done: Result, name: str) -> dict[str, str]:
    (row,) = (row for row in rows(done) if row["name"] == name)
    return row


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, "-C", str(folder), *arguments], check=True, capture_output=True)


# --- without a fault --------------------------------------------------------------------------------------------------


def test_a_fresh_machine_has_no_error(aix: Aix) -> None:
    done = aix("doctor")
    assert (done.status, done.stderr) == (0, "")
    assert {row["level"] for row in rows(done)} <= LEVELS - {"error"}
    assert only(done, "default")["message"] == "nobody to ask yet: No API key found"
    assert only(done, "library")["message"].endswith("is not made yet; the first prompt that is saved makes it")


def test_a_sound_place_is_told_so_and_a_key_shown_masked(aix: Aix, library: Path) -> None:
    write(library, "mine", "Hello.")
    configure(library, default_provider="openai", api_keys={"openai": KEY})
    done = aix("doctor", env={"ANTHROPIC_API_KEY": "sk-ant-0123456789abcdef"})
    assert done.status == 0
    assert not [row for row in rows(done) if row["level"] in ("error", "warning")]
    keys = [row["message"] for row in rows(done) if row["name"] == "keys"]
    assert keys == [
        "openai: sk-p***cdef from config.json",
        "anthropic: sk-a***cdef from ANTHROPIC_API_KEY",
    ]
    assert only(done, "default")["message"] == "openai with gpt-5.4-mini"
    assert only(done, "library")["message"] == str(library)


def test_nothing_is_written(aix: Aix, home: Path) -> None:
    aix("doctor", "--online")
    assert list(home.iterdir()) == []


def test_it_is_one_json_object_for_a_program(aix: Aix, library: Path) -> None:
    configure(library, api_keys={"openai": KEY}, colour="red")
    done = aix("doctor", "--json")
    value = json.loads(done.stdout)
    assert (value["version"], value["ok"], done.status) == (1, True, 0)
    for check in value["checks"]:
        assert {"name", "group", "level", "message", "hint", "exit"} <= set(check)
        assert check["level"] in LEVELS
    facts = {check["name"]: check for check in value["checks"]}
    assert facts["versions"]["packages"]["typer"]
    assert facts["keys"] == {
        "name": "keys",
        "group": "Models",
        "level": "ok",
        "message": "openai: sk-p***cdef from config.json",
        "hint": "",
        "exit": 0,
        "provider": "openai",
        "source": "config.json",
    }
    assert facts["config"]["key"] == "colour"


# --- seeded faults ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seed:
    """A fault, and the finding that it must lead to."""

    level: str
    name: str
    message: str
    hint: str = ""
    status: int = 0
    config: Mapping[str, Any] | str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    make: Callable[[Path], object] = lambda _: None


def mode(bits: int) -> Callable[[Path], object]:
    return lambda library: (library / "config.json").chmod(bits)


def linked(library: Path) -> None:
    (library / "real.json").write_text("{}")
    (library / "config.json").symlink_to("real.json")


def repository(*, ignored: bool = True, track: bool = False, commit: bool = False, keep: bool = True) -> Any:
    """A library in git; what of config.json it holds."""

    def make(library: Path) -> None:
        git(library, "init")
        if ignored:
            (library / ".gitignore").write_text("config.json\n.aix-*.tmp\n.aix.lock\n")
        if track or commit:
            git(library, "add", "--force", "config.json")
        if commit:
            git(library, "commit", "-m", "oops")
        if not keep:
            git(library, "rm", "--cached", "config.json")

    return make


def replaced_by_a_broken_link(library: Path) -> None:
    library.rmdir()
    library.symlink_to("gone")


def replaced_by_a_file(library: Path) -> None:
    library.rmdir()
    library.write_text("")


def stale(library: Path) -> None:
    path = library / ".aix-0123.tmp"
    path.write_text(KEY)
    os.utime(path, (time.time() - 7200,) * 2)


def broken_prompts(library: Path) -> None:
    write(library, "bad", "---\ntags: {\n---\nx")
    write(library, "worse", "{% if %}")


def project(library: Path) -> None:
    write(library.parent / ".work" / ".prompts", "same", "x")
    write(library, "same", "y")
    (library.parent / ".work" / ".git").mkdir()


def project_config(text: str) -> Callable[[Path], None]:
    def make(library: Path) -> None:
        project(library)
        (library.parent / ".work" / ".prompts" / "config.json").write_text(text)

    return make


FAULTS = [
    Seed("error", "config", "is not valid JSON at line 1", "mend it in an editor", 12, config="{oops"),
    Seed("error", "config", "must hold a JSON object", ".broken", 12, config="[]"),
    Seed("error", "config", "is not valid JSON", "mend it", 12, config="[" * 100_000),
    Seed("error", "config", "others can read it (mode 0644)", "chmod 600", 12, {"api_keys": {"openai": KEY}},
         make=mode(0o644)),
    Seed("warning", "config", "is open to others (mode 0640)", "chmod 600", 0, {"stream": True}, make=mode(0o640)),
    Seed("error", "config", "is a symbolic link", "make the directory", 12, make=linked),
    Seed("error", "config", "is not a file", "mv ", 12, make=lambda library: (library / "config.json").mkdir()),
    Seed("error", "config", "is not a file", "mv ", 12, make=lambda library: os.mkfifo(library / "config.json")),
    Seed("warning", "config", "defualt_model in config.json is not a setting", "did you mean default_model", 0,
         {"defualt_model": "x"}),
    Seed("warning", "config", "and 5 more in config.json", "aix config --list", 0, {f"zzz{n}": 1 for n in range(15)}),
    Seed("error", "config", "stream in config.json must be true or false", "aix config --unset stream", 12,
         {"stream": "maybe"}),
    Seed("error", "config", "api_keys in config.json must be an object", "aix config --unset api_keys", 12,
         {"api_keys": [KEY]}),
    Seed("error", "config", "custom_providers.gw has no base_url", "base_url https://", 12,
         {"custom_providers": {"gw": {}}}),
    Seed("error", "config", "custom_providers.gw in config.json must be an object", "--unset", 12,
         {"custom_providers": {"gw": "text"}}),
    Seed("warning", "variables", "AIX_MODEL hides default_model of config.json", "unset AIX_MODEL", 0,
         {"default_provider": "echo", "default_model": "a"}, {"AIX_MODEL": "b"}),
    Seed("error", "variables", "AIX_STREAM must be true or false", "unset AIX_STREAM", 2, env={"AIX_STREAM": "maybe"}),
    Seed("warning", "variables", "AIX_MODLE is not read", "did you mean AIX_MODEL?", env={"AIX_MODLE": "x"}),
    Seed("warning", "variables", "AIX_HOME hides AIX_STORAGE_PATH", "unset AIX_STORAGE_PATH", 0,
         env={"AIX_HOME": "/nowhere/a", "AIX_STORAGE_PATH": "/nowhere/b"}),
    Seed("warning", "library", "is open to others (mode 0755)", "chmod 700", make=lambda library: library.chmod(0o755)),
    Seed("error", "library", "is a link to what is not there", "ls -l", 13,
         make=replaced_by_a_broken_link),
    Seed("error", "library", "is not a directory", "set AIX_HOME", 13,
         make=replaced_by_a_file),
    Seed("error", "git", "git tracks", "rm --cached config.json", 12, {"stream": True}, make=repository(track=True)),
    Seed("warning", "git", "config.json was committed (last in", "make new keys", 0, {"stream": True},
         make=repository(commit=True, keep=False)),
    Seed("warning", "git", "git does not ignore config.json, .aix-*.tmp, .aix.lock", ".gitignore", 0, {"stream": True},
         make=repository(ignored=False)),
    Seed("warning", "leftovers", "1 temporary file", "-delete", make=stale),
    Seed("warning", "leftovers", "half.md.broken keeps an edit that is no prompt yet", "aix edit web/half",
         make=lambda library: write(library, "web/half", "x").with_name("half.md.broken").write_text("{% if %}")),
    Seed("warning", "prompts", "odd.md:2: unknown key 'titel'", "mend it, or begin its name with x-",
         make=lambda library: write(library, "odd", "---\ntitel: x\n---\nHello.")),
    Seed("ok", "variables", "OLLAMA_HOST moves ollama to http://127.0.0.1:", ""),
    Seed("ok", "variables", "no AIX_ variable is set", ""),
    Seed("ok", "variables", "OPENAI_BASE_URL moves openai to https://gw.example", "",
         env={"OPENAI_BASE_URL": f"https://gw.example/{KEY}"}),
    Seed("error", "library", "bbb…: file name too long", "set AIX_HOME", 13, env={"AIX_HOME": "/" + "b" * 300}),
    Seed("error", "library", "bbb…: file name too long", "set AIX_HOME", 13, env={"HOME": "/" + "b" * 5000}),
    Seed("error", "prompts", "bad.md:3: not valid YAML", "", 6, make=broken_prompts),
    Seed("error", "prompts", "worse.md:1", "", 6, make=broken_prompts),
    Seed("warning", "hidden", "same of user hides the one of project", "aix which same", make=project),
    Seed("error", "project", "config.json is not valid JSON at line 1", "mv ", 12, make=project_config("{oops")),
    Seed("error", "project", ".prompts/config.json: roles.fast must be a model", "mend .prompts/config.json", 12,
         make=project_config('{"roles": {"fast": 7}}')),
    Seed("error", "project", "entry 1 must have either 'per' or 'rolling'", "mend ", 12,
         make=project_config('{"limits": [{"cost": 1}]}')),
    Seed("warning", "project", "ignored in", "take them out of", make=project_config('{"api_keys": {}}')),
    Seed("ok", "project", "config.json sets roles", "", make=project_config('{"roles": {"fast": "openai:gpt-5.5"}}')),
    Seed("skipped", "project", "no project sets anything here", "", make=project),
    Seed("ok", "keys", "openai: sk-p***cdef from OPENAI_API_KEY, then", "", 0,
         {"api_keys": {"openai": OTHER}}, {"OPENAI_API_KEY": KEY}),
    Seed("warning", "keys", "from OPENAI_API_KEY; config.json has the key of OPENAI_API_KEY again",
         "aix api-key openai --action delete, or: unset OPENAI_API_KEY", 0,
         {"api_keys": {"openai": [OTHER, KEY]}}, {"OPENAI_API_KEY": KEY}),
    Seed("warning", "keys", "looks like one of anthropic", "aix api-key anthropic", 0,
         {"api_keys": {"openai": "sk-ant-0123456789abcdef"}}),
    Seed("warning", "keys", "OPENAI_API_KEY has white space around the key", "export OPENAI_API_KEY=", 0,
         env={"OPENAI_API_KEY": f"{KEY}\n"}),
    Seed("error", "keys", "holds a space, a line break", "look at OPENAI_API_KEY", 4,
         env={"OPENAI_API_KEY": "my key is"}),
    Seed("warning", "keys", "gw takes its key from GW_KEY, which is not set", "export GW_KEY", 0,
         {"custom_providers": {"gw": {"base_url": "https://gw.example/v1", "api_key_env": "GW_KEY"}}}),
    Seed("warning", "keys", "custom_providers.gw.api_key holds a key", "aix api-key custom:gw", 0,
         {"custom_providers": {"gw": {"base_url": "https://gw.example/v1", "api_key": KEY}}}),
    Seed("warning", "keys", "api_keys.opnai is for a provider that there is not", "aix config --unset", 0,
         {"api_keys": {"opnai": KEY}}),
    Seed("error", "default", "No API key found for openai", "aix api-key openai", 4, {"default_provider": "openai"}),
    Seed("error", "default", "there is no provider 'opnai'", "did you mean openai?", 5, {"default_provider": "opnai"}),
    Seed("error", "default", "vllm has no default model", "--model vllm:MODEL", 5, {"default_provider": "vllm"}),
    Seed("error", "default", "ollama does not answer at", "ollama serve", 7, {"default_provider": "ollama"}),
    Seed("error", "proxy", "HTTPS_PROXY holds no address of a proxy", "export HTTPS_PROXY=", 7,
         env={"HTTPS_PROXY": f"http://me:{KEY}@["}),
    Seed("error", "proxy", "ALL_PROXY names no kind of proxy", "export ALL_PROXY=", 7,
         env={"ALL_PROXY": "ftp://proxy.example"}),
    Seed("warning", "proxy", "http_proxy and HTTP_PROXY differ", "unset HTTP_PROXY", 0,
         env={"http_proxy": "http://a:1", "HTTP_PROXY": "http://b:1"}),
    Seed("error", "certificates", "SSL_CERT_FILE=/nowhere.pem cannot be read", "unset SSL_CERT_FILE", 7,
         env={"SSL_CERT_FILE": "/nowhere.pem"}),
    Seed("error", "certificates", "SSL_CERT_FILE=/dev/null cannot be read: not a regular file", "unset", 7,
         env={"SSL_CERT_FILE": "/dev/null"}),
    Seed("error", "certificates", "SSL_CERT_DIR=/nowhere cannot be read", "unset SSL_CERT_DIR", 7,
         env={"SSL_CERT_DIR": "/nowhere"}),
    Seed("error", "certificates", "SSL_CERT_DIR=/proc/self holds no certificate", "openssl rehash", 7,
         env={"SSL_CERT_DIR": "/proc/self"}),
    Seed("warning", "certificates", "REQUESTS_CA_BUNDLE is set, which aix does not read",
         'SSL_CERT_FILE="$REQUESTS_CA_BUNDLE"', 0,
         env={"REQUESTS_CA_BUNDLE": "/corp.pem"}),
    Seed("warning", "terminal", "it is not UTF-8", "export LC_ALL=C.UTF-8", env={"LC_ALL": "en_US.ISO-8859-1"}),
    Seed("warning", "editor", "the editor nonesuch is not there", "export EDITOR=nano", env={"VISUAL": "nonesuch -w"}),
]  # fmt: skip


@pytest.mark.parametrize("seed", FAULTS, ids=lambda seed: f"{seed.name}: {seed.message[:50]}")
def test_a_seeded_fault_is_found(seed: Seed, aix: Aix, library: Path) -> None:
    if isinstance(seed.config, str):
        (library / "config.json").write_text(seed.config)
    elif seed.config is not None:
        configure(library, **seed.config)
    seed.make(library)
    where = library.parent / ".work"
    done = aix("doctor", env=seed.env, cwd=where if where.is_dir() else None)
    found = [row for row in rows(done) if row["name"] == seed.name and row["level"] == seed.level]
    assert [row for row in found if seed.message in row["message"] and seed.hint in row["hint"]], done.stdout
    assert done.status == seed.status
    assert done.stderr == ""
    assert KEY not in done.stdout
    assert {row["name"] for row in rows(done)} >= {"versions", "library", "prompts", "keys", "certificates", "online"}


def test_there_are_enough_faults() -> None:
    assert len(FAULTS) >= 25


# --- what it must survive ---------------------------------------------------------------------------------------------


def test_a_deleted_working_directory(aix: Aix, home: Path) -> None:
    command = f'mkdir gone && cd gone && rmdir ../gone && "{AIX}" doctor'
    done = subprocess.run(["sh", "-c", command], cwd=home, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_names_and_values_that_would_play_with_a_terminal(library: Path) -> None:
    write(library, "evil", '---\n"\x1b]0;owned\x07": {\n---\nx')
    configure(library, **{"\x1b[2Jkey": 1})
    terminal = Terminal("doctor", env={"HTTPS_PROXY": "\x1b[31mftp://x"})
    terminal.end()
    assert b"\x1b]0;" not in terminal.raw
    assert b"\x1b[2J" not in terminal.raw
    assert b"\x1b[31mftp" not in terminal.raw


def test_a_library_of_thousands_is_looked_at_quickly(aix: Aix, library: Path) -> None:
    for number in range(3000):
        (library / f"p{number}.md").write_text("Hello {{ name }}.")
    started = time.monotonic()
    done = aix("doctor")
    assert time.monotonic() - started < 20
    assert done.status == 0
    assert "of 30" in only(done, "prompts")["message"] or "3000 user" in only(done, "prompts")["message"]


@pytest.mark.parametrize("name", [300, 5000])
def test_a_path_that_is_too_long_is_said_once_and_shortly(name: int, aix: Aix) -> None:
    done = aix("doctor", env={"AIX_HOME": "/" + "b" * name})
    assert [row["name"] for row in rows(done) if row["level"] == "error"] == ["library"]
    assert max(map(len, done.stdout.splitlines())) < 500
    assert "OSError" not in done.stdout


def test_a_whole_disk_is_looked_at_for_a_few_seconds_only(aix: Aix) -> None:
    started = time.monotonic()
    done = aix("doctor", env={"AIX_HOME": "/"})  # how it ends depends on what else is on the disk
    assert time.monotonic() - started < 15
    found = [row for row in rows(done) if row["name"] == "library"]
    assert [(row["level"], row["message"], row["hint"][:12]) for row in found] == [
        ("warning", "/ is the whole disk, and no place for prompts", "set AIX_HOME")
    ]


def test_a_fifo_in_the_place_of_certificates_is_not_waited_for(aix: Aix, home: Path) -> None:
    os.mkfifo(home / "fifo")
    done = aix("doctor", env={"SSL_CERT_FILE": str(home / "fifo")})
    assert (done.status, "cannot be read: not a regular file" in only(done, "certificates")["message"]) == (7, True)


def test_a_key_command_is_not_run(aix: Aix, library: Path, home: Path) -> None:
    row = {"base_url": "http://127.0.0.1:9/v1", "api_key_command": f"touch {home}/ran; echo {KEY}"}
    configure(library, custom_providers={"gw": row})
    done = aix("doctor")
    assert not (home / "ran").exists()
    assert "gw: its key comes from api_key_command" in done.stdout


# --- the network ------------------------------------------------------------------------------------------------------


def box(library: Path, url: str, **row: Any) -> None:
    row = {"base_url": url, "default_model": "tiny", **row}
    configure(library, default_provider="box", custom_providers={"box": row}, api_keys={"box": KEY})


@pytest.mark.parametrize(
    ("answer", "level", "message", "hint", "status"),
    [
        (Says(), "ok", "with 2 models: tiny, large:latest", "", 0),
        (Says('{"error": "no"}', "401 No"), "error", "box does not accept the key (no)", "aix api-key box", 4),
        (Says("{}", "403 No"), "error", "box does not allow this to the key", "check what the key may do", 4),
        (Says("{}", "404 No"), "warning", "box has no list of models", "check its base URL", 0),
        (Says("{}", "429 No"), "error", "box is limiting requests", "wait a little", 8),
        (Says("{}", "500 No"), "error", "box failed (HTTP 500)", "", 9),
        (Says("<html>", kind="text/html"), "error", "answered with a web page", "check its base URL", 9),
        (Says(ahead=3600), "warning", "behind the providers'", "timedatectl set-ntp true", 0),
        (Says(ahead=-3600), "warning", "s ahead of the providers'", "timedatectl set-ntp true", 0),
        (Says('{"data": [{"id": "tinny"}]}'), "warning", "box does not list tiny", "default_model tinny", 0),
        (None, "error", "box did not answer within 5 s", "see whether it is overloaded", 10),
    ],
)
def test_online_each_provider_is_asked(
    answer: Says | bytes | None, level: str, message: str, hint: str, status: int, aix: Aix, library: Path
) -> None:
    with listening(answer) as listener:
        box(library, listener.url)
        started = time.monotonic()
        done = aix("doctor", "--online")
        assert time.monotonic() - started < 15
    found = [row for row in rows(done) if row["name"] == "online" and row["level"] == level]
    assert [row for row in found if message in row["message"] and hint in row["hint"]], done.stdout
    assert done.status == status
    assert KEY not in done.stdout + done.stderr
    assert [head for head in listener.asked if f"Authorization: Bearer {KEY}" in head]


def test_online_a_closed_port_is_an_error_of_the_network(aix: Aix, library: Path) -> None:
    with nobody() as port:
        box(library, f"http://127.0.0.1:{port}/v1")
        done = aix("doctor", "--online", "--json")
    value = json.loads(done.stdout)
    assert (done.status, value["ok"]) == (7, False)
    (found,) = (check for check in value["checks"] if check["name"] == "online")
    assert (found["level"], found["provider"], found["exit"], found["status"]) == ("error", "box", 7, 0)
    assert found["message"].startswith(f"cannot connect to box at 127.0.0.1:{port}")


def test_online_goes_through_the_proxy_of_the_environment(aix: Aix, library: Path) -> None:
    with listening(Says()) as proxy:
        box(library, "http://models.invalid/v1", allow_http=True)
        place = f"127.0.0.1:{proxy.port}"
        done = aix("doctor", "--online", env={"HTTP_PROXY": f"http://me:{OTHER}@{place}", "NO_PROXY": "a.example"})
    assert done.status == 0
    assert proxy.asked[0].startswith("GET http://models.invalid/v1/models ")
    assert "box answers in" in done.stdout
    assert OTHER not in done.stdout


def test_a_proxy_is_shown_without_its_password(aix: Aix) -> None:
    done = aix("doctor", env={"HTTPS_PROXY": "http://me:hunter2@proxy.example:3128", "NO_PROXY": "a.example"})
    assert only(done, "proxy")["message"] == "https goes through http://***@proxy.example:3128, but for a.example"
    assert done.status == 0


@pytest.mark.parametrize("options", [("--online",), ("--online", "--json")])
@pytest.mark.parametrize("own", [{}, {"api_key_command": f"echo {OTHER}"}], ids=["saved", "command"])
def test_online_a_key_that_a_server_repeats_is_not_shown(
    own: dict[str, str], options: tuple[str, ...], aix: Aix, library: Path
) -> None:
    key = OTHER if own else KEY
    with listening(Says(f"you said {key}")) as listener:
        box(library, listener.url, **own)
        done = aix("doctor", *options)
    assert key in "".join(listener.asked)
    assert key not in done.stdout + done.stderr


def test_online_a_key_as_the_name_of_a_model_is_not_shown(aix: Aix, library: Path) -> None:
    with listening(Says(f'{{"data": [{{"id": "{KEY}"}}]}}')) as listener:
        box(library, listener.url)
        assert KEY not in aix("doctor", "--online", "--json").stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_online_a_signal_ends_the_wait_for_a_silent_server(number: signal.Signals, library: Path) -> None:
    with listening(None) as listener:
        box(library, listener.url)
        asking = subprocess.Popen([AIX, "doctor", "--online"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        listener.wait_for(KEY)
        started = time.monotonic()
        asking.send_signal(number)
        asking.communicate(timeout=30)
        assert time.monotonic() - started < probe.SECONDS / 2
    assert asking.returncode in (-number, 128 + number)


@pytest.mark.parametrize(
    "value",
    ["http://u:pa/PW@h:1", "http:/u:PW@h:1", "http://h:1/?token=PW", "http://u:PW/x@h:1", "http://u:7/PW@h:1",
     "http://h:PW", "u:PW", "PW@h:1", "http://u:PW@[", "ftp://u:PW@h", "PW://h:1", "socks5://u:PW@h:1"],
)  # fmt: skip
def test_no_password_of_a_proxy_is_shown(value: str, aix: Aix) -> None:
    done = aix("doctor", "--json", env={"HTTPS_PROXY": value, "Http_Proxy": value})
    assert "PW" not in done.stdout + done.stderr


def test_a_run_says_no_part_of_a_proxy_that_is_none(aix: Aix) -> None:
    env = {"HTTPS_PROXY": "http://u:PW/x@h:1", "OPENAI_API_KEY": KEY}
    done = aix("run", "hello", "--name", "Ada", "-x", "--provider", "openai", env=env)
    assert (done.status, "PW" in done.stderr) == (7, False)


def test_without_online_only_this_machine_is_asked_and_told_no_key(aix: Aix, library: Path) -> None:
    with listening(Says()) as listener:
        box(library, listener.url)
        done = aix("doctor")
    assert only(done, "local")["message"] == f"box answers at {listener.url} with 2 models: tiny, large:latest"
    assert only(done, "online")["message"] == "no provider was asked"
    assert KEY not in "".join(listener.asked)


def test_a_run_without_a_key_names_the_local_server_that_runs_and_sends_it_nothing(aix: Aix) -> None:
    with listening(Says()) as listener:
        done = aix("run", "hello", "--name", "Ada", "-x", env={"OLLAMA_HOST": f"127.0.0.1:{listener.port}"})
    assert done.status == 4
    assert "without a key: --provider ollama (ollama seems to be running here)" in done.stderr
    assert listener.asked == []


# --- on a terminal ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_it_fits_the_terminal(columns: int, library: Path) -> None:
    (library / "config.json").write_text("{")
    terminal = Terminal("doctor", env={"HTTPS_PROXY": "ftp://proxy.example"}, columns=columns)
    assert terminal.end() == 12
    text = terminal.raw.decode()
    for expected in ("Program\r\n", "Files\r\n", "✓", "!", "✗", "2 errors", "    mend it in an editor"):
        assert expected in text


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"CI": "1"}])
def test_where_a_terminal_is_plain_the_marks_are_words(env: dict[str, str], library: Path) -> None:
    (library / "config.json").write_text("{")
    terminal = Terminal("doctor", env=env)
    terminal.end()
    assert b"\x1b" not in terminal.raw
    assert terminal.raw.isascii()
    for word in ("ok   versions:", "FAIL config:", "skip local:"):
        assert word in terminal.screen


@pytest.mark.parametrize(
    ("name", "message", "said"),
    [
        ("box", "box answers in 0.10 s", "box answers in 0.10 s"),
        ("box", "the system keyring cannot be read", "box: the system keyring cannot be read"),
        ("online", "box answers in 0.10 s", "online: box answers in 0.10 s"),
    ],
)
def test_a_name_is_said_once(name: str, message: str, said: str) -> None:
    assert sentence(replace(ok(message, provider="box"), name=name)) == said
