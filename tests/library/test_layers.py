"""Names and layers: which prompt a name means, what can be created, and what nobody can reach through a layer."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import AIX, Aix

from aix.config.reading import MissingFileError
from aix.errors import NotFoundError, TemplateError, UsageError
from aix.library.layer import MAX_FILE, Layer
from aix.library.library import Library, is_file_name, open_file
from aix.library.prompt import Prompt
from aix.library.templates.template import Template


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "layer"
    folder.mkdir()
    return folder


@pytest.fixture
def layer(root: Path) -> Layer:
    return Layer("user", root)


def write(root: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = root / f"{name.replace('__', '/')}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def create(library: Library, name: str, text: str) -> Prompt:
    return library.create(library.refuse(name), text.encode("utf-8", "surrogateescape"))


def layers(tmp_path: Path, *names: str) -> Library:
    return Library(
        [Layer(name, tmp_path / name) for name in names], lambda prompt, read: Template(prompt, read).includes
    )


# Which prompt a name means


def test_the_first_layer_wins_and_the_others_are_hidden(tmp_path: Path) -> None:
    write(tmp_path / "user", a="user a")
    write(tmp_path / "project", a="project a", b="project b")
    write(tmp_path / "builtin", a="builtin a", b="builtin b", c="builtin c")
    library = layers(tmp_path, "user", "project", "builtin")
    assert [library.get(name)[0].body for name in "abc"] == ["user a", "project b", "builtin c"]
    assert [(name, layer.name) for name, layer in library.names()] == [
        ("a", "user"),
        ("b", "project"),
        ("c", "builtin"),
    ]


def test_the_layers_of_the_command(aix: Aix, home: Path, library: Path, tmp_path: Path) -> None:
    project = tmp_path / "work"
    (project / ".git").mkdir(parents=True)
    (project / "deep").mkdir()
    write(library, a="user a")
    write(project / ".prompts", a="project a", b="project b", hello="project hello")
    done = aix("list", cwd=project / "deep")
    listed = [line.split("\t")[:2] for line in done.stdout.splitlines()]
    own = [row for row in listed if row[1] != "builtin"]
    assert own == [["a", "user"], ["b", "project"], ["hello", "project"]]
    assert ["hello", "builtin"] not in listed
    assert aix("run", "b", cwd=project / "deep").stdout == "project b"
    assert aix("run", "b").status == 5


def test_without_a_git_root_only_the_current_directory_is_a_project(aix: Aix, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    (folder / "deep").mkdir(parents=True)
    write(folder / ".prompts", here="here")
    assert aix("run", "here", cwd=folder).stdout == "here"
    assert aix("run", "here", cwd=folder / "deep").status == 5


@pytest.mark.parametrize("git", [True, False])
def test_the_home_directorys_prompts_are_never_a_projects(aix: Aix, home: Path, git: bool) -> None:
    write(home / ".prompts", mine="mine")
    if git:
        (home / ".git").mkdir()
    (home / "deep").mkdir()
    done = aix("run", "mine", cwd=home if not git else home / "deep", env={"AIX_HOME": str(home / "other")})
    assert done.status == 5


@pytest.mark.parametrize("target", ["..", "../.."])
def test_a_projects_folder_that_leads_out_of_the_project_is_none(aix: Aix, tmp_path: Path, target: str) -> None:
    clone = tmp_path / "work" / "clone"
    (clone / ".git").mkdir(parents=True)
    (clone / ".prompts").symlink_to(target)
    write(tmp_path, work__diary="SECRET", work__clone__evil='{% include "diary.md" %}')
    assert "SECRET" not in aix("run", "clone/evil", cwd=clone).stdout
    assert "diary" not in aix("list", "--json", cwd=clone).stdout


@pytest.mark.parametrize("name", ["web/review", "web\\review"])
def test_a_name_has_either_slash(name: str, layer: Layer, root: Path) -> None:
    write(root, web__review="found")
    prompt, found = Library([layer]).get(name)
    assert (prompt.name, prompt.body, found) == ("web/review", "found", layer)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../layer/a",
        "/a",
        "a/",
        "a//a",
        ".hidden",
        "web/.hidden",
        "a\0",
        "a\n",
        "ä",
        "x" * 5000,
        "README",
    ],
)
def test_what_is_no_name_finds_nothing(name: str, layer: Layer, root: Path) -> None:
    write(root, a="a", README="about", **{".hidden": "h", "web__.hidden": "h", "ä": "a"})
    with pytest.raises(NotFoundError) as caught:
        Library([layer]).get(name)
    assert caught.value.message == f"there is no prompt '{name}'"
    assert caught.value.reason == "prompt"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("reveiw", "did you mean review or web/review?"),
        ("web/reveiw", "did you mean web/review or review?"),
        ("web\\reveiw", "did you mean web/review or review?"),
        ("translat", "did you mean translate?"),
        ("qqq", "aix list shows all prompts"),
    ],
)
def test_a_name_that_is_not_there_comes_with_near_ones(name: str, hint: str, layer: Layer, root: Path) -> None:
    write(root, review="", web__review="", translate="")
    with pytest.raises(NotFoundError) as caught:
        Library([layer]).get(name)
    assert caught.value.hint == hint


def test_partials_and_what_is_no_prompt_are_not_listed(layer: Layer, root: Path) -> None:
    hidden = [
        "_style",
        "README",
        "Readme",
        "web__LICENSE",
        ".x",
        ".git__x",
        "_parts__x",
        "web___part",
        "AGENTS",
        "x.md",
    ]
    write(root, a="", web__b="", **{"a.b-c_D": ""}, **dict.fromkeys(hidden, ""))
    (root / "notes.txt").touch()
    (root / "folder.md").mkdir()
    assert sorted(layer.names()) == ["a", "a.b-c_D", "web/b"]


def test_a_layer_that_is_not_there_is_empty(tmp_path: Path) -> None:
    library = layers(tmp_path, "absent")
    assert (list(library.names()), library.find("a")) == ([], None)


# What can be created


def test_a_prompt_is_created_in_the_first_layer(tmp_path: Path) -> None:
    write(tmp_path / "builtin", greet="builtin")
    library = layers(tmp_path, "user", "builtin")
    prompt = create(library, "web\\greet", "Hi {{ name }}\r\n")
    assert (prompt.name, prompt.path, prompt.body) == ("web/greet", tmp_path / "user/web/greet.md", "Hi {{ name }}\n")
    assert (tmp_path / "user/web/greet.md").read_bytes() == b"Hi {{ name }}\r\n"
    create(library, "greet", "mine")
    assert library.get("greet")[0].body == "mine"


RESERVED = [
    *("README", "LICENSE", "CHANGELOG", "CONTRIBUTING", "CODE_OF_CONDUCT", "SECURITY", "AGENTS", "CLAUDE", "GEMINI"),
]


@pytest.mark.parametrize(
    "change", [str.upper, str.lower, str.title, lambda name: f"web/{name}", lambda name: name + ".md"]
)
@pytest.mark.parametrize("name", RESERVED)
def test_a_reserved_name_is_refused_in_any_case(name: str, change: Callable[[str], str], layer: Layer) -> None:
    with pytest.raises(UsageError) as caught:
        create(Library([layer]), change(name), "text")
    assert caught.value.message.endswith("cannot be a prompt: a file of that name means something else in a repository")
    assert list(layer.root.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".hidden",
        "web/.hidden",
        "../x",
        "/x",
        "x/",
        "a//b",
        "a b",
        "ä",
        "a\nb",
        "a\0b",
        "-x",
        "a@v1",
        "a@",
        ":a",
        "~x",
    ],
)
def test_a_name_that_cannot_be_one_is_refused(name: str, layer: Layer) -> None:
    with pytest.raises(UsageError) as caught:
        create(Library([layer]), name, "text")
    assert caught.value.message == f"'{name}' cannot be a prompt's name"
    assert list(layer.root.iterdir()) == []


def test_a_file_name_is_not_taken_for_a_name(layer: Layer) -> None:
    with pytest.raises(UsageError) as caught:
        create(Library([layer]), "web/x.MD", "text")
    assert (caught.value.message, caught.value.hint) == (
        "'web/x.MD' is a file's name",
        "the prompt's is without .md: web/x",
    )


def identity(path: Path) -> tuple[int, ...]:
    """What would differ if another file stood there, or other bytes; when it was last read may differ."""
    status = os.lstat(path)
    return status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_text("old"),
        lambda path: path.symlink_to("/nowhere/at/all"),
        lambda path: path.symlink_to(path),
        lambda path: path.mkdir(),
        lambda path: os.mkfifo(path),
    ],
    ids=["file", "dangling link", "loop", "folder", "FIFO"],
)
def test_what_is_there_is_never_overwritten(make: Callable[[Path], None], layer: Layer, root: Path) -> None:
    make(root / "x.md")
    before = identity(root / "x.md")
    with pytest.raises(UsageError):
        create(Library([layer]), "x", "new")
    assert identity(root / "x.md") == before
    assert [path.name for path in root.iterdir()] == ["x.md"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("---\nmodel: [a]\n---\n", TemplateError),
        ("---\nmodel: a\n", TemplateError),
        ("not \udcff UTF-8", TemplateError),
        ("x" * (MAX_FILE + 1), UsageError),
    ],
    ids=["front matter", "no end", "not UTF-8", "large"],
)
def test_what_could_not_be_read_again_is_not_written(text: str, error: type[Exception], layer: Layer) -> None:
    with pytest.raises(error):
        create(Library([layer]), "web/x", text)
    assert list(layer.root.iterdir()) == []


def test_nothing_is_created_through_a_link_out_of_the_layer(layer: Layer, root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (root / "web").symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError, match="leads out of the prompts"):
        create(Library([layer]), "web/x", "text")
    assert list((tmp_path / "outside").iterdir()) == []


def test_what_a_built_in_prompt_includes_is_copied_up_with_it(tmp_path: Path) -> None:
    write(tmp_path / "builtin", web__x='{% include "./_a.md" %}', web___a='{% include "_b.md" %}', _b="b")
    library = layers(tmp_path, "user", "builtin")
    source, to = library.place("web/x"), library.refuse("own/x")
    data = b'edited: {% include "web/_a.md" %}'
    assert library.copy(source, to, data).text == data.decode()
    assert to.data() == data
    assert sorted(library.layers[0].names()) == ["own/x"]
    assert [library.layers[0].read(name) for name in ("web/_a.md", "_b.md")] == ['{% include "_b.md" %}', "b"]


def test_a_text_is_not_saved_over_one_that_was_not_read(tmp_path: Path) -> None:
    write(tmp_path / "user", x="theirs")
    library = layers(tmp_path, "user")
    with pytest.raises(UsageError, match="was changed by somebody else meanwhile"):
        library.save(library.place("x"), b"mine", b"what was read")
    assert library.place("x").data() == b"theirs"
    assert library.save(library.place("x"), b"mine", b"theirs").text == "mine"


def test_of_processes_that_create_one_name_exactly_one_wins(library: Path) -> None:
    racers = [
        subprocess.Popen(
            [AIX, "create", "web/race", f"text of {number}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    said = [racer.communicate(timeout=60)[1] for racer in racers]
    statuses = [racer.returncode for racer in racers]
    assert sorted(statuses) == [0, 2, 2, 2]
    winner = statuses.index(0)
    assert (library / "web" / "race.md").read_text() == f"text of {winner}\n"
    assert all("exists already" in text for number, text in enumerate(said) if number != winner)
    assert [path.name for path in (library / "web").iterdir()] == ["race.md"]


# What nobody can reach through a layer

NAMES = [
    *("config.json", ".env", ".env.md", "../secret.md", "../layer/../secret.md", "a/../../secret.md", "./_ok.md"),
    *("/etc/passwd", "/etc/passwd.md", "..", ".", "", ".md", "/", "~/x.md", "~root/x.md", "_ok", "_ok.MD", "_ok.md/"),
    *("_ok.md.", "_ok.md ", " _ok.md", "_ok.md\n", "_ok.md\0", "_ok.md\0.md", "_ok.txt", "id_rsa", "a//_ok.md"),
    *("..\\secret.md", "web\\_ok.md", "C:\\x.md", "C:/x.md", "\\\\host\\x.md", "..%2fsecret.md", "%2e%2e/secret.md"),
    *("．．/secret.md", "‥/secret.md", "_ok．md", "sub/.git/x.md", ".git/config.md", "file:///etc/x.md", "…/x.md"),
]


@pytest.mark.parametrize("name", NAMES)
def test_an_include_cannot_be_named_so(name: str, layer: Layer, root: Path, tmp_path: Path) -> None:
    write(root, _ok="fine", web___ok="fine", **{".env": "SECRET", "sub__.git__x": "SECRET"})
    (root / "config.json").write_text("SECRET")
    (tmp_path / "secret.md").write_text("SECRET")
    with pytest.raises(TemplateError) as caught:
        layer.read(name)
    assert not isinstance(caught.value, MissingFileError)
    assert "SECRET" not in caught.value.message
    assert "\n" not in caught.value.message
    assert layer.read("_ok.md") == layer.read("web/_ok.md") == "fine"


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("_x.md", "../secret.md"),
        ("_x.md", "/etc/hostname"),
        ("_x.md", "config.json"),
        ("_x.md", ".env"),
        ("_x.md", ".hidden/x.md"),
        ("_x.md", "/proc/self/environ"),
        ("sub", ".."),
        ("sub", "/etc"),
        ("sub", ".hidden"),
    ],
)
def test_a_link_out_of_the_layer_leads_nowhere(
    link: str, target: str, layer: Layer, root: Path, tmp_path: Path
) -> None:
    write(tmp_path, secret="SECRET", **{"layer__.hidden__x": "SECRET", "layer__.hidden__secret": "SECRET"})
    (root / "config.json").write_text("SECRET")
    (root / ".env").write_text("SECRET")
    (root / link).symlink_to(target)
    named = link if link.endswith(".md") else f"{link}/secret.md"
    refused = f"{named} leads out of the prompts in {root}"
    with pytest.raises(TemplateError) as caught:
        layer.read(named)
    assert caught.value.message == refused
    with pytest.raises(TemplateError, match="leads out"):
        layer.prompt(named.removesuffix(".md"))


def test_links_inside_the_layer_and_at_its_root_are_followed(layer: Layer, root: Path, tmp_path: Path) -> None:
    write(root, web__real="real")
    (root / "link.md").symlink_to("web/real.md")
    (root / "folder").symlink_to("web")
    (tmp_path / "library").symlink_to(root)
    for found in (layer, Layer("user", tmp_path / "library")):
        assert found.read("link.md") == found.read("folder/real.md") == "real"
        assert found.prompt("link").body == "real"
        assert sorted(found.names()) == ["link", "web/real"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: os.mkfifo(path), "cannot read _x.md: not a regular file"),
        (lambda path: path.mkdir(), "cannot read _x.md: is a directory"),
        (lambda path: path.symlink_to("/dev/zero"), "_x.md leads out of the prompts in {root}"),
        (lambda path: path.symlink_to("_x.md"), "_x.md leads out of the prompts in {root}"),
        (lambda path: path.write_bytes(b"a\n\xff"), "_x.md:2: not UTF-8 text"),
        (lambda path: path.write_bytes(b"x" * (MAX_FILE + 1)), "cannot read _x.md: more than 10485760 bytes"),
        (lambda path: path.symlink_to("absent.md"), "there is no file _x.md"),
        (lambda path: None, "there is no file _x.md"),
    ],
    ids=["FIFO", "folder", "device", "loop", "not UTF-8", "huge", "dangling", "absent"],
)
def test_what_is_no_readable_file_is_said(make: Callable[[Path], None], said: str, layer: Layer, root: Path) -> None:
    make(root / "_x.md")
    with pytest.raises(TemplateError) as caught:
        layer.read("_x.md")
    assert caught.value.message == said.format(root=root)
    assert isinstance(caught.value, MissingFileError) == (said == "there is no file _x.md")


def test_a_file_of_just_the_greatest_size_is_read(layer: Layer, root: Path) -> None:
    (root / "_x.md").write_bytes(b"x" * MAX_FILE)
    assert len(layer.read("_x.md")) == MAX_FILE


@pytest.mark.parametrize("kind", ["FIFO", "folder"])
def test_a_name_that_is_no_file_is_left_to_the_next_layer(kind: str, tmp_path: Path) -> None:
    write(tmp_path / "builtin", x="builtin")
    (tmp_path / "user").mkdir()
    path = tmp_path / "user" / "x.md"
    if kind == "FIFO":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert layers(tmp_path, "user", "builtin").get("x")[0].body == "builtin"


def test_an_include_stays_in_its_own_layer(tmp_path: Path) -> None:
    write(tmp_path / "user", _style="user style")
    write(tmp_path / "project", a='{% include "_style.md" %}')
    prompt, layer = layers(tmp_path, "user", "project").get("a")
    with pytest.raises(TemplateError, match=r"a\.md:1: there is no file _style\.md"):
        Template(prompt, layer.read)


# Files anywhere


@pytest.mark.parametrize(
    ("name", "is_file"),
    [("./x", True), ("../x", True), ("/x", True), ("~/x", True), ("x.md", True), ("x", False), ("web/x", False)],
)
def test_a_file_begins_or_ends_like_one(name: str, is_file: bool) -> None:
    assert is_file_name(name) is is_file


def test_a_files_own_folder_is_its_layer(root: Path) -> None:
    write(root, draft="---\nmodel: m\n---\n{% include './_x.md' %}", _x="part")
    prompt, layer = open_file(root / "draft.md")
    assert (prompt.name, prompt.model, prompt.path, layer) == ("draft", "m", root / "draft.md", Layer("file", root))
    assert Template(prompt, layer.read).render({}, {})[0].text == "part"


def test_a_file_of_any_ending_can_be_run(root: Path) -> None:
    (root / "draft.txt").write_text('{% include "draft.md" %}!')
    (root / "draft.md").write_text("of the other")
    prompt, layer = open_file(root / "draft.txt")
    assert Template(prompt, layer.read).render({}, {})[0].text == "of the other!"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("absent.md", "there is no file {}"),
        ("x" * 5000, "there is no file {}"),
        ("fifo", "{} is a named pipe, not a prompt"),
        ("folder", "{} is a directory, not a prompt"),
    ],
    ids=["absent", "long", "FIFO", "folder"],
)
def test_a_file_that_is_not_there_is_exit_5(name: str, said: str, root: Path) -> None:
    (root / "folder").mkdir()
    os.mkfifo(root / "fifo")
    with pytest.raises(NotFoundError) as caught:
        open_file(root / name)
    assert caught.value.message == said.format(root / name)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("id_rsa", "is a link to what is no prompt"),
        ("config.json", "is a link to what is no prompt"),
        ("real.md", None),
    ],
)
def test_a_file_that_is_a_link_leads_to_a_prompt_or_nowhere(target: str, said: str | None, root: Path) -> None:
    (root / target).write_text("text")
    (root / "x.md").symlink_to(root / target)
    if said is None:
        assert open_file(root / "x.md")[0].body == "text"
        return
    with pytest.raises(TemplateError, match=said):
        open_file(root / "x.md")


def test_a_broken_file_is_said_by_its_path(root: Path) -> None:
    (root / "x.md").write_bytes(b"a\n\xff")
    with pytest.raises(TemplateError) as caught:
        open_file(root / "x.md")
    assert caught.value.message == f"{root}/x.md:2: not UTF-8 text"
