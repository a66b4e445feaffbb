"""Where a collection may come from, what it is then called, and which words are never handed to git."""

from pathlib import Path

import pytest

from aix.errors import AixError, NotFoundError, UsageError
from aix.library.collections.source import find_source

CANARY = "c4n4ry-pass"


def source(text: str, folder: Path) -> object:
    return find_source(text, folder, folder)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://github.com/acme/prompts.git", "prompts"),
        ("https://github.com/acme/prompts/", "prompts"),
        ("HTTPS://github.com/acme/prompts", "prompts"),
        ("https://ada@dev.azure.com/acme/_git/prompts", "prompts"),
        ("https://example.com:8443/a%20b.git", "a b"),
        ("http://127.0.0.1:8080/team.git", "team"),
        ("ssh://git@example.com:2222/~ada/team.git", "team"),
        ("git@github.com:acme/prompts.git", "prompts"),
        ("box:team", "team"),
        ("[::1]:acme/team.git", "team"),
        ("git@[fe80::1]:team", "team"),
    ],
)
def test_a_url_is_kept_as_it_is_and_names_the_collection(text: str, name: str, tmp_path: Path) -> None:
    found = find_source(text, tmp_path, tmp_path)
    assert (found.text, found.name, found.folder, found.git) == (text.replace("HTTPS", "https"), name, None, True)


@pytest.mark.parametrize("written", ["./box:team", "~/box:team", "box:team", "{}/box:team"])
def test_a_folder_is_kept_with_its_whole_path(written: str, tmp_path: Path) -> None:
    (tmp_path / "box:team").mkdir()
    found = find_source(written.format(tmp_path), tmp_path, tmp_path)
    assert (found.text, found.name, found.git) == (str(tmp_path / "box:team"), "team", False)


@pytest.mark.parametrize(("folder", "name"), [(".prompts", "prompts"), ("team.git", "team"), ("Team-2", "Team-2")])
def test_a_folder_names_the_collection(folder: str, name: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir()
    assert find_source(folder, tmp_path, tmp_path).name == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-uevil",
        "--upload-pack=evil",
        "ext::sh -c evil",
        "EXT::sh -c evil",
        "fd::17",
        "ext://sh",
        "foo::https://example.com/x",
        "https::https://example.com/x",
        "git://example.com/x",
        "http://example.com/x",
        "http://127.0.0.1.example.com/x",
        "ftp://example.com/x",
        "ssh://-oProxyCommand=evil/x",
        "ssh://-evil@example.com/x",
        "ssh://%2DoProxyCommand=evil/x",
        "-oProxyCommand=evil:x",
        "git@-oProxyCommand=evil:x",
        "git@example.com:-x",
        "[-oProxyCommand=evil]:x",
        "[::1]:-x",
        "https:///x",
        "https://[::1/x",
        "https://example.com:port/x",
        "https://example.com/x\n",
        "https://example.com/\x1b[31mx",
    ],
)
def test_what_git_could_take_for_something_else_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises((UsageError, NotFoundError)):
        source(text, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        f"ada:{CANARY}@example.com:x",
        f"https://ada:{CANARY}@example.com/x",
        f"https://:{CANARY}@example.com/x",
        f"https://{CANARY * 2}@example.com/x",
        f"https://ada%3A{CANARY}@example.com/x",
        f"https://example.com/x?token={CANARY}",
        f"https://example.com/x#{CANARY}",
        f"ssh://git:{CANARY}@example.com/x",
        f"https://ada:{CANARY}@exa mple.com:port/x",
        f"ftp://ada:{CANARY}@example.com/x",
        f"ext::ada:{CANARY}",
    ],
)
def test_a_password_is_refused_and_not_shown(text: str, tmp_path: Path) -> None:
    with pytest.raises(AixError) as caught:
        source(text, tmp_path)
    assert CANARY not in f"{caught.value.message} {caught.value.hint} {caught.value.cause}"


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_text("")
    for text, said in (("nope", "no folder"), ("x.tar.gz", "is a file"), ("file:///nope", "no folder")):
        with pytest.raises(NotFoundError, match=said):
            source(text, tmp_path)
