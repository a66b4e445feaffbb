"""What a repository's own settings could start: found by reading them before git does, with nothing run."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from aix.config.reading import read_regular, refuse_special
from aix.errors import RefusedError

MAX_CONFIG = 1024 * 1024
FILES = ("config", "config.worktree")
LED_ASIDE = ("commondir", "gitdir")
"""Files that have git look for a repository's settings elsewhere."""

READ_BY_GIT = (
    *("HEAD", "config", "config.worktree", "index", "packed-refs", "commondir", "shallow"),
    *("info/attributes", "info/exclude", "objects/info/alternates"),
)
"""The files of a repository that git opens, whatever they are."""

EXECUTABLE: tuple[str, ...] = (
    *("core.fsmonitor", "core.hookspath", "core.sshcommand", "core.pager", "core.editor", "core.askpass"),
    *("core.gitproxy", "core.alternaterefscommand", "core.worktree", "core.attributesfile", "core.excludesfile"),
    *("include.path", "includeif.*", "alias.*", "pager.*", "man.*", "browser.*", "web.browser", "help.browser"),
    *("instaweb.*", "sequence.editor", "guitool.*", "difftool.*", "mergetool.*", "diff.external", "diff.*.command"),
    *("diff.*.textconv", "filter.*", "merge.*.driver", "credential.*", "gpg.*program", "gpg.*defaultkeycommand"),
    *("remote.*.uploadpack", "remote.*.receivepack", "remote.*.vcs", "remote.*.proxy", "remote.*.promisor"),
    *("uploadpack.packobjectshook", "uploadarchive.*", "receive.procreceiverefs", "protocol.*", "url.*"),
    *("http.*proxy", "http.*sslverify", "http.*cookiefile", "http.*extraheader", "ssh.*", "submodule.*.update"),
    *("sendemail.*cmd", "sendemail.*smtpserver", "imap.tunnel", "trailer.*.command", "trailer.*.cmd", "tar.*.command"),
    *("interactive.difffilter", "notes.*.command", "gitcvs.*", "fsmonitor.*", "lfs.*.path", "lfs.extension.*"),
    *("extensions.partialclone", "hook.*.command", "svn.*command", "maintenance.*.command", "safe.*"),
    *("*command", "*cmd", "*.program", "*.helper", "*.driver", "*.textconv", "*.clean", "*.smudge", "*.process"),
)
"""Keys by which a repository has git start something, read other settings, or go elsewhere; some kinds as a whole."""


class _UnreadableError(Exception):
    """What git itself could not read."""


def refuse_executable(directory: Path) -> None:
    """Raise RefusedError for a git directory (`.git`, or a bare repository) whose settings could start something, or
    are elsewhere."""
    refuse_waiting(directory)
    for name in LED_ASIDE:
        if (directory / name).exists():
            raise RefusedError(
                f"{directory / name} has git take its settings from elsewhere",
                hint="name the repository itself, whose work tree this is",
                reason="executable",
            )
    for file in (directory / name for name in FILES):
        for key in _keys_of(file):
            if any(fnmatchcase(key, pattern) for pattern in EXECUTABLE):
                raise _refused(key, file)


def refuse_waiting(root: Path) -> None:
    """Raise RefusedError for a repository in which git would read from a pipe or a device, and never end. `root` is
    where its `.git` is, or what would be in there."""
    own = [folder / name for folder in (root / ".git", root) for name in READ_BY_GIT]
    try:
        for path in (*own, root / ".git", root / ".gitignore", root / ".gitattributes"):
            refuse_special(path)
    except OSError as error:
        raise RefusedError(error.strerror or str(error), reason="repository") from None


def _keys_of(file: Path) -> list[str]:
    """The keys of a file of settings; none where there is no file. Raises RefusedError for one that cannot be read."""
    try:
        return list(keys(read_regular(file, MAX_CONFIG).decode("utf-8", "surrogateescape")))
    except FileNotFoundError:
        return []
    except (_UnreadableError, OSError) as error:
        said = getattr(error, "strerror", "") or str(error)
        raise RefusedError(
            f"{file} cannot be read: {said.lower()}", hint=f"ls -l {file}", reason="executable"
        ) from None


def _refused(key: str, file: Path) -> RefusedError:
    return RefusedError(
        f"{file} sets {key}, by which a repository can start a command or lead git elsewhere",
        hint=f"add the URL that it was cloned from; or look at it, then git config --file {file} --unset-all {key}",
        reason="executable",
    )


def keys(text: str) -> Iterator[str]:
    """Every key, in small letters, as git reads them: `section.sub.name`. Raises where git would stop."""
    yield from _Reader(text).keys()


class _Reader:
    """The letters of a file of settings, taken as git takes them: one that reads less strictly could miss a key."""

    def __init__(self, text: str) -> None:
        self._text = text.removeprefix("\ufeff").replace("\r\n", "\n")
        self._at = 0

    def keys(self) -> Iterator[str]:
        section = ""
        while letter := self._next():
            if letter in "#;":
                self._skip_line()
            elif letter == "[":
                section = self._section()
            elif letter.isascii() and letter.isalpha():
                yield f"{section}.{self._name(letter)}".lower().removeprefix(".")
            elif letter not in " \t\n\v\f\r":
                raise _UnreadableError(f"it has {letter!r} where a key should be")

    def _next(self) -> str:
        """The next letter; empty at the end."""
        self._at += 1
        return self._text[self._at - 1 : self._at]

    def _skip_line(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = end + 1 if end >= 0 else len(self._text)

    def _section(self) -> str:
        """What stands in brackets, the opening one of which is taken: `a`, `a.b` or `a "b"`."""
        name = ""
        while (letter := self._next()) != "]":
            if letter and letter in " \t\n\v\f\r":
                return f"{name}.{self._subsection(letter)}"
            if not _is_key(letter) and letter != ".":
                raise _UnreadableError("it has a section that does not end")
            name += letter
        return name

    def _subsection(self, letter: str) -> str:
        while letter and letter in " \t\v\f\r":
            letter = self._next()
        if letter != '"':
            raise _UnreadableError("it has a section whose part is not in quotes")
        name = ""
        while (letter := self._next()) != '"':
            letter = self._next() if letter == "\\" else letter
            if letter in ("", "\n"):
                raise _UnreadableError("it has a section that does not end")
            name += letter
        if self._next() != "]":
            raise _UnreadableError("it has a section that does not end")
        return name

    def _name(self, first: str) -> str:
        """The rest of a key's name; its value is passed over."""
        name, letter = first, self._next()
        while _is_key(letter):
            name, letter = name + letter, self._next()
        while letter and letter in " \t":
            letter = self._next()
        if letter == "=":
            self._skip_value()
        elif letter not in ("", "\n"):
            raise _UnreadableError(f"it has {letter!r} behind a key")
        return name

    def _skip_value(self) -> None:
        """A value goes on in the next line behind a backslash, but not in a comment."""
        quoted = False
        while (letter := self._next()) not in ("", "\n"):
            if letter == "\\":
                if self._next() not in tuple('\nntb\\"'):
                    raise _UnreadableError("it has a value with an unknown escape")
            elif letter == '"':
                quoted = not quoted
            elif letter in "#;" and not quoted:
                self._skip_line()
                return
        if quoted:
            raise _UnreadableError("it has a value that does not end")


def _is_key(letter: str) -> bool:
    return letter == "-" or (letter.isascii() and letter.isalnum())
