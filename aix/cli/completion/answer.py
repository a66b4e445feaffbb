"""What a shell's script is told: all that the last word can become."""

from collections.abc import Sequence
from typing import Any

from aix.app import App
from aix.cli.completion.candidates import Desk, Files
from aix.cli.completion.dialects import DIALECTS, OPEN_ENDS
from aix.cli.completion.position import Position


def answer(app: App, root: Any, shell: str, words: Sequence[str]) -> str:
    """The lines that a script reads: the kind, what of the word stays before a file's name, and the values.

    The kind is `files`, `folders`, `words`, or `open` when there is but one value and it goes on.
    """
    dialect = DIALECTS[shell]
    typed = dialect.read(words, app.env)
    position = Position(Desk(app), root)
    for word in typed.before:
        position.take(word)
    found = Files() if typed.redirected else position.complete(typed.word)
    if isinstance(found, Files):
        return f"{'folders' if found.folders_only else 'files'}\n{typed.word[len(typed.head) : found.start]}\n"
    fitting = [candidate for candidate in found if dialect.fits(candidate.value, typed.word)]
    shown = [candidate for candidate in fitting if candidate.value and candidate.value.isprintable()]
    kind = "open" if len(shown) == 1 and shown[0].value.endswith(OPEN_ENDS) else "words"
    return "".join(f"{line}\n" for line in (kind, "", *(dialect.write(candidate, typed) for candidate in shown)))
