"""How each shell hands over what is typed, and how a value must be written so that it stays one plain word there."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aix.cli.completion.candidates import Candidate

WORDS_VARIABLE = "_AIX_WORDS"
OPEN_ENDS = (":", "=", "/")
"""What stands at the end of a value that goes on; a shell puts no space after it."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands before the cursor: whole words, and the one that is being typed.

    `head` is what of that word the shell keeps, and `quote` the quotation mark that is open in it. `redirected` says
    that the word is where a stream goes or comes from.
    """

    before: Sequence[str]
    word: str
    head: str = ""
    quote: str = ""
    redirected: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """`read` takes the arguments and the environment, `fits` a value and the word, `write` gives a line."""

    read: Callable[[Sequence[str], Mapping[str, str]], Typed]
    fits: Callable[[str, str], bool]
    write: Callable[[Candidate, Typed], str]


@dataclass(slots=True)
class _BashLine:
    """A line of bash, read up to the cursor. bash itself parts words at `:` and `=` too, and replaces only what comes
    after the last of those: `cut` is how much of the word that leaves alone."""

    breaks: str
    words: list[str] = field(default_factory=list)
    word: str | None = None
    quote: str = ""
    cut: int = 0
    before_quote: int = 0
    redirected: bool = False

    def read(self, line: str) -> None:
        letters = iter(line)
        for letter in letters:
            if self.quote:
                self._quoted(letter, letters)
            elif letter == "\\":
                self._add(next(letters, ""))
            elif letter in "\"'":
                self._add("")
                self.before_quote, self.cut, self.quote = self.cut, len(self.word or ""), letter
            elif letter in " \t\n":
                self._end()
            elif letter in "<>":
                self._redirect()
            else:
                self._add(letter)
                if letter in self.breaks:
                    self.cut = len(self.word or "") - (letter == "@")  # the one mark that bash keeps with what follows

    def _quoted(self, letter: str, letters: Iterator[str]) -> None:
        if letter == self.quote:
            self.quote, self.cut = "", self.before_quote
        elif letter == "\\" and self.quote == '"':
            following = next(letters, "")
            self._add(following if following in '"\\$`' else letter + following)
        else:
            self._add(letter)

    def _add(self, letter: str) -> None:
        self.word = (self.word or "") + letter

    def _end(self) -> None:
        if self.word is not None and not self.redirected:
            self.words.append(self.word)
        self.redirected = self.redirected and self.word is None
        self.word, self.cut = None, 0

    def _redirect(self) -> None:
        if self.word is not None and re.fullmatch("[0-9]+|&", self.word):
            self.word = None
        self._end()
        self.redirected = True


def _read_bash(arguments: Sequence[str], _: Mapping[str, str]) -> Typed:
    line = _BashLine(breaks=arguments[1])
    line.read(arguments[0])
    word = line.word or ""
    return Typed(line.words[1:], word, word[: line.cut], line.quote, line.redirected)


def _read_words(arguments: Sequence[str], _: Mapping[str, str]) -> Typed:
    return Typed(arguments[:-1], arguments[-1])


def _read_variable(_: Sequence[str], env: Mapping[str, str]) -> Typed:
    return _read_words(env[WORDS_VARIABLE].split("\n"), env)


def _begins(value: str, word: str) -> bool:
    return value.startswith(word)


def _holds(value: str, word: str) -> bool:
    """For a shell that chooses among the values by its own rules."""
    return word.lower() in value.lower()


def _write_bash(candidate: Candidate, typed: Typed) -> str:
    return _QUOTED[typed.quote](candidate.value[len(typed.head) :])


_QUOTED: Mapping[str, Callable[[str], str]] = {
    "": lambda text: re.sub(r"([^\w@%+=:,./-])", r"\\\1", text),
    '"': lambda text: re.sub(r'([\\"$`])', r"\\\1", text).replace("!", '"\\!"'),
    "'": lambda text: text.replace("'", "'\\''"),
}
"""How bash must have a text where no quotation mark is open, or that one is."""


def _write_zsh(candidate: Candidate, _: Typed) -> str:
    mark = "+" if candidate.value.endswith(OPEN_ENDS) else "-"
    value, said = candidate.value.replace("\\", "\\\\").replace(":", "\\:"), candidate.said.replace("\\", "\\\\")
    return f"{mark}{value}:{said}" if said else f"{mark}{value}"


def _write_fish(candidate: Candidate, _: Typed) -> str:
    return f"{candidate.value}\t{candidate.said}"


def _write_powershell(candidate: Candidate, _: Typed) -> str:
    value = candidate.value
    quoted = value if re.fullmatch(r"[A-Za-z0-9_./:=-]+", value) else "'" + _CLOSING.sub(r"\g<0>\g<0>", value) + "'"
    return f"{quoted}\t{value}\t{candidate.said or value}"


_CLOSING = re.compile("['‘’‚‛]")
"""What ends a text in single quotation marks for PowerShell."""

DIALECTS: Mapping[str, Dialect] = {
    "bash": Dialect(_read_bash, _begins, _write_bash),
    "zsh": Dialect(_read_words, _holds, _write_zsh),
    "fish": Dialect(_read_words, _holds, _write_fish),
    "powershell": Dialect(_read_variable, _begins, _write_powershell),
}
