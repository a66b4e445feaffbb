"""`aix run NAME` has the flags of the prompt NAME: found before the rest is parsed, shown first in its help."""

import json
import re
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperOption

from aix.app import Chosen
from aix.cli.console import Stdin, visible
from aix.errors import UsageError
from aix.library.arguments import Given
from aix.library.prompt import Param

CHOSEN, TEXTS, FILES = "aix.chosen", "aix.texts", "aix.files"
PARAM = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)([=@])(.*)", re.DOTALL)
HELP_FLAGS = ("--help", "-h")


class PromptCommand(TyperCommand):
    """A command whose first word is a prompt: its params become options of this one call."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._own = list(self.params)
        self._added: list[TyperOption] = []

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        name, library = _scan(args, self._own)
        if name is not None:
            chosen = ctx.obj.app.choose(name, library, Stdin().read)
            ctx.meta[CHOSEN] = chosen
            self._add(chosen, args)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        if self._added:
            records = [option.get_help_record(ctx) for option in self._added]
            with formatter.section(f"Params of {ctx.meta[CHOSEN].prompt.name}"):
                formatter.write_dl([record for record in records if record])
        panels: dict[str, list[Any]] = {}
        for param in [*self._own, self.get_help_option(ctx)]:
            if param and param.param_type_name == "option" and (record := param.get_help_record(ctx)):
                panels.setdefault(getattr(param, "rich_help_panel", None) or "Options", []).append(record)
        for title, rows in panels.items():
            with formatter.section(title):
                formatter.write_dl(rows)

    def _add(self, chosen: Chosen, args: Sequence[str]) -> None:
        taken = {flag for param in self._own for flag in (*param.opts, *param.secondary_opts)} | {*HELP_FLAGS}
        for param in chosen.template.params:
            self._refuse_clash(param, chosen.prompt.name, taken, args)
        self._added = [option for param in chosen.template.params for option in _options(param, taken)]
        self.params = [*self._added, *self._own]

    def _refuse_clash(self, param: Param, prompt: str, taken: set[str], args: Sequence[str]) -> None:
        """A flag that means two things means neither: say how to say each."""
        used = any(arg == param.flag or arg.startswith(f"{param.flag}=") for arg in args)
        if param.flag not in taken or not used:
            return
        own = next((p.opts for p in self._own if param.flag in (*p.opts, *p.secondary_opts)), list(HELP_FLAGS))
        short = next((flag for flag in own if not flag.startswith("--")), "")
        other = f", and for aix's own {short}" if short else ""
        raise UsageError(
            f"{param.flag} is a flag of aix run and a param of '{prompt}'",
            hint=f"for the param write -p {param.name}=VALUE{other}",
        )


def given(ctx: typer.Context, pairs: Sequence[str], param_file: str | None, words: Sequence[str]) -> Given:
    """All that the command line gives for the prompt's params. Raises UsageError."""
    texts: dict[str, list[str]] = {name: list(values) for name, values in ctx.meta.get(TEXTS, {}).items()}
    files: dict[str, str] = dict(ctx.meta.get(FILES, {}))
    for pair in pairs:
        match = PARAM.fullmatch(pair)
        if match is None:
            raise UsageError(f"-p '{pair}' is neither NAME=VALUE nor NAME@FILE")
        name, kind, value = match[1].replace("-", "_"), match[2], match[3]
        if kind == "=":
            texts.setdefault(name, []).append(value)
        elif name in files:
            raise UsageError(f"param '{name}' is given twice", hint=f"give it once: -p {name}@FILE")
        else:
            files[name] = value
    return Given(texts, files, ctx.obj.app.param_file(param_file) if param_file else {}, words)


def _scan(args: Sequence[str], own: Sequence[Any]) -> tuple[str | None, str | None]:
    """The prompt's name and the value of `--library`, before anything is parsed: the name is the first word that is
    neither an option nor an option's value."""
    valued = {flag for param in own if isinstance(param, TyperOption) and not param.is_flag for flag in param.opts}
    name, library, position = None, None, 0
    while position < len(args):
        arg = args[position]
        flag, equals, value = arg.partition("=")
        if flag == "--library":
            library = value if equals else next(iter(args[position + 1 :]), None)
        if arg == "--":
            return (name or next(iter(args[position + 1 :]), None)), library
        if arg == "-" or not arg.startswith("-"):
            name = name or arg
        elif not equals and (arg in valued or (_is_cluster(arg) and f"-{arg[-1]}" in valued)):
            position += 1
        position += 1
    return name, library


def _is_cluster(arg: str) -> bool:
    return len(arg) > 2 and not arg.startswith("--") and arg[1:].isalpha()


def _options(param: Param, taken: set[str]) -> list[TyperOption]:
    """The options of one param; a flag that `run` has already is left to `-p`."""
    short = [f"-{param.short}"] if param.short and f"-{param.short}" not in taken else []
    name = f"param_{param.name}"
    options = []
    if param.flag not in taken:
        flag = f"{param.flag}/--no-{param.flag[2:]}" if param.type == "boolean" else param.flag
        options.append(
            TyperOption(
                param_decls=[name, flag, *short],
                is_flag=param.type == "boolean",
                multiple=param.type != "boolean",
                metavar=None if param.type == "boolean" else _metavar(param),
                help=visible(_help(param)),
                expose_value=False,
                callback=_keep(param),
            )
        )
    if param.file_flag and param.file_flag not in taken:
        options.append(
            TyperOption(
                param_decls=[f"{name}_file", param.file_flag],
                metavar="PATH",
                help=f"Read {param.name} from a file; - is stdin.",
                expose_value=False,
                callback=_keep_file(param),
            )
        )
    return options


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
    names = {"file": "PATH", "image": "PATH", "string": "TEXT"}
    return names.get(param.type, param.type.upper())


def _help(param: Param) -> str:
    facts = ["required"] if param.required else []
    facts += [f"one of: {', '.join(str(choice) for choice in param.choices)}"] if param.choices else []
    facts += [f"default: {_default(param.default)}"] if param.default is not None else []
    facts += ["stdin"] if param.stdin else []
    return f"{param.help}  [{'; '.join(facts)}]".strip() if facts else param.help


def _default(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
