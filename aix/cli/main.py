"""The root command, and the one place where an error becomes a message and an exit status."""

import errno
import gc
import itertools
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer
from typer.main import get_command

from aix import __version__
from aix.app import App
from aix.cli.commands import MODULES, Commands
from aix.cli.console import Console
from aix.cli.options import Shell, show_help
from aix.cli.report import failed
from aix.config.files import storage_error
from aix.errors import AixError, UsageError

HELP = """Keep prompts as files, and run them with any model.

\b
  aix init                               set up a provider or a local model
  aix list                               the prompts that there are
  aix run explain "what is a monad"      render one and look at it
  aix run explain "what is a monad" -x   send it, and stream the answer
  git diff --staged | aix run commit -x  from a pipe
  aix create greet "Greet {{ name }}."   a prompt of your own
"""

cli = typer.Typer(
    name="aix",
    cls=Commands,
    help=HELP,
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aix {__version__}")
        raise typer.Exit


@cli.callback()
def root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Without a command: the help."""
    show_help(ctx)


class Stopped(BaseException):
    """The process was asked to end by a signal; what can be kept is kept first."""


def main() -> NoReturn:
    """Run the command line of this process, and end it."""
    _open_standard_streams()
    gc.freeze()  # what is loaded stays; to look through it for garbage is a tenth of a short command
    handlers = {"SIGINT": signal.default_int_handler, "SIGTERM": _stop, "SIGHUP": _stop}
    for name, handler in handlers.items():
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup and & have one ignored
            signal.signal(number, handler)
    _leave(execute(sys.argv[1:]))


def execute(arguments: Sequence[str]) -> int:
    """Run one command line; its exit status, or minus the signal that the process should die by."""
    console = Console(os.environ)
    app = App(dict(os.environ), _working_directory(), warn=console.warn, notice=console.progress)
    try:
        return _invoke(arguments, app, console)
    except AixError as error:
        return _report(error, arguments, app, console)
    except KeyboardInterrupt:
        return -signal.SIGINT
    except Stopped as stopped:
        return -int(stopped.args[0])
    except BrokenPipeError:
        return -getattr(signal, "SIGPIPE", 13)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO):
            return _report(storage_error(error, error.filename or "standard output"), arguments, app, console)
        return _bug(error, arguments, app, console)
    except Exception as error:  # noqa: BLE001 - the last handler: whatever is left is a bug of ours
        return _bug(error, arguments, app, console)
    finally:
        console.done_waiting()


def _invoke(arguments: Sequence[str], app: App, console: Console) -> int:
    command = get_command(cli)
    _refuse_undecodable(arguments)
    try:
        with command.make_context("aix", list(arguments), obj=Shell(app, console)) as context:
            command.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    except typer.TyperException as error:
        raise _usage(error, arguments, app) from error
    return 0


def _refuse_undecodable(args: Sequence[str]) -> None:
    """Raise UsageError for an argument whose bytes are no text: half of it would be lost on the way."""
    for arg in () if args[:1] == ["__complete"] else args:
        if not arg.isascii() and any("\ud800" <= letter <= "\udfff" for letter in arg):
            raise UsageError(f"the argument '{arg[:60]}' is not UTF-8 text", hint="give it in a file, as UTF-8")


def _usage(error: typer.TyperException, arguments: Sequence[str], app: App) -> UsageError:
    """Typer's complaint in our form, with the help that is nearest; a prompt's name alone is nearly a command."""
    message = error.format_message().rstrip(".")
    path = getattr(getattr(error, "ctx", None), "command_path", "")
    nearest = f"{path} --help" if len(path.split()) > 2 else _nearest(arguments, app)
    return UsageError(message[:1].lower() + message[1:], hint=nearest)


def _nearest(arguments: Sequence[str], app: App) -> str:
    first, *rest = (*arguments, "")
    if first in MODULES:
        prompt = rest[0] if first == "run" and rest[0] and not rest[0].startswith("-") else ""
        return " ".join(filter(None, ("aix", first, prompt, "--help")))
    if not first.startswith("-") and app.prompts.library_at(None).places(first):
        return f"aix run {first}"
    return "aix --help"


def _report(error: AixError, arguments: Sequence[str], app: App, console: Console) -> int:
    error.reword(app.scrubbed)  # a server may say the key back to us
    try:
        if "--json" in itertools.takewhile(lambda word: word != "--", arguments):
            console.json(failed(error, app.run))
    except AixError as second:
        error = second
    console.error(error)
    if app.env.get("AIX_DEBUG"):
        _print_traceback(app, console)
    return error.exit_code


def _bug(error: Exception, arguments: Sequence[str], app: App, console: Console) -> int:
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    hint = "this is a bug in aix; AIX_DEBUG=1 shows where"
    return _report(
        AixError(f"something unexpected happened ({app.scrubbed(said)})", hint=hint), arguments, app, console
    )


def _print_traceback(app: App, console: Console) -> None:
    console.dim(app.scrubbed(traceback.format_exc()))


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was deleted under us; names still resolve from the root
        return Path("/")


def _open_standard_streams() -> None:
    """A closed stdin, stdout or stderr would be the next file that is opened, and be written into."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _stop(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # a terminal that closes says so twice, and what is kept must be kept whole
    raise Stopped(number)


def _leave(status: int) -> NoReturn:
    """End the process: by its status, or by the very signal that ended it, so that a calling shell sees which."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what is left to do needs no keeping
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that the interpreter's own last flush is quiet
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status if status >= 0 else 128 - status)
