"""Questions to a person, asked on stderr so that stdout stays the answer's. The one door to questionary."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from aix.cli import editor
from aix.cli.streams import visible
from aix.errors import UsageError
from aix.library.prompt import Param
from aix.library.search import fuzzy


def value(param: Param, env: Mapping[str, str], setting: str | None) -> str:
    """What a person gives for a required param: a choice, a line, or an editor's text. Raises UsageError."""
    said = "; ".join(filter(None, (visible(param.help), _EDITOR if param.type == "text" else "")))
    title = f"{param.name}{f' ({said})' if said else ''}:"
    if param.choices:
        return choose(title, [str(choice) for choice in param.choices])
    if param.type == "boolean":
        return choose(title, ["yes", "no"])
    if param.secret:
        return secret(title)
    if param.type == "text":
        typed = line(title, lambda text: _complaint(param, text) if text else "")
        if typed:
            return typed
        with editor.draft(b"", f"{param.name}.txt", env, setting) as new:
            return _decoded(new)
    return line(title, lambda text: _complaint(param, text))


_EDITOR = "type the text itself, or Enter alone for an editor"


def line(title: str, complaint: Callable[[str], str] = lambda _: "") -> str:
    """One line; it is asked for again while there is a `complaint` about it."""
    import questionary

    return str(_answered(questionary.text(title, validate=lambda text: complaint(text) or True, **_stderr())))


def secret(title: str, complaint: Callable[[str], str] = lambda _: "") -> str:
    """A line that is not shown while it is typed."""
    import questionary

    return str(_answered(questionary.password(title, validate=lambda text: complaint(text) or True, **_stderr())))


MANY = 16
"""Of more choices than this a person types some letters to see fewer."""


def choose(title: str, choices: Sequence[str] | Mapping[str, str], default: str | None = None) -> str:
    """One of the choices; a mapping says what is shown for each."""
    import questionary

    words = choices if isinstance(choices, Mapping) else {choice: choice for choice in choices}
    shown = [questionary.Choice(visible(text), value=value) for value, text in words.items()]
    start = default if default in words else None
    many = len(shown) > MANY
    question = questionary.select(
        title,
        choices=shown,
        default=start,
        instruction=" (some letters narrow it)" if many else " ",
        use_search_filter=many,
        use_jk_keys=not many,
        **_stderr(),
    )
    keys: Any = question.application.key_bindings
    for key, error in (("<sigint>", KeyboardInterrupt), ("c-d", EOFError)):  # which this kind of question does not know
        keys.add(key)(lambda event, error=error: event.app.exit(exception=error))
    return str(_answered(question))


def pick(title: str, choices: Mapping[str, str]) -> str:
    """One name of many, found by typing some of its letters; a mapping of each name to what is said of it."""
    import questionary
    from prompt_toolkit.completion import Completer, Completion

    class Menu(Completer):
        def get_completions(self, document: Any, _: Any) -> Iterator[Any]:
            typed = document.text_before_cursor
            for name in fuzzy(typed, choices):
                yield Completion(name, -len(typed), display_meta=visible(choices[name]))

    question = questionary.autocomplete(
        title,
        choices=[],
        completer=Menu(),
        validate=lambda typed: typed in choices or "no prompt has these letters",
        complete_while_typing=True,
        validate_while_typing=False,
        key_bindings=_picking(lambda typed: fuzzy(typed, choices)),
        **_stderr(),
    )
    question.application.pre_run_callables.append(
        lambda: question.application.current_buffer.start_completion(select_first=False)
    )
    return str(_answered(question))


def _picking(found: Callable[[str], list[str]]) -> Any:
    """Enter takes the first name that is found; the menu stays open when a letter is taken back."""
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("enter")
    def _(event: Any) -> None:
        buffer = event.current_buffer
        buffer.text = next(iter(found(buffer.text)), buffer.text)
        buffer.validate_and_handle()

    @keys.add("escape", eager=True)
    def _(event: Any) -> None:
        event.current_buffer.text = ""
        event.current_buffer.start_completion(select_first=False)

    @keys.add("backspace")
    def _(event: Any) -> None:
        event.current_buffer.delete_before_cursor()
        event.current_buffer.start_completion(select_first=False)

    return keys


def confirm(title: str, *, default: bool = False) -> bool:
    import questionary

    return bool(_answered(questionary.confirm(visible(title), default=default, **_stderr())))


def agree(title: str) -> bool:
    """Whether a person agrees to what they see only now: what was typed before is no answer to it."""
    _forget_typed()
    return confirm(title)


def _forget_typed() -> None:
    """Throw away what waits to be read from the terminal, and what an earlier question has read and not used."""
    import termios

    from prompt_toolkit.application import get_app_session
    from prompt_toolkit.input.typeahead import clear_typeahead

    termios.tcflush(sys.stdin, termios.TCIFLUSH)
    clear_typeahead(get_app_session().input)


def _decoded(new: editor.Draft) -> str:
    try:
        return new.edit().decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"what the editor left is not UTF-8 text (byte {error.start})") from None


def _complaint(param: Param, text: str) -> str:
    try:
        param.read(text)
    except UsageError as error:
        return error.message
    return "" if text.strip() else "it is required"


def _stderr() -> dict[str, Any]:
    from prompt_toolkit.output import create_output

    return {"output": create_output(stdout=sys.stderr)}


def _answered(question: Any) -> Any:
    """The answer; Ctrl-C while it is asked is a Ctrl-C of the whole command."""
    try:
        answer = question.unsafe_ask()
    except EOFError:
        raise UsageError("the question was left unanswered; nothing is changed") from None
    if answer is None:
        raise KeyboardInterrupt
    return answer
