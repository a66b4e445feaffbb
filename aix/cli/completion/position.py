"""Where on a command line a word stands, and so what it can become. Nothing is parsed, converted or run for it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from typer.core import TyperArgument, TyperGroup, TyperOption

from aix.cli.commands import SUMMARIES, Commands
from aix.cli.completion import candidates, settings
from aix.cli.completion.candidates import Asked, Candidate, Completer, Desk, Found
from aix.cli.completion.dialects import DIALECTS
from aix.cli.prompt_flags import HELP_FLAGS, PromptCommand
from aix.library.prompt import Param
from aix.llm.effort import LEVELS
from aix.runs.answers import EXTRACTS

COMPLETERS: Mapping[str, Completer] = {
    "api-key provider": candidates.keyed_providers,
    "completion shell_name": candidates.one_of(DIALECTS),
    "config key": settings.key_or_value,
    "config value": settings.value_of_first,
    "config get": settings.keys,
    "config setting": settings.assignments,
    "config unset": settings.keys_that_are_set,
    "create name": candidates.inner_folders,
    "lint what": candidates.names_and_files,
    "rename name": candidates.own_names,
    "mv name": candidates.own_names,
    "add source": candidates.folders,
    "info name": candidates.collections,
    "remove name": candidates.collections,
    "update names": candidates.collections,
    "FILE": candidates.files,
    "DIR": candidates.folders,
    "NAME|FILE": candidates.names_and_files,
    "NAME|FILE|-": candidates.names_and_files,
    "[last|ID]": candidates.runs,
    "[last|ID]…": candidates.runs,
    "WHEN": candidates.one_of(("today", "yesterday", "7d", "30d")),
    "list model": candidates.known_models,
    "stats by": candidates.one_of(("day", "week", "month", "model", "provider", "prompt")),
    "stats month": candidates.one_of(("last",)),
    "prompt": candidates.names,
    "name": candidates.names,
    "what": candidates.prompts_and_models,
    "names": candidates.own_names,
    "new": candidates.inner_folders,
    "tag": candidates.tags,
    "layer": candidates.layers,
    "param": candidates.pairs,
    "provider": candidates.providers,
    "providers": candidates.providers,
    "own_provider": candidates.own_providers,
    "protocol": settings.value_of_key("custom_providers.any.protocol"),
    "auth_type": settings.value_of_key("custom_providers.any.auth_type"),
    "model": candidates.models,
    "models": candidates.models,
    "fallback": candidates.models,
    "pack": candidates.packs,
    "info model": candidates.known_models,
    "remove model": candidates.own_models,
    "source": candidates.sources,
    "FILE|JSON": candidates.files,
    "extract": candidates.one_of(EXTRACTS),
    "effort": candidates.one_of(LEVELS),
}
"""What an option or an argument takes: by its command and name, by its metavar, or by its name wherever it stands."""


@dataclass(frozen=True, slots=True)
class Flag:
    """An option: `values` completes what it takes, and is None where it takes nothing."""

    name: str
    help: str = ""
    values: Completer | None = None
    repeatable: bool = False


@dataclass(slots=True)
class Position:
    """What the words so far have said; `waiting` is the option whose value comes next."""

    desk: Desk
    command: Any
    flags: dict[str, Flag] = field(default_factory=dict)
    given: dict[str, list[str]] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)
    params: Sequence[Param] = ()
    waiting: Flag | None = None
    only_words: bool = False

    def __post_init__(self) -> None:
        self.flags = dict(_flags(self.command))

    def take(self, word: str) -> None:
        """Go on by one whole word."""
        if self.waiting:
            self._give(self.waiting, word)
            self.waiting = None
        elif word == "--" and not self.only_words:
            self.only_words = True
        elif self.only_words or not word.startswith("-") or word == "-":
            self._take_plain(word)
        elif word.startswith("--"):
            self._take_long(*word.partition("="))
        else:
            self._take_short(word)

    def complete(self, word: str) -> Found:
        """What the word after these can become."""
        asked = Asked(self.desk, word, self.given, self.arguments, self.params)
        if self.waiting:
            return (self.waiting.values or candidates.nothing)(asked)
        if word.startswith("-") and not self.only_words:
            return self._complete_flag(asked)
        if isinstance(self.command, TyperGroup):
            return [Candidate(name, summary) for name, summary in _summaries(self.command)]
        expected = [param for param in self.command.params if isinstance(param, TyperArgument)]
        place = min(len(self.arguments), len(expected) - 1)
        full = place < 0 or (len(self.arguments) > place and expected[place].nargs == 1)
        return [] if full else _completer(self.command, expected[place])(asked)

    def _complete_flag(self, asked: Asked) -> Found:
        spelling, equals, _ = asked.word.partition("=")
        flag = self.flags.get(spelling)
        if equals:
            return candidates.after(f"{spelling}=", flag.values)(asked) if flag and flag.values else []
        free = {name: flag for name, flag in self.flags.items() if flag.repeatable or flag.name not in self.given}
        return [Candidate(name, flag.help) for name, flag in free.items()]

    def _take_plain(self, word: str) -> None:
        if isinstance(self.command, TyperGroup):
            command = self.command.commands.get(word)
            self.command = command or _Unknown()
            self.flags = dict(_flags(self.command))
            return
        self.arguments.append(word)
        if isinstance(self.command, PromptCommand) and len(self.arguments) == 1:
            self._choose()

    def _choose(self) -> None:
        """The prompt is known, so its params are flags too; its own come first."""
        own = dict(_flags(self.command))
        self.params = self.desk.params(self.arguments[0], next(reversed(self.given.get("library", [])), None))
        self.flags = {**_free_flags(self.params, own), **own}

    def _take_long(self, spelling: str, equals: str, value: str) -> None:
        if flag := self.flags.get(spelling):
            self._take_flag(flag, value, whole=bool(equals))

    def _take_short(self, word: str) -> None:
        """`-m`, `-mM`, and several letters in one word, of which the last may take a value."""
        for place, letter in enumerate(word[1:], 2):
            flag = self.flags.get(f"-{letter}")
            if flag:
                self._take_flag(flag, word[place:], whole=place < len(word))
            if flag and flag.values:
                return

    def _take_flag(self, flag: Flag, value: str, *, whole: bool) -> None:
        """An option was named, with its value in the same word or with none yet."""
        if flag.values and not whole:
            self.waiting = flag
        else:
            self._give(flag, value)

    def _give(self, flag: Flag, value: str) -> None:
        self.given.setdefault(flag.name, []).append(value)
        if flag.name == "library" and self.arguments and isinstance(self.command, PromptCommand):
            self._choose()


class _Unknown:
    """The command that a word does not name: it takes nothing."""

    name = ""
    params: Sequence[Any] = ()


def _summaries(group: TyperGroup) -> Iterator[tuple[str, str]]:
    """The commands of a group, with what each does in a line."""
    if isinstance(group, Commands):
        return iter(SUMMARIES.items())
    shown = ((name, command) for name, command in group.commands.items() if not command.hidden)
    return ((name, str(command.get_short_help_str(80))) for name, command in shown)


def _flags(command: Any) -> Iterator[tuple[str, Flag]]:
    """The options of a command by each of their spellings."""
    for option in command.params:
        if isinstance(option, TyperOption) and not option.hidden:
            values = None if option.is_flag else _completer(command, option)
            flag = Flag(str(option.name), option.help or "", values, option.multiple)
            yield from ((spelling, flag) for spelling in (*option.opts, *option.secondary_opts))
    yield from ((spelling, Flag("help", "Show the help.")) for spelling in HELP_FLAGS)


def _completer(command: Any, param: Any) -> Completer:
    if choices := getattr(param.type, "choices", ()):
        return candidates.one_of(choices)
    places = (f"{command.name} {param.name}", param.metavar, param.name)
    return next((COMPLETERS[place] for place in places if place in COMPLETERS), candidates.nothing)


def _free_flags(params: Sequence[Param], taken: Mapping[str, Flag]) -> dict[str, Flag]:
    """The options of a prompt's params, but for those that the command itself has."""
    every = ((spelling, flag) for param in params for spelling, flag in _param_flags(param))
    return {spelling: flag for spelling, flag in every if spelling not in taken}


def _param_flags(param: Param) -> Iterator[tuple[str, Flag]]:
    switch = param.type == "boolean"
    values = None if switch else candidates.value_of(param)
    flag = Flag(f"param {param.name}", param.help, values, repeatable=param.type == "list")
    for spelling in param.flags:
        yield spelling, replace(flag, values=candidates.files) if spelling == param.file_flag else flag
