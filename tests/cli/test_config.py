"""`aix config` through the real command: every form of it, and every state that config.json can be in."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from conftest import Aix
from stage import NOT_SENT, Terminal, configure, shell

KEY = "sk-or-v1-0123456789abcdef"
MASKED = "sk-o***cdef"
PERHAPS = "aix: warning: if that is a secret: it stays in the shell's history\n"
HISTORY = "aix: warning: a key on a command line stays in the shell's history; aix api-key asks without showing it\n"
FREE = "meta-llama/llama-3.2-3b-instruct:free"


def saved(library: Path) -> object:
    return json.loads((library / "config.json").read_text())


# --- setting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "stored", "said"),
    [
        (["--set", "api_keys.openrouter", KEY], {"api_keys": {"openrouter": KEY}}, f"api_keys.openrouter = {MASKED}"),
        (["--set", "api_keys.openai", "short"], {"api_keys": {"openai": "short"}}, "api_keys.openai = ***"),
        (["--set", f"api_keys.anthropic={KEY}"], {"api_keys": {"anthropic": KEY}}, f"api_keys.anthropic = {MASKED}"),
        (["api_keys.openai", KEY], {"api_keys": {"openai": KEY}}, f"api_keys.openai = {MASKED}"),
        (["--set", "default_provider", "openai"], {"default_provider": "openai"}, "default_provider = openai"),
        (["default_provider", "openrouter"], {"default_provider": "openrouter"}, "default_provider = openrouter"),
        (["--set", "openai_default_model", "gpt-4"], {"openai_default_model": "gpt-4"}, "openai_default_model = gpt-4"),
        (
            ["--set", "anthropic_default_model", "claude-3-5-sonnet-20241022"],
            {"anthropic_default_model": "claude-3-5-sonnet-20241022"},
            "anthropic_default_model = claude-3-5-sonnet-20241022",
        ),
        (["--set", "default_model", FREE], {"default_model": FREE}, f"default_model = {FREE}"),
        (["--set", f"default_model={FREE}"], {"default_model": FREE}, f"default_model = {FREE}"),
        (["--set", "roles.fast=a=b"], {"roles": {"fast": "a=b"}}, "roles.fast = a=b"),
        (["temperature", "0.2"], {"temperature": 0.2}, "temperature = 0.2"),
        (["execute", "yes"], {"execute": True}, "execute = true"),
        (
            ['custom_providers."my.gw".base_url', "https://gw.example/v1"],
            {"custom_providers": {"my.gw": {"base_url": "https://gw.example/v1"}}},
            'custom_providers."my.gw".base_url = https://gw.example/v1',
        ),
        (
            ["custom_providers.gw.headers", '{"X-Team-Key": "blue"}'],
            {"custom_providers": {"gw": {"headers": {"X-Team-Key": "blue"}}}},
            'custom_providers.gw.headers = {"X-Team-Key": "***"}',
        ),
        (
            ["api_keys.openai", f'["{KEY}", "b"]'],
            {"api_keys": {"openai": [KEY, "b"]}},
            f'api_keys.openai = ["{MASKED}"',
        ),
    ],
)
def test_every_form_of_setting_a_value(arguments: list[str], stored: object, said: str, aix: Aix, home: Path) -> None:
    done = aix("config", *arguments)
    warning = PERHAPS if "headers" in said else HISTORY if "***" in said else ""
    assert (done.stdout, done.status) == ("", 0)
    assert done.stderr.startswith(f"aix: {said}")
    assert done.stderr.endswith(warning or f"{said}\n")
    assert KEY not in done.stderr
    assert saved(home / ".prompts") == stored


@pytest.mark.parametrize(
    ("settings", "flags", "asked"),
    [
        ({}, ["--provider", "openai"], "openai:gpt-5.4-mini"),
        ({"openai_default_model": "gpt-4"}, ["--provider", "openai"], "openai:gpt-4"),
        ({"default_provider": "anthropic"}, [], "anthropic:claude-haiku-4-5"),
        ({"default_provider": "openrouter", "default_model": FREE}, [], f"openrouter:{FREE}"),
        ({"default_provider": "openai"}, ["--model", "gpt-4"], "openai:gpt-4"),
        ({"default_model": "anthropic:x"}, ["--provider", "openai", "--model", "gpt-4"], "openai:gpt-4"),
    ],
)
def test_what_is_set_decides_who_is_asked(
    settings: dict[str, str], flags: list[str], asked: str, aix: Aix, library: Path
) -> None:
    configure(library, api_keys={"openai": KEY, "anthropic": KEY, "openrouter": KEY}, **settings)
    done = aix("run", "hello", "--name", "Ada", "-n", *flags)
    assert done.status == 0
    assert f"aix: would ask {asked} at https://" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "env", "warning"),
    [
        (["stream", "no"], {"AIX_STREAM": "1"}, "AIX_STREAM is set in the environment and wins over it"),
        (["default_model", "x"], {"AIX_MODEL": "y"}, "AIX_MODEL is set in the environment and wins over it"),
        (["api_keys.opnrouter", KEY], {}, "there is no provider 'opnrouter' yet that would use it"),
    ],
)
def test_a_setting_that_does_nothing_yet_is_warned_about(
    arguments: list[str], env: dict[str, str], warning: str, aix: Aix, home: Path
) -> None:
    done = aix("config", *arguments, env=env)
    assert (done.stdout, done.status) == ("", 0)
    assert done.stderr.endswith(f"aix: warning: {warning}\n")


# --- looking ----------------------------------------------------------------------------------------------------------


def test_a_list_in_a_pipe_is_one_line_each_with_keys_masked_and_sources(aix: Aix, library: Path) -> None:
    configure(
        library,
        api_keys={"openrouter": KEY},
        default_model="gpt-4",
        stream=False,
        custom_providers={
            "my.gw": {"base_url": "https://gw.example/v1", "api_key_env": "GW", "api_key": KEY, "headers": {"X-A": KEY}}
        },
    )
    env = {"OPENAI_API_KEY": "sk-abcdefghijklmnop", "AIX_MODEL": "gpt-5.5", "GW": "gw-abcdefghijklmnop"}
    env |= {"ANTHROPIC_API_KEY": " "}
    for option in (["--list"], ["-l"], []):
        done = aix("config", *option, env=env)
        assert (done.stderr, done.status) == ("", 0)
        assert done.stdout.splitlines() == [
            'api_keys."my.gw" = gw-a***mnop (GW)',
            "api_keys.openai = sk-a***mnop (OPENAI_API_KEY)",
            "api_keys.openrouter = sk-o***cdef (config.json)",
            f'custom_providers."my.gw".api_key = {MASKED} (config.json)',
            'custom_providers."my.gw".api_key_env = GW (config.json)',
            'custom_providers."my.gw".base_url = https://gw.example/v1 (config.json)',
            f'custom_providers."my.gw".headers.X-A = {MASKED} (config.json)',
            "default_model = gpt-5.5 (AIX_MODEL)",
            "stream = false (config.json)",
        ]


def test_the_check_for_keys_that_the_manual_shows_works(library: Path) -> None:
    configure(library, api_keys={"openrouter": KEY}, stream=False)
    done = shell('OPENAI_API_KEY=sk-abcdefghijklmnop "$AIX" config --list | grep api_keys')
    assert done.stdout == (
        f"api_keys.openai = sk-a***mnop (OPENAI_API_KEY)\napi_keys.openrouter = {MASKED} (config.json)\n"
    )
    assert (done.stderr, done.status) == ("", 0)


def test_a_list_on_a_terminal_is_a_table(library: Path) -> None:
    configure(library, api_keys={"openrouter": KEY}, stream=False)
    terminal = Terminal("config")
    assert terminal.end() == 0
    rows = [line.split() for line in terminal.screen.splitlines() if line.strip()]
    assert rows == [
        ["key", "value", "source"],
        ["api_keys.openrouter", MASKED, "config.json"],
        ["stream", "false", "config.json"],
    ]


def test_an_empty_list_says_what_to_do(aix: Aix) -> None:
    done = aix("config", "--list")
    assert (done.stdout, done.status) == ("", 0)
    assert done.stderr == "aix: nothing is set; aix config --help shows how\n"


@pytest.mark.parametrize(
    ("arguments", "out", "err"),
    [
        (["default_model"], "gpt-4\n", ""),
        (["--get", "default_model"], "gpt-4\n", ""),
        (["-g", "api_keys.openrouter"], f"{MASKED}\n", ""),
        (["api_keys.openai"], "sk-a***mnop\n", ""),
        (["api_keys"], f'{{"openrouter": "{MASKED}"}}\n', ""),
        (["stream"], "true\n", ""),
        (["timeout"], "600.0\n", ""),
        (["temperature"], "", "aix: temperature is not set\n"),
        (["api_keys.anthropic"], "", "aix: api_keys.anthropic is not set\n"),
        (["custom_providers.gw.headers.X-Team"], "***\n", ""),
        (["custom_providers.gw"], '{"base_url": "https://gw.example", "headers": {"X-Team": "***"}}\n', ""),
    ],
)
def test_one_setting(arguments: list[str], out: str, err: str, aix: Aix, library: Path) -> None:
    custom = {"gw": {"base_url": "https://gw.example", "headers": {"X-Team": "blue"}}}
    configure(library, api_keys={"openrouter": KEY}, default_model="gpt-4", custom_providers=custom)
    done = aix("config", *arguments, env={"OPENAI_API_KEY": "sk-abcdefghijklmnop"})
    assert (done.stdout, done.stderr, done.status) == (out, err, 0)


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (
            ["--list"],
            [
                {"key": "api_keys.openrouter", "value": MASKED, "source": "config.json"},
                {"key": "stream", "value": False, "source": "config.json"},
            ],
        ),
        (["stream"], {"key": "stream", "value": False, "source": "config.json"}),
        (["execute"], {"key": "execute", "value": False, "source": "default"}),
        (["editor"], {"key": "editor", "value": None, "source": None}),
        (["api_keys.openrouter"], {"key": "api_keys.openrouter", "value": MASKED, "source": "config.json"}),
    ],
)
def test_settings_for_a_program(arguments: list[str], value: object, aix: Aix, library: Path) -> None:
    configure(library, api_keys={"openrouter": KEY}, stream=False)
    done = aix("config", *arguments, "--json")
    assert (json.loads(done.stdout), done.stderr, done.status) == (value, "", 0)


# --- forgetting -------------------------------------------------------------------------------------------------------

WHOLE = {
    "default_model": "gpt-4",
    "roles": {"fast": "x"},
    "api_keys": {"openai": KEY},
    "custom_providers": {"gw": {"base_url": "https://gw.example"}},
}
KEPT = {"api_keys": WHOLE["api_keys"], "custom_providers": WHOLE["custom_providers"]}


@pytest.mark.parametrize(
    ("arguments", "left", "said"),
    [
        (["--unset", "default_model"], {**WHOLE, "default_model": None}, "default_model is no longer set"),
        (["--unset", "api_keys.openai"], {**WHOLE, "api_keys": None}, "api_keys.openai is no longer set"),
        (["--unset", "custom_providers"], {**WHOLE, "custom_providers": None}, "custom_providers is no longer set"),
        (["--unset", "temperature"], WHOLE, "temperature was not set"),
        (["--reset", "--yes"], KEPT, "forgot all settings but keys and custom providers"),
        (["--reset", "-y", "--all"], {}, "forgot all settings, keys and custom providers"),
    ],
)
def test_forgetting(arguments: list[str], left: dict[str, object], said: str, aix: Aix, library: Path) -> None:
    configure(library, **WHOLE)
    done = aix("config", *arguments)
    assert (done.stdout, done.stderr, done.status) == ("", f"aix: {said}\n", 0)
    assert saved(library) == {key: value for key, value in left.items() if value is not None}


@pytest.mark.parametrize(
    ("keys", "said", "left"),
    [
        ("n", "aix: nothing is changed", WHOLE),
        ("\r", "aix: nothing is changed", WHOLE),
        ("y", "aix: forgot all settings but keys and custom providers", KEPT),
    ],
)
def test_a_reset_asks_a_person_first(keys: str, said: str, left: object, library: Path) -> None:
    configure(library, **WHOLE)
    terminal = Terminal("config", "--reset")
    terminal.wait_for("Forget all settings but keys and custom providers?")
    terminal.type(keys)
    assert terminal.end() == 0
    assert terminal.screen.splitlines()[-1] == said
    assert saved(library) == left


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (
            ["--reset"],
            "there is nobody to ask: Forget all settings but keys and custom providers?",
            "add --yes",
        ),
        (["--reset", "--all"], "there is nobody to ask: Forget all settings, keys and custom providers?", "add --yes"),
        (["--all"], "--all goes with --reset", ""),
        (["--list", "--get", "stream"], "give one of --list, --get, --set, --unset, --reset", ""),
        (["--set", "stream"], "--set stream: to what?", "aix config --set stream VALUE"),
        (["--set", "stream=no", "yes"], "--set stream: to what?", "aix config --set stream VALUE"),
        (["--set", "api_keys.openai", KEY, "extra"], "'extra' is one word too many", "aix config --help"),
        (["--get", "stream", "extra"], "'extra' is one word too many", "aix config --help"),
        (["--list", "extra"], "'extra' is one word too many", "aix config --help"),
        (["--unset", "stream", "extra"], "'extra' is one word too many", "aix config --help"),
        ([f"api_keys.openai={KEY}"], "'api_keys.openai=' is not a setting's name", "aix config --set api_keys.openai "),
        (["defualt_model"], "there is no setting 'defualt_model'", "did you mean default_model"),
        (["--unset", "defualt_model"], "there is no setting 'defualt_model'", "did you mean default_model"),
        (["custom_providers.gw.base_uri", "x"], "there is no setting", "did you mean custom_providers.gw.base_url"),
        (["nonsense", "5"], "there is no setting 'nonsense'", "the settings are default_provider, default_model,"),
        (["models..x", "5"], "'models..x' is not a setting's name", "quote a dot: 'models.\"gpt-4.1\".input_price'"),
        (["stream", "maybe"], "stream must be true or false", ""),
        (["default_model", "x\udcff"], "the argument 'x\\udcff' is not UTF-8 text", "give it in a file, as UTF-8"),
        (["api_keys.openai", ""], "api_keys.openai must be a key without spaces, or a list of such", ""),
        (["api_keys.openai", f"{KEY}\nX: y"], "api_keys.openai must be a key without spaces, or a list of such", ""),
        (["custom_providers.gw.protocol", "x"], "custom_providers.gw.protocol must be one of openai-chat, open", ""),
    ],
)
def test_a_wrong_command_line_changes_nothing(
    arguments: list[str], message: str, hint: str, aix: Aix, library: Path
) -> None:
    configure(library, **WHOLE)
    before = (library / "config.json").read_bytes()
    done = aix("config", *arguments)
    assert (done.stdout, done.status) == ("", 2)
    assert done.stderr.startswith(f"aix: error: {message}")
    assert (f"\n  hint: {hint}" if hint else "\n") in done.stderr
    assert KEY not in done.stderr
    assert (library / "config.json").read_bytes() == before


CUT = b'{"api_keys": {"openai": "sk-0123456789abcdef"}, "default_mo'
UNREADABLE = [
    ("cut in half", CUT, "config.json is not valid JSON at line 1; it is left as it is", "mend it in an editor, or"),
    ("empty", b"", "config.json is not valid JSON at line 1", "mend it in an editor, or start anew: mv "),
    ("not UTF-8", b'{"a": "\xff"}', "config.json is not valid JSON; it is left", "mend it in an editor, or"),
    ("far too deep", b"[" * 100_000, "config.json is not valid JSON", "mend it in an editor, or"),
    ("a list", b'["default_model"]', "config.json must hold a JSON object; it is left as it is", "mv "),
    ("a text", b'"gpt-4"', "config.json must hold a JSON object; it is left as it is", "mv "),
]


@pytest.mark.parametrize(
    ("data", "message", "hint"), [row[1:] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE]
)
def test_a_config_that_cannot_be_read_is_left_byte_for_byte(
    data: bytes, message: str, hint: str, aix: Aix, library: Path
) -> None:
    config = library / "config.json"
    config.write_bytes(data)
    config.chmod(0o600)
    done = aix("config", "--reset", "--all", "--yes")
    assert (done.stdout, done.status) == ("", 12)
    assert f"{library}/{message}" in done.stderr
    assert f"\n  hint: {hint}" in done.stderr
    assert config.read_bytes() == data
    assert {path.name for path in library.iterdir()} <= {"config.json", ".gitignore"}


@pytest.mark.parametrize(
    "command", [["run", "hello", "--name", "Ada", "-x"], ["api-key", "openai"], ["config"], ["config", "stream", "no"]]
)
def test_every_command_that_needs_settings_refuses_a_broken_config(command: list[str], aix: Aix, library: Path) -> None:
    (library / "config.json").write_bytes(CUT)
    done = aix(*command, stdin=KEY, env={"AIX_DEBUG": "1"})
    assert (done.stdout, done.status) == ("", 12)
    assert "sk-0123456789abcdef" not in done.stderr
    assert (library / "config.json").read_bytes() == CUT


@pytest.mark.parametrize(
    ("mode", "data", "private"),
    [
        (0o644, {"api_keys": {"openai": KEY}}, True),
        (0o640, {"custom_providers": {"gw": {"base_url": "https://gw.example"}}}, True),
        (0o604, {"api_keys": {"openai": KEY}}, True),
        (0o660, {"api_keys": {"openai": KEY}}, True),
        (0o601, {"api_keys": {"openai": KEY}}, True),
        (0o644, {"default_model": "gpt-4", "api_keys": {}}, False),
        (0o666, {"default_model": "gpt-4"}, False),
    ],
)
def test_a_config_that_others_can_read_may_not_redirect_a_key(
    mode: int, data: dict[str, object], private: bool, aix: Aix, library: Path
) -> None:
    config = library / "config.json"
    config.write_text(json.dumps(data))
    config.chmod(mode)
    done = aix("config", "default_model", "x")
    if not private:
        assert (done.status, stat.S_IMODE(config.stat().st_mode)) == (0, 0o600)
        return
    assert (done.stdout, done.status) == ("", 12)
    assert done.stderr == (
        f"aix: error: {config} sets keys or providers, but others can read it (mode {mode:04o})\n"
        f"  hint: look at what it sets, then: chmod 600 {config}\n"
    )
    assert (json.loads(config.read_text()), stat.S_IMODE(config.stat().st_mode)) == (data, mode)
    subprocess.run(done.stderr.rsplit("then: ", 1)[1].split(), check=True)
    assert aix("config", "default_model", "x").status == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_config_of_another_user_may_not_redirect_a_key(aix: Aix, library: Path) -> None:
    configure(library, api_keys={"openai": KEY})
    os.chown(library / "config.json", 12345, 12345)
    done = aix("config", "--list")
    assert (done.stdout, done.status) == ("", 12)
    assert "sets keys or providers, but belongs to another user" in done.stderr
    assert f"\n  hint: chown 0 {library}/config.json\n" in done.stderr


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ("ln -s elsewhere.json config.json", "is a symbolic link, and aix does not follow it"),
        ("ln -s nowhere config.json", "is a symbolic link, and aix does not follow it"),
        ("mkdir config.json", "is not a file"),
        ("mkfifo config.json", "is not a file"),
    ],
)
def test_a_config_that_is_no_file_is_refused(made: str, message: str, aix: Aix, library: Path) -> None:
    configure(library, default_model="gpt-4")
    (library / "config.json").rename(library / "elsewhere.json")
    subprocess.run(made.split(), cwd=library, check=True)
    done = aix("config", "stream", "no", timeout=20)
    assert (done.stdout, done.status) == ("", 12)
    assert done.stderr.startswith(f"aix: error: {library}/config.json {message}\n  hint: ")
    assert saved_at(library / "elsewhere.json") == {"default_model": "gpt-4"}


def saved_at(path: Path) -> object:
    return json.loads(path.read_text())


def test_a_library_that_is_a_link_is_followed_once(aix: Aix, home: Path) -> None:
    (home / "real").mkdir(mode=0o700)
    (home / ".prompts").symlink_to(home / "real")
    assert aix("config", "api_keys.openai", KEY).status == 0
    assert saved(home / "real") == {"api_keys": {"openai": KEY}}


@pytest.mark.parametrize(
    ("data", "arguments", "message"),
    [
        ({"stream": "yes"}, ["config", "stream"], "stream in config.json must be true or false"),
        ({"timeout": -1}, ["config", "timeout"], "timeout in config.json must be a number of seconds above 0"),
        ({"api_keys": ["x"]}, ["api-key", "openai", "--action", "get"], "api_keys in config.json must be an object"),
        ({"custom_providers": 5}, ["config"], "custom_providers in config.json must be an object"),
        ({"custom_providers": {"gw": 5}}, ["config"], "custom_providers.gw in config.json must be an object"),
        ({"api_keys": "x"}, ["config", "api_keys.openai", "k"], "api_keys in config.json must be an object"),
        ({"roles": []}, ["run", "hello", "--name", "A", "-n"], "roles in config.json must be an object"),
    ],
)
def test_a_wrong_type_says_how_to_take_it_out_and_that_works(
    data: dict[str, object], arguments: list[str], message: str, aix: Aix, library: Path
) -> None:
    configure(library, **data)
    done = aix(*arguments)
    assert done.status == 12
    assert f"aix: error: {message}\n  hint: aix config --unset " in done.stderr
    assert aix(*done.stderr.rsplit("hint: aix ", 1)[1].split()).status == 0
    assert saved(library) == {}


# --- git --------------------------------------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def tracked(library: Path) -> Path:
    """A library in git, with its config.json committed."""
    configure(library, default_model="gpt-4")
    git(library, "init", "--quiet")
    git(library, "add", "-f", "config.json")
    git(library, "commit", "--quiet", "-m", "settings")
    return library


@pytest.mark.parametrize(
    ("arguments", "deleted"),
    [
        (["config", "api_keys.openai", KEY], False),
        (["config", "custom_providers.gw.api_key", KEY], False),
        (["config", "custom_providers.gw.headers.X-Key", KEY], False),
        (["api-key", "openai"], False),
        (["api-key", "openai"], True),
    ],
)
def test_no_key_is_written_where_git_would_commit_it(
    arguments: list[str], deleted: bool, aix: Aix, tracked: Path
) -> None:
    config = tracked / "config.json"
    if deleted:
        config.unlink()
    done = aix(*arguments, stdin=KEY)
    assert (done.stdout, done.status) == ("", 12)
    assert done.stderr == (
        f"aix: error: git tracks {config}, so a key written there would be committed\n"
        f"  hint: git -C {tracked} rm --cached config.json\n"
    )
    assert not config.exists() if deleted else saved(tracked) == {"default_model": "gpt-4"}
    subprocess.run(done.stderr.rsplit("hint: ", 1)[1].split(), check=True, capture_output=True)
    assert aix(*arguments, stdin=KEY).status == 0
    assert KEY in config.read_text()
    git(tracked, "add", "--all")
    assert "config.json" not in git(tracked, "ls-files").split()  # .gitignore keeps it out from here on


def test_other_settings_may_be_tracked_and_keys_may_be_taken_out(aix: Aix, tracked: Path) -> None:
    (tracked / "config.json").write_text(json.dumps({"api_keys": {"openai": KEY}}))
    assert aix("config", "stream", "no").status == 0
    assert aix("api-key", "openai", "--action", "delete", "--yes").status == 0
    assert saved(tracked) == {"stream": False}


def test_git_cannot_be_made_to_run_what_the_library_brings(aix: Aix, tracked: Path) -> None:
    ran = tracked / "ran"
    git(tracked, "config", "core.fsmonitor", f"touch '{ran}'; false")
    assert aix("config", "api_keys.openai", KEY).status == 12
    assert not ran.exists()


# --- where a config.json counts, and where a key goes -----------------------------------------------------------------

REDIRECTION = {
    "api_keys": {"openai": "sk-of-a-stranger"},
    "custom_providers": {"openai": {"base_url": "https://evil.example", "headers": {"X-Evil": "1"}}},
    "openai_default_model": "of-a-stranger",
    "execute": True,
}


@pytest.mark.parametrize("place", ["project", "library flag", "current directory"])
def test_a_config_json_that_is_not_the_user_s_own_counts_for_nothing(place: str, aix: Aix, home: Path) -> None:
    project = home / "project"
    folder = project if place == "current directory" else project / ".prompts"
    folder.mkdir(parents=True)
    (project / ".git").mkdir()
    configure(folder, **REDIRECTION)
    flags = ["--library", str(folder)] if place == "library flag" else []
    env = {"OPENAI_API_KEY": KEY}
    done = aix("run", "hello", "--name", "Ada", "--provider", "openai", "--show-request", *flags, cwd=project, env=env)
    assert done.status == 0
    assert done.stdout.startswith("POST https://api.openai.com/v1/chat/completions\n")
    assert f"Authorization: Bearer {MASKED}\n" in done.stdout
    assert "stranger" not in done.stdout
    assert "evil" not in done.stdout.lower()
    assert aix("config", cwd=project, env=env).stdout == f"api_keys.openai = {MASKED} (OPENAI_API_KEY)\n"
    assert aix("run", "hello", "--name", "Ada", *flags, cwd=project).stderr == NOT_SENT  # `execute` is not heard either


@pytest.mark.parametrize(
    ("provider", "shown"),
    [
        ("openai", ["Authorization: Bearer sk-o***ai-1"]),
        ("anthropic", ["x-api-key: sk-a***ic-1"]),
        ("openrouter", ["Authorization: Bearer sk-o***er-1"]),
        ("ollama", []),
        ("echo", []),
        ("gw", ["Authorization: Bearer gw-o***gw-1"]),
        ("bare", []),
        ("free", []),
    ],
)
def test_a_key_goes_to_its_own_provider_only(provider: str, shown: list[str], aix: Aix, library: Path) -> None:
    address = {"base_url": "https://gw.example/v1", "default_model": "m"}
    custom = {"gw": {**address, "api_key_env": "ANY_NAME"}, "bare": address, "free": {**address, "auth_type": "none"}}
    configure(library, custom_providers=custom, api_keys={"openrouter": "sk-only-for-openrouter-1"})
    env = {"OPENAI_API_KEY": "sk-only-for-openai-1", "ANTHROPIC_API_KEY": "sk-a-only-anthropic-1"}
    env |= {"ANY_NAME": "gw-only-for-gw-1", "FREE_API_KEY": "free-never-sent-01", "OLLAMA_API_KEY": "not-for-here-0001"}
    done = aix("run", "hello", "--name", "Ada", "--provider", provider, "--show-request", env=env)
    assert (done.stderr, done.status) == (NOT_SENT, 0)
    assert [line for line in done.stdout.splitlines() if "***" in line] == shown
    assert "only" not in done.stdout


@pytest.mark.parametrize(
    ("provider", "page", "variable"),
    [
        ("openrouter", "https://openrouter.ai/keys", "OPENROUTER_API_KEY"),
        ("openai", "https://platform.openai.com/api-keys", "OPENAI_API_KEY"),
        ("anthropic", "https://console.anthropic.com/settings/keys", "ANTHROPIC_API_KEY"),
    ],
)
def test_a_missing_key_names_the_page_the_command_and_the_variable(
    provider: str, page: str, variable: str, aix: Aix
) -> None:
    done = aix("run", "hello", "--name", "Ada", "-x", "--provider", provider)
    assert (done.stdout, done.status) == ("", 4)
    assert done.stderr == (
        f"aix: error: No API key found for {provider}\n"
        f"  hint: get a key at {page}\n  hint: save it: aix api-key {provider}\n  hint: or set {variable}\n"
    )
