"""No name leads out of its layer: hostile names and hostile folders, by all that can be done with a name, counted."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from full import full
from hypothesis import given, settings
from hypothesis import strategies as st

from aix.errors import AixError
from aix.library.layer import Layer
from aix.library.library import Library
from aix.library.prompt import Prompt
from aix.library.templates.template import Template

CANARY = "CANARY-5b1f"

NAMES = [
    # out of the folder
    *("..", ".", "", "/", "../secret", "../../secret", "web/../../secret", "web/../ok", "./ok", "out/secret"),
    *("ok/../../secret", "../.prompts/ok", "....//secret", "..;/secret", ".../secret", "web/..", "web/.", "..\\secret"),
    *("web\\..\\..\\secret", "web\\..\\/../secret", "\\secret", "\\\\host\\share\\secret", "C:\\secret", "C:/secret"),
    # from the root, the home, elsewhere
    *("/etc/passwd", "//etc/passwd", "/proc/self/environ", "/dev/zero", "/dev/stdin", "~", "~/secret", "~root/secret"),
    *("file:///etc/passwd", "http://127.0.0.1/x", "${HOME}/secret", "$HOME/secret", "%HOME%/secret", "`id`", "$(id)"),
    # links, and what is no file
    *("link", "absolute", "device", "loop", "dangling", "hidden", "config", "deep/secret", "web/up/secret", "fifo"),
    *("folder", "socket", "out", "out/new", "deep/new", "web/up/new", "fifo/x", "ok/x", "config.json", ".env"),
    # written otherwise
    *("..%2fsecret", "%2e%2e/secret", "%2e%2e%2fsecret", "．．/secret", "‥/secret", "…/secret"),
    *(
        "..\u2215secret",
        "..\uff0fsecret",
        "ok\u202esecret",
        "o\u0301k",
        "\u212ak",
        "ok\u200b",
        "\ufeffok",
        "ﬀ",
        "ſecret",
    ),
    # where a text ends too early, or not at all
    *("ok\0", "ok\0.md", "../secret\0ok", "ok\n", "\nok", "ok\r", "ok ", " ok", "ok.", "ok..", "ok/", "/ok", "a//b"),
    *("x" * 300, "x/" * 600 + "x", "a/" * 3000, "ok\t", "\x1b[2J", "-rf", "--", "-", "*", "?", "[a-z]", "{a,b}"),
    # what other systems keep for themselves
    *("CON", "NUL", "aux", "COM1.x", "web/PRN", "ok::$DATA", "ok:stream", "desktop.ini", ".git/config", ".git/hooks/x"),
    # of a layer, and as of a revision
    *("user:../secret", "user:/etc/passwd", "user:", ":ok", "user:user:ok", "user:web/../../secret", "nobody:ok"),
    *("../secret:ok", "ok@", "@v1", "ok@--upload-pack=id", "ok@v1:../secret", "user:link@HEAD", "ok@../../secret"),
]


def stage(folder: Path) -> Path:
    """A layer that a stranger has filled, and what lies around it; the layer's root."""
    root = folder / "home" / ".prompts"
    for inner in ("web", "folder.md", ".hidden", ".git/hooks"):
        (root / inner).mkdir(parents=True)
    for place in ("ok.md", "web/ok.md", "_part.md"):
        (root / place).write_text("fine")
    for place in ("secret.md", "home/secret.md", "home/config.json", "home/new.txt"):
        (folder / place).write_text(CANARY)
    for place in (".hidden/x.md", "config.json", ".env", ".git/config", ".git/hooks/x.md"):
        (root / place).write_text(CANARY)
    for name, target in LINKS.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "fifo.md")
    with suppress(OSError, PermissionError):
        os.mknod(root / "socket.md", 0o140644)
    return root


LINKS: Mapping[str, str] = {
    "link.md": "../secret.md",
    "absolute.md": "/etc/passwd",
    "device.md": "/dev/zero",
    "loop.md": "loop.md",
    "dangling.md": "../created.md",
    "hidden.md": ".hidden/x.md",
    "config.md": "config.json",
    "out": "..",
    "deep": "../..",
    "web/up": "../..",
}

OPERATIONS: Mapping[str, Callable[[Library, str], object]] = {
    "run": lambda library, name: rendered(*library.get(name)),
    "show": lambda library, name: library.get(name)[0].text,
    "create": lambda library, name: library.create(library.refuse(name), b"new\n"),
    "edit": lambda library, name: library.save(place := library.place(name), b"new\n", place.data()),
    "delete": lambda library, name: library.delete(library.place(name)),
    "rename": lambda library, name: library.rename(library.place(name), "fresh"),
    "rename to": lambda library, name: library.rename(library.place("ok"), name),
    "copy": lambda library, name: library.copy(library.place(name), library.refuse("fresh")).text,
    "copy to": lambda library, name: library.copy(library.place("ok"), library.refuse(name)),
    "include": lambda library, name: library.layers[0].read(f"{name}.md"),
    "which": lambda library, name: [place.path for place in library.places(name)],
}


def rendered(prompt: Prompt, layer: Layer) -> str:
    return "".join(message.text for message in Template(prompt, layer.read).render({}, {}))


WATCHED = {
    "open",
    "os.listdir",
    "os.scandir",
    "os.remove",
    "os.rename",
    "os.link",
    "os.symlink",
    "os.mkdir",
    "os.rmdir",
}
WATCHED |= {"os.truncate", "os.chmod", "os.chown", "os.utime", "subprocess.Popen", "os.system", "os.exec"}
ENTERING = ("open", "os.listdir", "os.scandir")
"""The events that follow a link."""
heard: list[tuple[str, str]] | None = None
"""What is done with files at the moment; None while nobody listens."""


def listen(event: str, facts: tuple[object, ...]) -> None:
    if heard is not None and event in WATCHED:
        heard.extend((event, os.fsdecode(fact)) for fact in facts[:2] if isinstance(fact, str | bytes | Path))


sys.addaudithook(listen)


@contextmanager
def watching() -> Iterator[list[tuple[str, str]]]:
    global heard
    found: list[tuple[str, str]] = []
    heard = found
    try:
        yield found
    finally:
        heard = None


def leaks(folder: Path, name: str, operation: str, layer: type[Layer] = Layer) -> list[str]:
    """What one operation with one name did outside of its layer: read, write, list, or say. The stage is taken down
    after what changed it."""
    root = folder / "home" / ".prompts" if folder.exists() else stage(folder)
    before = seen(folder)
    library = Library([layer("user", root)], lambda prompt, read: Template(prompt, read).includes)
    said = ""
    with watching() as found:
        try:
            said = str(OPERATIONS[operation](library, name))
        except AixError as error:
            said = f"{error.message} {error.hint}"
    after = seen(folder)
    if after != before:
        shutil.rmtree(folder)
    read = [f"{event} {place}" for event, place in found if is_outside(event, place, folder, root)]
    changed = [str(place) for place in {*before, *after} if before.get(place) != after.get(place)]
    changed = [place for place in changed if not is_layers(Path(place), root)]
    return [*read, *changed, *(["said"] if CANARY in said or "root:" in said else [])]


def is_outside(event: str, place: str, folder: Path, root: Path) -> bool:
    """Whether a place that was opened or changed is neither the layer's nor Python's own."""
    if event in ("subprocess.Popen", "os.system", "os.exec"):
        return True
    if event == "os.mkdir" and root.is_relative_to(place):  # it is there already
        return False
    parent, last = os.path.split(place)
    real = os.path.realpath(place) if event in ENTERING else f"{os.path.realpath(parent)}{os.sep}{last}"
    ours = real.startswith(str(folder)) or place.startswith(("/etc", "/proc", "/dev", str(folder)))
    return ours and not is_layers(Path(real), root)


def is_layers(place: Path, root: Path) -> bool:
    """Whether a place is one for prompts, and for what is written beside them until it is whole."""
    if not place.is_relative_to(root):
        return False
    inner = [part for part in place.relative_to(root).parts if not part.startswith(".aix-")]
    return not any(part.startswith(".") for part in inner) and inner != ["config.json"]


def seen(folder: Path) -> dict[Path, tuple[int, ...]]:
    return {place: facts(place) for place in folder.rglob("*")}


def facts(place: Path) -> tuple[int, ...]:
    status = place.lstat()
    return status.st_mode, status.st_ino, status.st_size, status.st_mtime_ns


def test_no_name_leads_out_of_its_layer(tmp_path: Path) -> None:
    tried = [(name, operation) for name in NAMES for operation in OPERATIONS]
    leaked = {(name, operation): leaks(tmp_path / "stage", name, operation) for name, operation in tried}
    found = {case: out for case, out in leaked.items() if out}
    print(f"{len(NAMES)} names x {len(OPERATIONS)} operations = {len(tried)}, {len(found)} leaks")
    assert len(NAMES) == len({*NAMES}) >= 80
    assert found == {}


PIECES = [
    "..",
    ".",
    "/",
    "//",
    "\\",
    "ok",
    "web",
    "link",
    "out",
    "deep",
    "secret",
    "fifo",
    "~",
    "\0",
    "\n",
    "%2e",
    "．",
]
PIECES += ["user:", "nobody:", ":", "@", "v1", "CON", "\u202e", "x" * 300, ".md", ".hidden", ".git", "config.json", "é"]
GENERATED = st.one_of(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), st.text(max_size=40))


@settings(max_examples=full(150, 20_000))
@given(name=GENERATED, operation=st.sampled_from([*OPERATIONS]))
def test_no_generated_name_does_either(name: str, operation: str) -> None:
    with TemporaryDirectory() as folder:
        assert leaks(Path(folder).resolve() / "stage", name, operation) == []


# Resolvers that are broken on purpose: the same test must catch each


class AnyName(Layer):
    """Takes every name for one."""

    __slots__ = ()

    def has(self, name: str) -> bool:
        return os.path.isfile(self.path(name))

    def data(self, path: Path, shown: str = "") -> bytes:
        return path.read_bytes()


class Trusting(AnyName):
    """Takes every name, and does not look where it leads."""

    __slots__ = ()

    def holds(self, path: Path) -> bool:
        return True

    def holds_name(self, path: Path) -> bool:
        return True


class FollowsLinks(Layer):
    """Does not look where a link leads."""

    __slots__ = ()

    def holds(self, path: Path) -> bool:
        return True

    def holds_name(self, path: Path) -> bool:
        return True


@pytest.mark.parametrize(
    ("broken", "name", "operation"),
    [
        (AnyName, "../secret", "run"),
        (AnyName, "web/../../secret", "show"),
        (AnyName, "../../secret", "edit"),
        (Trusting, "../secret", "delete"),
        (Trusting, "../secret", "rename"),
        (AnyName, "../../secret", "copy"),
        (FollowsLinks, "link", "run"),
        (FollowsLinks, "absolute", "show"),
        (FollowsLinks, "out/secret", "edit"),
        (FollowsLinks, "deep/secret", "delete"),
        (FollowsLinks, "web/up/secret", "rename"),
        (FollowsLinks, "out/new", "create"),
        (FollowsLinks, "deep/new", "rename to"),
        (FollowsLinks, "web/up/new", "copy to"),
        (FollowsLinks, "link", "include"),
    ],
)
def test_a_broken_resolver_is_caught(broken: type[Layer], name: str, operation: str, tmp_path: Path) -> None:
    assert leaks(tmp_path / "stage", name, operation, broken)
