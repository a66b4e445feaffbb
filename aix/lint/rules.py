"""What is looked for in a prompt file, as a table, and what is found: values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Rule:
    """`says` is what is wrong, `mend` what to do. `silent` says whether a file may have it passed over: what no run
    fails for."""

    severity: Severity
    says: str
    mend: str
    silent: bool = False


def _error(says: str, mend: str, *, silent: bool = False) -> Rule:
    return Rule("error", says, mend, silent)


def _warning(says: str, mend: str) -> Rule:
    return Rule("warning", says, mend, silent=True)


RULES: Mapping[str, Rule] = {
    "unreadable": _error(
        "a file that cannot be read: no regular one, a link out of its folder of prompts, no UTF-8, over 10 MiB",
        "put an ordinary text file there",
    ),
    "too-much": _error("a file that takes more time or memory to look at than any prompt needs", "make it simpler"),
    "front-matter": _error(
        "front matter that has no end, is over 64 KiB, or is no YAML that is accepted", "`--fix` quotes what needs it"
    ),
    "wrong-value": _error("a value of the wrong type, or out of bounds", "what would do stands in the message"),
    "unknown-field": _error(
        "a field that a param, `options` or `output` does not have", "`--fix` takes the one that is meant"
    ),
    "unknown-key": _warning("a key that aix does not know", "`--fix` takes the one that is meant; `x-…` is yours"),
    "flag-clash": _error("two params that fall on one flag", "give one another name, or another `short`"),
    "own-flag": _warning("a param whose flag `aix run` has itself", "give it another name, or use `-p NAME=VALUE`"),
    "required-default": _warning("a required param with a default", "leave one of the two out"),
    "unused-param": _warning("a param that nothing uses", "use it, or take it out"),
    "undefined": _error("a variable that is not declared, where params are", "declare it, or give it a `default(…)`"),
    "schema": _error("an `output.schema` that is no JSON Schema, or needs other documents", "mend the place it names"),
    "syntax": _error("a template that is no Jinja", "what is only text goes between `{% raw %}` and `{% endraw %}`"),
    "include": _error(
        "a file that is not there, that leaves its folder of prompts, or whose name is computed", "name it in quotes"
    ),
    "include-cycle": _error("files that include one another whatever the values are", "take one `include` out"),
    "message-tag": _error("a message tag inside a `set` or `filter` block", "put it outside"),
    "sh-call": _error(
        "`sh` with a command that is computed, or by another name", '`sh("git log \\"$1\\"", value)` gives it values'
    ),
    "sh-value": _warning(
        "a command that holds `{{ … }}`, or does not use just the values that it is given", "name them `$1`, `$2`, …"
    ),
    "sh-dash": _warning(
        "a command with a param for a value that may begin with `-`, at which it would end",
        'choices, or a pattern: `"[^-].*"`',
    ),
    "sh-secret": _warning("a `secret` param as a value of a command, where other users can see it", "leave it out"),
    "lookalike": _warning("`{#` and `${{` that look like text, and that Jinja takes for its own", "`{% raw %}`"),
    "old-placeholder": _warning("a placeholder of older prompts, which is only text", "`aix create --convert`"),
    "secret": _error("a key, or what looks like one", "take it out, and have the key replaced", silent=True),
    "unknown-model": _error("a model, role or provider that nobody has", "`aix model list`, `aix provider list`"),
    "unlisted-model": _warning("a model that its provider is not known to have", "`aix model refresh`"),
    "retired-model": _warning("a model that its maker has ended", "the successor that the message names"),
    "only-here": _warning(
        "a role or provider that only your own config.json has, in a prompt that others can have",
        "a role of the project, or a provider that all have",
    ),
    "file-name": _warning("a file or folder whose name no prompt can have, so that it is not listed", "rename it"),
    "same-name": _warning("two names that differ only in case: some disks keep one of them", "rename one"),
    "unknown-rule": _warning("a word under `x-lint` that is no rule", "a name from this table"),
}
"""Every rule by its name."""


@dataclass(frozen=True, slots=True)
class Change:
    """A line of a file as it is, and as it would be without the fault; neither has its end."""

    line: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in a line of a file. `changes` mend it without changing what the file means."""

    path: str
    line: int
    rule: str
    message: str
    hint: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def severity(self) -> Severity:
        return RULES[self.rule].severity
