"""`aix run NAME --watch`: the prompt is rendered again on each save, and what changed is shown."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path
from typing import NoReturn

import typer

from aix.app_prompts import Chosen
from aix.cli.options import Shell, flag
from aix.cli.prompt_flags import CHOSEN, given
from aix.cli.rendering import Rendering
from aix.cli.report import as_text
from aix.cli.run_flags import is_given
from aix.cli.streams import Stdin
from aix.errors import AixError, UsageError
from aix.library.arguments import Given
from aix.library.prompt import PATHS
from aix.messages import Message
from aix.runs.fitting import estimated

SECONDS = 0.2
"""How long a save may go unseen."""

SETTLED = 0.05
"""How long the files stay as they are once a save is done: an editor may empty a file before it writes it."""

CONTRARY = ("execute", "dry_run", "show_request", "output", "as_json")
"""The flags of `run` that mean another thing to do with the rendering."""

Stamps = dict[Path, tuple[int, int, int] | None]
"""What a file looked like: when it was written, how large, and which file; None where there is none."""


def watch_prompt(ctx: typer.Context) -> NoReturn:
    """Render the prompt of a command line, and again on each save. Raises UsageError for one that cannot be watched."""
    shell, flags, chosen = ctx.obj, ctx.params, ctx.meta[CHOSEN]
    _refuse_contrary(ctx, chosen)
    values, stdin = given(ctx, flags["param"] or (), flags["param_file"], flags["words"] or ()), Stdin()
    answers: dict[str, list[str]] = {}

    def render(now: Chosen) -> tuple[Message, ...]:
        rendering = Rendering(shell, now, asks=True)
        rendering.attach(flags["attach"] or (), stdin)
        known = replace(values, texts={**values.texts, **answers})
        rendering.render(known, flags["system"], stdin, commands=not flags["disable_commands"], pin=flags["trust"])
        answers.update({param.name: [text] for param, text in rendering.answers})
        return rendering.run.messages

    _watch(
        shell,
        chosen,
        lambda: shell.app.prompts.choose(flags["name"], flags["library"], stdin.read),
        render,
        lambda now: _values(shell, now, values),
    )


def _refuse_contrary(ctx: typer.Context, chosen: Chosen) -> None:
    """Raise UsageError for what cannot be watched, and for flags that ask for something else."""
    if other := [name for name in CONTRARY if is_given(ctx, name)]:
        raise UsageError(
            f"--watch renders on each save and sends nothing, so {flag(other[0])} does not go with it",
            hint="leave one of them out",
        )
    if chosen.prompt.path is None or chosen.revision:
        raise UsageError("there is no file to watch", hint="--watch takes a prompt's name, or a file")


@dataclass(frozen=True, slots=True)
class Seen:
    """A rendering: of which content, its text, and about how many tokens it has."""

    digest: str
    text: str
    tokens: int


def _watch(
    shell: Shell,
    chosen: Chosen,
    again: Callable[[], Chosen],
    render: Callable[[Chosen], tuple[Message, ...]],
    values_of: Callable[[Chosen], list[Path]],
) -> NoReturn:
    """Render a prompt, and what `again` gives whenever one of its files changes, or one that gives a value, until
    Ctrl-C."""
    files, values = _files(chosen), values_of(chosen)
    stamps = _stamps([*files, *values])
    chosen = again()  # as it is after the look at its files, so that no save is missed
    seen = _seen(chosen, render(chosen))
    shell.console.out(seen.text.rstrip("\n") + "\n")
    names = ", ".join(file.name for file in (*files, *values) if not file.is_dir())
    shell.console.note(f"about {seen.tokens} tokens (estimated); watching {names}; Ctrl-C ends it")
    wrong = ""
    while True:
        before, stamps = stamps, _changed([*files, *values], stamps)
        try:
            chosen = again()
            given = any(stamps[file] != before.get(file) for file in values)
            new = _seen(chosen, render(chosen)) if wrong or given or chosen.template.digest != seen.digest else seen
        except AixError as error:  # a text half written is no reason to stop
            if error.message != wrong:
                shell.console.error(error)
            wrong = error.message
            continue
        if wrong or new is not seen:
            _show(shell, seen, new)
        seen, wrong, files, values = new, "", _files(chosen), values_of(chosen)
        stamps = _stamps([*files, *values]) | stamps


def _seen(chosen: Chosen, messages: tuple[Message, ...]) -> Seen:
    return Seen(chosen.template.digest, as_text(messages), estimated(messages))


def _show(shell: Shell, old: Seen, new: Seen) -> None:
    """The lines that changed, and the change in tokens."""
    lines = unified_diff(old.text.splitlines(), new.text.splitlines(), lineterm="", n=1)
    shell.console.changes([line for line in lines if not line.startswith(("---", "+++"))])
    more = new.tokens - old.tokens
    change = f"{abs(more)} {'more' if more > 0 else 'fewer'}" if more else "as many as before"
    said = f"about {new.tokens} tokens (estimated), {change}" if old.text != new.text else "saved; it renders the same"
    shell.console.note(f"{time.strftime('%H:%M:%S')} {said}")


def _files(chosen: Chosen) -> list[Path]:
    """The files that the rendering is made of, and the folders that they are in: a file may be put in the place of
    another, or come where one was missing."""
    path = chosen.prompt.path
    assert path is not None
    root = path.parents[0 if chosen.prompt.layer == "file" else chosen.prompt.name.count("/")]
    files = [path, *(root / name for name in chosen.template.includes)]
    return [*files, *dict.fromkeys((root, *(file.parent for file in files)))]


def _values(shell: Shell, chosen: Chosen, given: Given) -> list[Path]:
    """The files that give the prompt its values."""
    paths = [param.name for param in chosen.template.params if param.type in PATHS]
    named = [*given.files.values(), *(text for name in paths for text in given.texts.get(name, ()))]
    return [shell.app.cwd / name for name in named if name != "-"]


def _changed(files: list[Path], before: Stamps) -> Stamps:
    """Wait until one of the files is another than it was."""
    while (now := _stamps(files)) == {file: before.get(file) for file in files}:
        time.sleep(SECONDS)
    return _settled(files, now)


def _settled(files: list[Path], now: Stamps) -> Stamps:
    """Wait until nobody writes to them any more."""
    while True:
        time.sleep(SETTLED)
        before, now = now, _stamps(files)
        if now == before:
            return now


def _stamps(files: list[Path]) -> Stamps:
    return dict(_looked_at(files))


def _looked_at(files: list[Path]) -> Iterator[tuple[Path, tuple[int, int, int] | None]]:
    for file in files:
        try:
            status = file.stat()
            yield file, (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:
            yield file, None
