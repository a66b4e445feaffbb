"""Editing a prompt's text: what a person wrote is never lost, whatever goes wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from aix.cli import ask
from aix.cli.editor import MAX_DRAFT, Draft
from aix.cli.options import Shell
from aix.errors import AixError, TemplateError, UsageError

if TYPE_CHECKING:
    from aix.library.place import Place

Saved = TypeVar("Saved")

KEPT = {"go on": "go on with it", "drop": "delete it, and begin with the prompt as it is"}
"""What can be done with a text that was kept."""
FOUND = {"leave": "leave it there, and begin with the prompt as it is", **KEPT}
"""The same for one in a project, which may be a stranger's."""


def edited(
    shell: Shell, place: "Place", start: bytes, save: Callable[[bytes], Saved], command: str
) -> tuple[Saved, bool]:
    """What `save` makes of the text that a person leaves in the editor. A text that it does not take is kept beside the
    prompt, and the next time can go on with it; whether this one did, and so may have words that are not theirs."""
    taken = _taken(shell, place)
    with (
        shell.draft(start if taken is None else taken, f"{place.name}.md") as draft,
        _keeping(shell, draft, lambda: _kept(draft, place, taken, command)),
    ):
        saved = _mended(shell, draft, save)
    if taken is not None:
        _drop(shell, place, taken)
    return saved, taken is not None


def _taken(shell: Shell, place: "Place") -> bytes | None:
    """The kept text that the person goes on with, if there is one and they want to."""
    try:
        kept = place.kept(MAX_DRAFT)
    except UsageError as error:
        shell.console.warn(error.message)
        return None
    if kept is None:
        return None
    own = place.layer.name == "user"
    said = "keeps a text that is no prompt yet" if own else f"is a text in the {place.layer.name} that is no prompt yet"
    answer = ask.choose(f"{place.broken} {said}.", KEPT if own else FOUND)
    if answer == "drop":
        _drop(shell, place, kept)
    return kept if answer == "go on" else None


def _drop(shell: Shell, place: "Place", text: bytes) -> None:
    """Delete the kept text that was asked about. One that is another by now stays."""
    try:
        place.drop_kept(text)
    except AixError as error:
        shell.console.warn(f"{place.broken} stays: {error.message}")


def _mended(shell: Shell, draft: Draft, save: Callable[[bytes], Saved]) -> Saved:
    """What `save` makes of a draft. While that is no prompt, the person is told why and can mend it. Raises
    TemplateError when they will not."""
    while True:
        data = draft.edit()
        try:
            return save(data)
        except TemplateError as error:
            shell.console.error(error)
        if not ask.confirm("Edit it again?", default=True):
            raise TemplateError("it is no prompt yet, so the prompt itself is as it was")


@contextmanager
def _keeping(shell: Shell, draft: Draft, keep: Callable[[], str]) -> Iterator[None]:
    """Whatever goes wrong, what the person wrote is kept, and they are told where."""
    try:
        yield
    except BaseException:
        said = [] if draft.untouched else [keep()]
        said += [f"the editor left {path}" for path in draft.beside]
        with suppress(OSError):  # the terminal may be gone
            for line in said:
                shell.console.note(line)
        raise


def _kept(draft: Draft, place: "Place", taken: bytes | None, command: str) -> str:
    """Move a draft beside the prompt, or leave it where it is when that cannot be; what to tell about it."""
    try:
        place.keep(draft.read(), instead=taken)
    except AixError:
        return f"your text is kept in {draft.path}"
    draft.path.unlink()
    return f"your text is kept in {place.broken}; to go on with it: {command} {place.name}"
