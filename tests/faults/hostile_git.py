"""Repositories that would run a program of a stranger's as soon as git looks at them, and what git does with each."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HOOKS = (
    *("applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "prepare-commit-msg", "commit-msg"),
    *("post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "pre-receive", "update", "post-receive"),
    *("post-update", "push-to-checkout", "pre-auto-gc", "post-rewrite", "post-index-change", "fsmonitor-watchman"),
    *("reference-transaction", "proc-receive", "p4-changelist", "sendemail-validate"),
)
WHO = ("-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgSign=false", "-c", "init.defaultBranch=main")
FIRST, SECOND = "First: {{ name }}\n", "Second: {{ name }}\n"
SIGNED = """tree {tree}
author A <a@b.c> 1700000000 +0000
committer A <a@b.c> 1700000000 +0000
gpgsig -----BEGIN {kind}-----
{empty}
 iQEzBAABCAAdFiEE
 -----END {kind}-----

signed
"""


@dataclass(frozen=True, slots=True)
class Trap:
    """A repository with something in it that starts `evil`, which leaves `mark` behind."""

    root: Path
    evil: Path
    mark: Path

    @property
    def git(self) -> Path:
        return self.root / ".git"

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def config(self, text: str, name: str = ".git/config") -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(text.replace("EVIL", str(self.evil)).replace("ROOT", str(self.root)))

    def attribute(self, text: str, name: str = ".git/info/attributes") -> None:
        self.write(name, f"*.md {text}\n")

    def hooks(self, folder: str, *names: str) -> None:
        for name in names or HOOKS:
            path = self.root / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.symlink_to(self.evil)

    def touch(self) -> None:
        """Change a file, so that git has to look at it."""
        (self.root / "greet.md").write_text("Third: {{ name }}\n")

    def lose(self, *revisions: str) -> None:
        """Take away the files of commits, so that they have to be fetched."""
        for revision in revisions:
            for name in ("greet.md", ".prompts/hello.md"):
                blob = git(self.root, "rev-parse", f"{revision}:{name}").stdout.decode().strip()
                (self.git / "objects" / blob[:2] / blob[2:]).unlink(missing_ok=True)

    def sign(self, kind: str) -> None:
        """Make the last commit a signed one."""
        tree = git(self.root, "rev-parse", "HEAD^{tree}").stdout.decode().strip()
        text = SIGNED.format(tree=tree, kind=kind, empty=" ").encode()
        commit = git(self.root, "hash-object", "-t", "commit", "-w", "--stdin", data=text).stdout.decode().strip()
        (self.git / "refs/heads/main").write_text(f"{commit}\n")


Plant = Callable[[Trap], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """How a repository is made hostile, and the command of plain git that falls for it: none where git itself does not,
    or only on a terminal."""

    plant: Plant
    control: tuple[str, ...] = ()
    data: bytes = b""
    env: Mapping[str, str] = field(default_factory=dict)


def git(
    root: Path, *arguments: str, data: bytes = b"", env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """Plain git, as anybody runs it."""
    return subprocess.run(
        ["git", *arguments],
        cwd=root,
        env={**os.environ, "GIT_TERMINAL_PROMPT": "0", **(env or {})},
        input=data,
        capture_output=True,
        timeout=20,
        check=False,
    )


def repository(root: Path) -> Path:
    """A sound one: a prompt in it and one in its `.prompts`, two commits, the first of them tagged v1."""
    root.mkdir(parents=True)
    git(root, *WHO, "init", "-q")
    for text, tag in ((FIRST, "v1"), (SECOND, "v2")):
        for name in ("greet.md", ".prompts/hello.md"):
            path = root / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        git(root, "add", ".")
        git(root, *WHO, "commit", "-q", "-m", tag)
        git(root, "tag", tag)
    git(root, "branch", "other", "v1")
    return root


def configured(text: str, attribute: str = "", *, tracked: bool = False, touched: bool = False) -> Plant:
    """A repository with lines in its config, and its files marked with an attribute."""

    def plant(trap: Trap) -> None:
        trap.config(text)
        if attribute:
            trap.attribute(attribute, ".gitattributes" if tracked else ".git/info/attributes")
        if touched:
            trap.touch()

    return plant


def promised(text: str) -> Plant:
    """A repository that lacks files, and says where they are to be had."""

    def plant(trap: Trap) -> None:
        trap.lose("v1", "v2")
        trap.config("[core]\nrepositoryFormatVersion = 1\n[extensions]\npartialClone = origin\n")
        trap.config('[remote "origin"]\npromisor = true\nfetch = +refs/heads/*:refs/remotes/origin/*\n' + text)

    return plant


def signed(kind: str, text: str) -> Plant:
    def plant(trap: Trap) -> None:
        trap.config(f"[log]\nshowSignature = true\n{text}")
        trap.sign(kind)

    return plant


def hooked(*names: str) -> Plant:
    return lambda trap: trap.hooks(".git/hooks", *names)


def attributes_elsewhere(trap: Trap) -> None:
    trap.config("[core]\nattributesFile = ROOT/all\n" + FILTER.format("smudge"))
    trap.attribute("filter=f", "all")


def hooks_elsewhere(trap: Trap) -> None:
    trap.hooks("tools")
    trap.config("[core]\nhooksPath = ROOT/tools\n")


def included(condition: str) -> Plant:
    def plant(trap: Trap) -> None:
        trap.config("[core]\nfsmonitor = EVIL\n", "more.ini")
        trap.config(f"[{condition}]\npath = ROOT/more.ini\n")

    return plant


def of_worktree(trap: Trap) -> None:
    trap.config("[core]\nrepositoryFormatVersion = 1\n[extensions]\nworktreeConfig = true\n")
    trap.config("[core]\nfsmonitor = EVIL\n", ".git/config.worktree")


def _moved(trap: Trap) -> Path:
    """The repository's own files, in another folder than they were."""
    there = trap.root.parent / f"{trap.root.name}-elsewhere"
    trap.config("[core]\nfsmonitor = EVIL\n")
    trap.git.rename(there)
    return there


def git_file(trap: Trap) -> None:
    there = _moved(trap)
    trap.git.write_text(f"gitdir: {there}\n")


def git_file_relative(trap: Trap) -> None:
    there = _moved(trap)
    trap.git.write_text(f"gitdir: ../{there.name}\n")


def git_link(trap: Trap) -> None:
    trap.git.symlink_to(_moved(trap))


def common_directory(trap: Trap) -> None:
    there = _moved(trap)
    trap.git.mkdir()
    shutil.copy(there / "HEAD", trap.git)
    shutil.copy(there / "index", trap.git)
    (trap.git / "commondir").write_text(f"{there}\n")


def bare_inside(trap: Trap) -> None:
    """The working tree is itself the inside of another repository."""
    _moved(trap)
    there = trap.root.parent / f"{trap.root.name}-elsewhere"
    for path in there.iterdir():
        path.rename(trap.root / path.name)
    trap.config(f"[core]\nbare = false\nworktree = {trap.root}\n", "config")


def alternates(trap: Trap) -> None:
    other = trap.root.parent / f"{trap.root.name}-other"
    shutil.copytree(trap.root, other)
    git(other, *WHO, "commit", "-q", "--allow-empty", "-m", "more")
    trap.write(".git/objects/info/alternates", f"{other}/.git/objects\n")
    trap.config("[core]\nalternateRefsCommand = EVIL\n")
    trap.config(f'[remote "origin"]\nurl = {other}\nfetch = +refs/heads/*:refs/remotes/origin/*\n')


def submodule(url: str, more: str = "") -> Plant:
    def plant(trap: Trap) -> None:
        trap.config(f'[submodule "x"]\npath = x\nurl = {url}\n{more}', ".gitmodules")
        trap.config(f'[submodule "x"]\nactive = true\nurl = {url}\n{more}')
        commit = git(trap.root, "rev-parse", "HEAD").stdout.decode().strip()
        git(trap.root, "update-index", "--add", "--cacheinfo", f"160000,{commit},x")

    return plant


def replaced(trap: Trap) -> None:
    blobs = [git(trap.root, "rev-parse", f"{tag}:greet.md").stdout.decode().strip() for tag in ("v1", "v2")]
    trap.write(f".git/refs/replace/{blobs[0]}", f"{blobs[1]}\n")


def grafted(trap: Trap) -> None:
    commit = git(trap.root, "rev-parse", "HEAD").stdout.decode().strip()
    trap.write(".git/info/grafts", f"{commit}\n")
    trap.config("[core]\nfsmonitor = EVIL\n")


def many_references(trap: Trap) -> None:
    commit = git(trap.root, "rev-parse", "HEAD").stdout.decode().strip()
    lines = "".join(f"{commit} refs/heads/{number:06}\n" for number in range(20_000))
    trap.write(".git/packed-refs", f"# pack-refs with: peeled fully-peeled sorted \n{lines}")
    trap.config("[core]\nfsmonitor = EVIL\n")


def pipe(name: str) -> Plant:
    """A pipe that nobody writes to, in the place of a file: whoever opens it waits."""

    def plant(trap: Trap) -> None:
        path = trap.root / name
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    return plant


def linked(name: str, target: str) -> Plant:
    def plant(trap: Trap) -> None:
        path = trap.root / name
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    return plant


def head_outside(trap: Trap) -> None:
    trap.write(".git/HEAD", "ref: refs/heads/../../../../../etc/passwd\n")


def nothing(_: Trap) -> None:
    """The repository is sound; what is hostile is around it."""


STATUS, READ = ("status",), ("cat-file", "-p", "v1:greet.md")
DIFF, RESTORE, FILL = ("diff", "v1", "v2"), ("checkout", "v1", "--", "."), ("credential", "fill")
COMMIT, LOG = (*WHO, "commit", "--allow-empty", "-m", "x"), ("log", "-1")
ASKED = b"protocol=https\nhost=example.invalid\n\n"
FILTER = '[filter "f"]\n{} = EVIL\nrequired = true\n'

KINDS: dict[str, Kind] = {
    "fsmonitor": Kind(configured("[core]\nfsmonitor = EVIL\n"), STATUS),
    "fsmonitor 2": Kind(configured("[core]\nfsmonitor = EVIL\nfsmonitorHookVersion = 2\n"), STATUS),
    "hooks path": Kind(hooks_elsewhere, COMMIT),
    "all hooks": Kind(hooked(), ("checkout", "-q", "v1")),
    "reference hook": Kind(hooked("reference-transaction"), ("update-ref", "refs/heads/x", "HEAD")),
    "index hook": Kind(hooked("post-index-change"), ("read-tree", "HEAD")),
    "ssh command": Kind(promised("url = ssh://example.invalid/x\n[core]\nsshCommand = EVIL\n"), READ),
    "upload pack": Kind(promised("url = /nowhere\nuploadpack = EVIL\n"), READ),
    "upload pack of a file URL": Kind(promised("url = file:///nowhere\nuploadpack = EVIL\n"), READ),
    "ext address": Kind(promised("url = ext::EVIL\n[protocol]\nallow = always\n"), READ),
    "ext allowed by name": Kind(promised('url = ext::EVIL\n[protocol "ext"]\nallow = always\n'), READ),
    "instead of": Kind(
        promised('url = https://x/y\n[url "ext::EVIL "]\ninsteadOf = https://\n[protocol "ext"]\nallow = always\n'),
        READ,
    ),
    "push instead of": Kind(
        configured(
            '[remote "origin"]\nurl = https://x/y\n[url "ext::EVIL "]\npushInsteadOf = https://\n'
            '[protocol "ext"]\nallow = always\n'
        ),
        ("push", "origin", "main"),
    ),
    "receive pack": Kind(
        configured('[remote "origin"]\nurl = /nowhere\nreceivepack = EVIL\n'), ("push", "origin", "main")
    ),
    "git proxy": Kind(promised("url = git://example.invalid/x\n[core]\ngitProxy = EVIL\n"), READ),
    "foreign helper": Kind(promised("url = x\nvcs = ext\n"), ()),
    "pager": Kind(configured("[core]\npager = EVIL\n")),
    "pager of a command": Kind(configured("[pager]\nlog = EVIL\nls-tree = EVIL\ncat-file = EVIL\nls-files = EVIL\n")),
    "editor": Kind(configured("[core]\neditor = EVIL\n"), (*WHO, "commit", "--amend")),
    "sequence editor": Kind(configured("[sequence]\neditor = EVIL\n"), (*WHO, "rebase", "-i", "v1")),
    "ask for a password": Kind(configured("[core]\naskPass = EVIL\n"), FILL, ASKED),
    "credential helper": Kind(configured("[credential]\nhelper = EVIL\n"), FILL, ASKED),
    "credential shell line": Kind(configured('[credential]\nhelper = "!EVIL #"\n'), FILL, ASKED),
    "credential of a host": Kind(configured('[credential "https://example.invalid"]\nhelper = EVIL\n'), FILL, ASKED),
    "external diff": Kind(configured("[diff]\nexternal = EVIL\n"), DIFF),
    "diff driver": Kind(configured('[diff "d"]\ncommand = EVIL\n', "diff=d"), DIFF),
    "diff driver, tracked": Kind(configured('[diff "d"]\ncommand = EVIL\n', "diff=d", tracked=True), DIFF),
    "text of a binary": Kind(configured('[diff "d"]\ntextconv = EVIL\n', "diff=d"), ("log", "-p")),
    "text of a binary, read": Kind(
        configured('[diff "d"]\ntextconv = EVIL\n', "diff=d"), ("cat-file", "--textconv", "v1:greet.md")
    ),
    "clean filter": Kind(configured(FILTER.format("clean"), "filter=f", touched=True), STATUS),
    "clean filter, tracked": Kind(configured(FILTER.format("clean"), "filter=f", tracked=True, touched=True), STATUS),
    "smudge filter": Kind(configured(FILTER.format("smudge"), "filter=f"), RESTORE),
    "smudge filter, read": Kind(
        configured(FILTER.format("smudge"), "filter=f"), ("cat-file", "--filters", "v1:greet.md")
    ),
    "process filter": Kind(configured(FILTER.format("process"), "filter=f"), RESTORE),
    "attributes elsewhere": Kind(attributes_elsewhere, RESTORE),
    "merge driver": Kind(
        configured('[merge "m"]\ndriver = EVIL %O %A %B\n', "merge=m", touched=True), ("checkout", "-m", "v1")
    ),
    "signature": Kind(signed("PGP SIGNATURE", "[gpg]\nprogram = EVIL\n"), LOG),
    "signature of x509": Kind(signed("SIGNED MESSAGE", '[gpg "x509"]\nprogram = EVIL\n'), LOG),
    "signature of ssh": Kind(
        signed("SSH SIGNATURE", '[gpg "ssh"]\nprogram = EVIL\nallowedSignersFile = /dev/null\n'), LOG
    ),
    "key of ssh": Kind(
        configured('[commit]\ngpgSign = true\n[gpg]\nformat = ssh\n[gpg "ssh"]\ndefaultKeyCommand = EVIL\n'),
        ("-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "--allow-empty", "-m", "x"),
    ),
    "alias": Kind(configured("[alias]\ngreet = !EVIL\ncat-file = !EVIL\nlog = !EVIL\n"), ("greet",)),
    "include": Kind(included("include"), STATUS),
    "include by folder": Kind(included('includeIf "gitdir:/"'), STATUS),
    "include by branch": Kind(included('includeIf "onbranch:**"'), STATUS),
    "config of the worktree": Kind(of_worktree, STATUS),
    "worktree elsewhere": Kind(configured("[core]\nworktree = /\nfsmonitor = EVIL\n"), ("status", "-uno")),
    "git file": Kind(git_file, STATUS),
    "git file, relative": Kind(git_file_relative, STATUS),
    "git link": Kind(git_link, STATUS),
    "common directory": Kind(common_directory, STATUS),
    "bare inside": Kind(bare_inside, STATUS),
    "alternates": Kind(alternates, ("fetch", "origin")),
    "submodule update": Kind(submodule("./x", "update = !EVIL\n")),
    "submodule address": Kind(submodule("ext::EVIL"), ("-c", "protocol.ext.allow=always", "submodule", "update")),
    "submodule flag": Kind(submodule("-uEVIL")),
    "large files": Kind(configured('[filter "lfs"]\nprocess = EVIL\nsmudge = EVIL\n', "filter=lfs"), RESTORE),
    "pack objects hook": Kind(configured("[uploadpack]\npackObjectsHook = EVIL\n")),
    "hook of the collector": Kind(
        configured("[gc]\nrecentObjectsHook = EVIL\nauto = 1\n[maintenance]\nauto = true\n"), ()
    ),
    "trace": Kind(configured("[trace2]\neventTarget = ROOT/trace\n")),
    "difference filter": Kind(configured("[interactive]\ndiffFilter = EVIL\n")),
    "tools": Kind(
        configured('[diff]\ntool = t\n[difftool]\nprompt = false\n[difftool "t"]\ncmd = EVIL\n'),
        ("difftool", "v1", "v2"),
    ),
    "template": Kind(configured("[init]\ntemplateDir = ROOT/tools\n")),
    "bundle address": Kind(configured("[fetch]\nbundleURI = ext::EVIL\n[transfer]\nbundleURI = true\n")),
    "replaced file": Kind(replaced),
    "grafts": Kind(grafted, STATUS),
    "many references": Kind(many_references, STATUS),
    "HEAD outside": Kind(head_outside),
    "HEAD without end": Kind(linked(".git/HEAD", "/dev/zero")),
    "config within itself": Kind(configured("[include]\npath = ROOT/.git/config\n[core]\nfsmonitor = EVIL\n")),
    "broken config": Kind(configured("[core\nfsmonitor = EVIL\n")),
    "variables: settings": Kind(
        nothing,
        STATUS,
        env={"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsmonitor", "GIT_CONFIG_VALUE_0": "EVIL"},
    ),
    "variables: parameters": Kind(nothing, STATUS, env={"GIT_CONFIG_PARAMETERS": "'core.fsmonitor=EVIL'"}),
    "variables: external diff": Kind(nothing, DIFF, env={"GIT_EXTERNAL_DIFF": "EVIL"}),
    "variables: ssh": Kind(promised("url = ssh://example.invalid/x\n"), READ, env={"GIT_SSH_COMMAND": "EVIL"}),
    "variables: ssh program": Kind(promised("url = ssh://example.invalid/x\n"), READ, env={"GIT_SSH": "EVIL"}),
    "variables: password": Kind(nothing, FILL, ASKED, env={"GIT_ASKPASS": "EVIL"}),
    "variables: password of ssh": Kind(nothing, FILL, ASKED, env={"SSH_ASKPASS": "EVIL"}),
    "HEAD is a pipe": Kind(pipe(".git/HEAD")),
    "config is a pipe": Kind(pipe(".git/config")),
    "index is a pipe": Kind(pipe(".git/index")),
    "references are a pipe": Kind(pipe(".git/packed-refs")),
    "attributes are a pipe": Kind(pipe(".gitattributes")),
    "ignored names are a pipe": Kind(pipe(".gitignore")),
}
"""By name."""
