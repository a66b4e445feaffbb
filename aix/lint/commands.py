"""What is likely to go wrong with the commands of a prompt; whether they may run is not asked here."""

import re
from collections.abc import Iterable, Iterator, Mapping

from aix.library.prompt import Param
from aix.lint.rules import Finding
from aix.lint.syntax import Call

BRACES = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
POSITIONAL = re.compile(r"\$\{?([1-9]|[@*#])")
SINGLE = re.compile(r"'[^']*'")
"""What the shell takes as it is, such as a script of awk."""
HINT = 'a value is a $1: sh("git log \\"$1\\"", value)'


def of_calls(calls: Iterable[Call], params: Mapping[str, Param]) -> Iterator[Finding]:
    """The findings have the lines of their calls, and no path."""
    for call in calls:
        if call.command is not None:
            for rule, said, hint in _of_call(call, call.command, params):
                yield Finding("", call.line, rule, said, hint)


def _of_call(call: Call, command: str, params: Mapping[str, Param]) -> Iterator[tuple[str, str, str]]:
    if found := BRACES.search(command):
        yield "sh-value", f"the command holds '{found[0][:40]}', which stays as it is there", HINT
    if said := _miscounted(call, command):
        yield "sh-value", said, HINT
    for param in (params[name] for name in dict.fromkeys(call.values) if name in params):
        if param.secret:
            said = f"the secret param '{param.name}' is a value of a command, where other users can see it"
            yield "sh-secret", said, "leave it out"
        elif _may_begin_with_a_dash(param):
            said = f"param '{param.name}' may begin with -, at which the command would not run"
            yield "sh-dash", said, 'give it choices, or a pattern such as "[^-].*"'


def _miscounted(call: Call, command: str) -> str:
    """What is wrong where a command does not use just the values that it is given."""
    used = POSITIONAL.findall(command)
    if call.count < 0 or {*used} & {*"@*#"}:
        return ""
    last = max(map(int, POSITIONAL.findall(SINGLE.sub("", command))), default=0)
    if last > call.count:
        return f"the command has a ${last}, and is given {call.count or 'no'} value{'s' * (call.count != 1)}"
    if call.count and not used:
        return "the command is given values, and does not use them"
    return ""


def _may_begin_with_a_dash(param: Param) -> bool:
    return param.type in ("string", "text", "file") and not param.choices and param.pattern is None
