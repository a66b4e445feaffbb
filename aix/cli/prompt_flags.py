"""`aix run NAME` has the flags of the prompt NAME: found before the rest is parsed, shown first in its help."""

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar

import typer
from typer.core import TyperOption

from aix.app_prompts import Chosen
from aix.cli.pick import pick
from aix.cli.run_flags import ANSWER, ROUTE, SENDING, SHOWN, HeadedCommand
from aix.cli.streams import Stdin, visible
from aix.errors import UsageError
from aix.library.arguments import Given
from aix.library.prompt import Param, ParamType

CHOSEN, PICKED, TEXTS, FILES = "aix.chosen", "aix.picked", "aix.texts", "aix.files"
PARAM = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)([=@])(.*)", re.DOTALL)
HELP_FLAGS = ("--help", "-h")

HEADINGS = {
    "Values": ("param", "param_file", "system", "attach", "library", "no_project"),
    "Commands": ("disable_commands", "trust"),
    "Who is asked": ROUTE,
    "Sending": ("execute", *SENDING, "no_log"),
    "The answer": ANSWER,
    "What is shown": SHOWN,
    "Help": ("help",),
}
"""The options of `run` in the order of its help, which is the order of a person's questions."""


PromptFile = Annotated[
    str,
    typer.Argument(
        metavar="NAME|FILE|-", help="A prompt, also as team:review or review@v2; a prompt file; or - for stdin."
    ),
]
Words = Annotated[list[str] | None, typer.Argument(metavar="[WORDS]", help="Text for the prompt's main param.")]
Pairs = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="K=VALUE", help="Give a param a value, or K@FILE a file's text."),
]
ParamFile = Annotated[
    str | None, typer.Option("--param-file", metavar="FILE", help="Give many params values, from JSON or YAML.")
]
SystemText = Annotated[
    str | None, typer.Option("--system", metavar="TEXT", help="Put TEXT in place of the system message.")
]
Attached = Annotated[
    list[str] | None,
    typer.Option("--attach", "-a", metavar="FILE", help="Add an image, a PDF or a text; - is stdin; repeatable."),
]
NoCommands = Annotated[
    bool, typer.Option("--disable-commands", help="Run no sh() of the prompt; put [command: …] there.")
]
Pin = Annotated[
    str,
    typer.Option("--trust", metavar="DIGEST", help="Run this one content and its commands: sha256:…"),
]
"""What the commands share that render a prompt."""

METAVARS: dict[ParamType, str] = {
    "string": "TEXT",
    "text": "TEXT",
    "integer": "INT",
    "number": "NUMBER",
    "date": "YYYY-MM-DD",
    "json": "JSON",
    "list": "TEXT",
    "file": "FILE",
    "image": "FILE",
}


class PromptCommand(HeadedCommand):
    """A command whose first word is a prompt: its params become options of this one call."""

    headings: ClassVar[Mapping[str, Sequence[str]]] = HEADINGS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = {word for param in self.own for word in (*param.opts, *param.secondary_opts)} | {*HELP_FLAGS}
        self.taken = {word for word in words if word.startswith("-")}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        name, library = self._scan(args)
        if "--no-project" in itertools.takewhile(lambda arg: arg != "--", args):
            ctx.obj.app.prompts.with_project = False  # before the prompt is looked for, whose params are flags too
        if name is None and not {*HELP_FLAGS} & {*args}:
            name = self.unnamed(ctx, library, args)
            args = [name, *args]
        if name is not None:
            chosen = ctx.meta.get(CHOSEN) or ctx.obj.app.prompts.choose(name, library, Stdin().read)
            ctx.meta[CHOSEN] = chosen
            self._add(chosen, args)
        return super().parse_args(ctx, args)

    def unnamed(self, ctx: Any, library: str | None, args: list[str]) -> str:
        """The name where none is given: a person picks one. Raises UsageError where there is nobody."""
        if not ctx.obj.console.person_is_there:
            raise UsageError(
                f"which prompt? aix {self.name} takes a name, a file, or -", hint="aix list shows all prompts"
            )
        picked = ctx.meta[PICKED] = pick(ctx.obj, library, args)
        return picked.name

    def invoke(self, ctx: Any) -> Any:
        """Run it; whoever picked the prompt gets the command that does the same, however that went."""
        try:
            return super().invoke(ctx)
        finally:
            if (picked := ctx.meta.get(PICKED)) and picked.settled:
                ctx.obj.console.note(f"the same again: {picked.command(self.taken)}")

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        options, *words = super().collect_usage_pieces(ctx)
        return [*words, options]

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """What the prompt is for, where one is named."""
        if (chosen := ctx.meta.get(CHOSEN)) and chosen.prompt.description:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(visible(chosen.prompt.description))
        else:
            super().format_help_text(ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The examples are of other prompts than the one that is named."""
        if CHOSEN not in ctx.meta:
            super().format_epilog(ctx, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        if (chosen := ctx.meta.get(CHOSEN)) and (rows := list(_rows(chosen.template.params, self.taken))):
            with formatter.section(f"Params of {visible(chosen.prompt.name)}"):
                formatter.write_dl(rows)
        super().format_options(ctx, formatter)

    def _add(self, chosen: Chosen, args: Sequence[str]) -> None:
        params = chosen.template.params
        for param in params:
            self._refuse_clash(param, chosen.prompt.name, args)
        self.params = [*(option for param in params for option in _options(param, self.taken)), *self.own]

    def _scan(self, args: Sequence[str]) -> tuple[str | None, str | None]:
        """The prompt's name and the value of `--library`, before anything is parsed: the name is the first word that is
        neither an option nor an option's value. Raises UsageError for a flag before it that is not one of its own."""
        options = (param for param in self.own if isinstance(param, TyperOption) and not param.is_flag)
        valued = {flag for param in options for flag in param.opts}
        name, library = None, None
        rest = iter(args)
        for arg in rest:
            if arg == "--":
                return name or next(rest, None), library
            if arg == "-" or not arg.startswith("-"):
                name = name or arg
                continue
            flag, _, value = arg.partition("=")
            if name is None and (flag if flag.startswith("--") else flag[:2]) not in self.taken:
                raise self._misplaced(flag)
            if _takes_next(arg, valued):
                value = next(rest, "")
            if flag == "--library":
                library = value
        return name, library

    def _misplaced(self, flag: str) -> UsageError:
        near = get_close_matches(flag, sorted(self.taken), n=1, cutoff=0.8)
        meant = f"did you mean {near[0]}?\n" if near else ""
        return UsageError(
            f"{flag} is not a flag of aix {self.name} itself",
            hint=f"{meant}a prompt's own flags come after its name: aix {self.name} NAME {flag} …",
        )

    def _refuse_clash(self, param: Param, prompt: str, args: Sequence[str]) -> None:
        """A flag that means two things means neither: say how to say each."""
        flags = args[: args.index("--")] if "--" in args else args
        if param.flag not in self.taken or param.flag not in {arg.partition("=")[0] for arg in flags}:
            return
        own = next((p.opts for p in self.own if param.flag in (*p.opts, *p.secondary_opts)), list(HELP_FLAGS))
        short = next((flag for flag in own if not flag.startswith("--")), "")
        other = f", and for aix's own {short}" if short else ""
        raise UsageError(
            f"{param.flag} is a flag of aix {self.name} and a param of '{prompt}'",
            hint=f"for the param write -p {param.name}=VALUE{other}",
        )


def given(ctx: typer.Context, pairs: Sequence[str], param_file: str | None, words: Sequence[str]) -> Given:
    """All that the command line gives for the prompt's params. Raises UsageError."""
    texts: dict[str, list[str]] = {name: list(values) for name, values in ctx.meta.get(TEXTS, {}).items()}
    files: dict[str, str] = dict(ctx.meta.get(FILES, {}))
    for pair in pairs:
        match = PARAM.fullmatch(pair)
        if match is None:
            raise UsageError(
                f"-p '{pair}' is neither NAME=VALUE nor NAME@FILE",
                hint=f"aix run {ctx.meta[CHOSEN].prompt.name} --help",
            )
        name, kind, value = match[1].replace("-", "_"), match[2], match[3]
        if kind == "=":
            texts.setdefault(name, []).append(value)
        elif name in files:
            raise UsageError(f"param '{name}' is given twice", hint=f"give it once: -p {name}@FILE")
        else:
            files[name] = value
    return Given(texts, files, ctx.obj.app.prompts.param_file(param_file) if param_file else {}, words)


def _takes_next(arg: str, valued: set[str]) -> bool:
    """Whether the next argument is this one's value: `--model`, `-m`, `-xm`, but not `--model=M` or `-mM`."""
    if arg.startswith("--"):
        return arg in valued
    first = next((place for place, letter in enumerate(arg) if f"-{letter}" in valued), None)
    return first == len(arg) - 1


def _rows(params: Sequence[Param], taken: set[str]) -> Iterator[tuple[str, str]]:
    """The help of each param; one whose flag `run` has already is shown as `-p` takes it."""
    for param in params:
        metavar = _metavar(param)
        if param.flag in taken:
            yield f"-p {param.name}={metavar or 'true|false'}", visible(_help(param))
        else:
            short = f"-{param.short}, " if param.short and f"-{param.short}" not in taken else ""
            value = f" {metavar}" if metavar else f" / --no-{param.flag[2:]}"
            yield f"{short}{param.flag}{value}", visible(_help(param))
        if param.file_flag:
            given = f"-p {param.name}@FILE" if param.file_flag in taken else f"{param.file_flag} FILE"
            yield given, f"Read {param.name} from FILE; - is stdin."


def _options(param: Param, taken: set[str]) -> Iterator[TyperOption]:
    """The options of one param; a flag that `run` has already is left to `-p`."""
    short = [f"-{param.short}"] if param.short and f"-{param.short}" not in taken else []
    name = f"param_{param.name}"
    if param.flag not in taken:
        boolean = param.type == "boolean"
        yield TyperOption(
            param_decls=[name, f"{param.flag}/--no-{param.flag[2:]}" if boolean else param.flag, *short],
            is_flag=boolean,
            multiple=not boolean,
            expose_value=False,
            callback=_keep(param),
        )
    if param.file_flag and param.file_flag not in taken:
        yield TyperOption(param_decls=[f"{name}_file", param.file_flag], expose_value=False, callback=_keep_file(param))


def _keep(param: Param) -> Any:
    def callback(ctx: Any, _: Any, value: Any) -> None:
        if isinstance(value, bool):
            value = ["true" if value else "false"]
        if value:
            ctx.meta.setdefault(TEXTS, {})[param.name] = list(value)

    return callback


def _keep_file(param: Param) -> Any:
    def callback(ctx: Any, _: Any, value: str | None) -> None:
        if value is not None:
            ctx.meta.setdefault(FILES, {})[param.name] = value

    return callback


def _metavar(param: Param) -> str:
    return METAVARS.get(param.type, "")


def _help(param: Param) -> str:
    return " ".join(filter(None, (param.help, f"[{facts}]" if (facts := "; ".join(described(param))) else "")))


def described(param: Param) -> Iterator[str]:
    """What to know of a param besides its type and help, a few words each."""
    if param.required:
        yield "required"
    if param.choices:
        yield f"one of: {', '.join(str(choice) for choice in param.choices)}"
    if param.min is not None:
        yield f"at least {param.min:g}"
    if param.max is not None:
        yield f"at most {param.max:g}"
    if param.pattern:
        yield f"matching {param.pattern}"
    if param.default is not None:
        yield f"default: {_default(param.default)}"
    if param.type == "list":
        yield "repeatable"
    if param.stdin:
        yield "from words or stdin"


def _default(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
