"""Editing a prompt's text: what a person wrote is never lost, whatever goes wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from aix.cli import ask
from aix.cli.editor import Draft
from aix.cli.options import Shell
from aix.errors import AixError, TemplateError

if TYPE_CHECKING:
    from aix.library.place import Place

Saved = TypeVar("Saved")


def edited(shell: Shell, place: "Place", start: bytes, save: Callable[[bytes], Saved], command: str) -> Saved:
    """What `save` makes of the text that a person leaves in the editor. A text that it does not take is kept beside the
    prompt, and the next time can go on with it."""
    if (kept := place.kept()) is not None:
        if ask.confirm(f"Go on with the text in {place.broken}? (No deletes it.)", default=True):
            start = kept
        else:
            place.drop_kept()
    with shell.draft(start, f"{place.name}.md") as draft, _keeping(shell, draft, place, command):
        saved = _mended(shell, draft, save)
    place.drop_kept()
    return saved


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
            raise TemplateError("nothing is saved")


@contextmanager
def _keeping(shell: Shell, draft: Draft, place: "Place", command: str) -> Iterator[None]:
    """Whatever goes wrong, what the person wrote is kept, and they are told where."""
    try:
        yield
    except BaseException:
        if not draft.untouched:
            shell.console.note(_kept(draft, place, command))
        raise


def _kept(draft: Draft, place: "Place", command: str) -> str:
    """Move a draft beside the prompt, or leave it where it is when that cannot be; what to tell about it."""
    try:
        place.keep(draft.path.read_bytes())
    except AixError:
        return f"your text is kept in {draft.path}"
    draft.path.unlink()
    return f"your text is kept in {place.broken}; to go on with it: {command} {place.name}"
