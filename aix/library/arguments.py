"""A value for each param of a prompt: from flags, `-p`, a param file, words, stdin, a question, or a default."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Protocol

from aix.errors import UsageError
from aix.library.prompt import FROM_FILE, MAX_LISTED, PATHS, Param, listed
from aix.messages import Image

MAX_BYTES = 64 * 1024 * 1024
IMAGES: tuple[tuple[bytes, str], ...] = (
    (rb"\x89PNG\r\n\x1a\n", "image/png"),
    (rb"\xff\xd8\xff", "image/jpeg"),
    (rb"GIF8[79]a", "image/gif"),
    (rb"RIFF....WEBP", "image/webp"),
)


class Stdin(Protocol):
    """Standard input: what it is, and its text. `piped` is a pipe or a file, `terminal` a person."""

    @property
    def kind(self) -> Literal["terminal", "piped", "other", "closed"]: ...

    def read(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Given:
    """`texts` has what each param was given by flag or `-p`, `files` the paths of `--k-file` and `-p k@path`, `many`
    the values of a param file, `words` the words after the prompt's name; `made` are values as the template gets
    them."""

    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    many: Mapping[str, Any] = field(default_factory=dict)
    words: Sequence[str] = ()
    made: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where values that were not given may come from. `ask` is None where there is nobody to ask."""

    stdin: Stdin
    cwd: Path
    ask: Callable[[Param], str] | None = None


def resolve(params: Sequence[Param], given: Given, sources: Sources) -> dict[str, Any]:
    """A value for every param that has one. Raises UsageError, naming what is missing, empty, wrong or not declared."""
    _refuse_undeclared(params, given)
    taken = _takes_stdin(given)
    values = dict(_given_values(params, given, sources))
    if not taken and (param := _stdin_param(params, values, sources.stdin)):
        values |= _from_stdin(param, sources.stdin)
    for param in params:
        if param.name not in values and param.default is not None:
            values[param.name] = param.default
    missing = [param for param in params if param.required and param.name not in values]
    if missing and sources.ask is None:
        raise _missing(missing)
    for param in missing:
        if sources.ask is not None:
            values[param.name] = _opened(param, param.read(sources.ask(param)), sources.cwd)
    for param in params:
        _refuse_empty(param, values.get(param.name))
    return values


def read_text(path: str, cwd: Path, what: str) -> str:
    """The text of a file that the user named. Raises UsageError."""
    return text_of(_read(path, cwd, what), f"{what}: {path}")


def _missing(params: Sequence[Param]) -> UsageError:
    names = listed([f"'{param.name}'" for param in params])
    said = f"required param {names} is missing" if len(params) == 1 else f"required params {names} are missing"
    return UsageError(said, hint=f"add {' '.join(f'{param.flag} …' for param in params[:MAX_LISTED])}")


def _refuse_undeclared(params: Sequence[Param], given: Given) -> None:
    names = [param.name for param in params]
    for name in (*given.texts, *given.files, *given.many, *given.made):
        if name not in names:
            near = get_close_matches(name, names, n=1)
            known = f"its params are {listed(names)}" if names else "it takes no params"
            raise UsageError(f"there is no param '{name}'", hint=f"did you mean {near[0]}?" if near else known)


def _takes_stdin(given: Given) -> bool:
    """Whether a `-` takes standard input, which can be read once."""
    places = [f"-p {name}@-" for name, path in given.files.items() if path == "-"]
    places += ["the word -"] if list(given.words) == ["-"] else []
    if len(places) > 1:
        raise UsageError(f"standard input can be read once, not for {' and '.join(places)}")
    return bool(places)


def _given_values(params: Sequence[Param], given: Given, sources: Sources) -> Iterator[tuple[str, Any]]:
    words = dict(_words(params, given, sources))
    for param in params:
        texts = given.texts.get(param.name, ())
        ways = [bool(texts), param.name in given.files, param.name in words]
        if sum(ways) > 1 or (len(texts) > 1 and param.type != "list"):
            raise UsageError(f"param '{param.name}' is given twice", hint=f"give it once, as {param.flag}")
        if texts:
            yield param.name, _opened(param, _read_texts(param, texts), sources.cwd)
        elif param.name in given.files:
            yield param.name, param.read(_file_text(param, given.files[param.name], sources))
        elif param.name in words:
            yield param.name, param.read(words[param.name])
        elif param.name in given.made:
            yield param.name, given.made[param.name]
        elif given.many.get(param.name) is not None:
            yield param.name, _opened(param, param.accept(given.many[param.name]), sources.cwd)


def _words(params: Sequence[Param], given: Given, sources: Sources) -> Iterator[tuple[str, str]]:
    if not given.words:
        return
    param = _main_param(params)
    if param is None:
        flags = listed([param.flag for param in params])
        hint = f"its params are {flags}" if flags else "it takes no params"
        raise UsageError(f"the prompt takes no words after its name: '{' '.join(given.words)}'", hint=hint)
    text = " ".join(given.words)
    yield param.name, _stdin_text(sources.stdin) if text == "-" else text


def _main_param(params: Sequence[Param]) -> Param | None:
    """The param that words go to: the one for stdin, else the only required text."""
    if marked := [param for param in params if param.stdin]:
        return marked[0]
    texts = [param for param in params if param.required and param.type == "text"]
    return texts[0] if len(texts) == 1 else None


def _stdin_param(params: Sequence[Param], values: Mapping[str, Any], stdin: Stdin) -> Param | None:
    """The param that stdin fills. A required text that nobody marked takes only a pipe or a file, so that a loop that
    reads stdin, or a CI job whose stdin is something else, is left alone."""
    if marked := [param for param in params if param.stdin]:
        wanted = marked[0].name not in values and stdin.kind not in ("terminal", "closed")
        return marked[0] if wanted else None
    missing = [param for param in params if param.required and param.default is None and param.name not in values]
    texts = [param for param in missing if param.type == "text"]
    return texts[0] if len(texts) == 1 and stdin.kind == "piped" else None


def _from_stdin(param: Param, stdin: Stdin) -> dict[str, Any]:
    """The param's value by its name; nothing where nothing came and nothing has to."""
    text = stdin.read()
    if param.required and not text.strip():
        raise UsageError(
            f"required param '{param.name}' is empty (stdin had {len(text.encode())} bytes)",
            hint=f"pipe something in, or give {param.flag}",
        )
    return {param.name: param.read(text)} if text else {}


def _stdin_text(stdin: Stdin) -> str:
    if stdin.kind == "closed":
        raise UsageError("'-' reads standard input, and it is closed")
    return stdin.read()


def _file_text(param: Param, path: str, sources: Sources) -> str:
    if param.type not in FROM_FILE:
        raise UsageError(
            f"param '{param.name}' is a {param.type}, which is not read from a file", hint=f"{param.flag} VALUE"
        )
    return _stdin_text(sources.stdin) if path == "-" else read_text(path, sources.cwd, f"param '{param.name}'")


def _read_texts(param: Param, texts: Sequence[str]) -> Any:
    return param.checked(list(texts)) if param.type == "list" else param.read(texts[0])


def _opened(param: Param, value: Any, cwd: Path) -> Any:
    """What the template gets for a path: a file's text, or the image itself."""
    if param.type not in PATHS:
        return value
    what = f"param '{param.name}'"
    if param.type == "file":
        return read_text(str(value), cwd, what)
    return image_of(_read(str(value), cwd, what), what, str(value))


def image_of(data: bytes, what: str, name: str) -> Image:
    """The image that some bytes are. Raises UsageError, which calls them by their name."""
    media_type = next((media for start, media in IMAGES if re.match(start, data, re.DOTALL)), None)
    if media_type is None:
        raise UsageError(f"{what}: {name} is not a PNG, JPEG, GIF or WebP image")
    return Image(data, media_type)


def _refuse_empty(param: Param, value: Any) -> None:
    if param.required and isinstance(value, str | list) and not (value.strip() if isinstance(value, str) else value):
        raise UsageError(f"required param '{param.name}' is empty", hint=f"give it some text: {param.flag} …")


def _read(path: str, cwd: Path, what: str) -> bytes:
    try:
        with (cwd / Path(path).expanduser()).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{what}: cannot read {path}: {said.lower()}") from None
    if len(data) > MAX_BYTES:
        raise UsageError(f"{what}: {path} is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return data


def text_of(data: bytes, what: str) -> str:
    """The text that some bytes are. Raises UsageError."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{what} is not UTF-8 text (byte {error.start})") from None
