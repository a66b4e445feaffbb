"""Ranking prompts by words: a prompt is found when each word stands in its name, tags, description or body."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

Field = Literal["name", "tags", "description", "body"]

WEIGHTS: dict[Field, int] = {"name": 1000, "tags": 100, "description": 10, "body": 1}
"""What a word is worth by where it stands: the worst place in a name is better than the best one in a tag."""

EXACT, WHOLE, START, INSIDE = 8, 4, 2, 1
"""What it is worth as all that stands there, as a whole word, as the beginning of one, and within one."""


LEAD = 8
"""How many letters before a found word are shown of a line that is too long."""


class Searched(Protocol):
    """What a prompt is searched by. Its body may be read from the disk each time."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def tags(self) -> Sequence[str]: ...
    @property
    def body(self) -> str: ...


Found = TypeVar("Found", bound=Searched)


@dataclass(frozen=True, slots=True)
class Hit(Generic[Found]):
    """A prompt that was found: `field` is where its best word stands, `line` the line there that has it."""

    prompt: Found
    score: int
    field: Field
    line: str = ""


def search(prompts: Iterable[Found], words: Sequence[str]) -> list[Hit[Found]]:
    """The prompts that hold every word, in any case, best first."""
    wanted = _plain(" ".join(words)).split()
    hits = [hit for prompt in prompts if (hit := _hit(prompt, wanted))]
    return sorted(hits, key=lambda hit: (-hit.score, hit.prompt.name))


def fuzzy(typed: str, names: Mapping[str, str]) -> list[str]:
    """The names that have the typed letters in their order, closest together first, then those of which it is said."""
    letters = [letter for letter in typed.casefold() if not letter.isspace()]
    if not letters:
        return list(names)
    found = {name: min(_spans(letters, name.casefold()), default=None) for name in names}
    near = sorted((span, name) for name, span in found.items() if span)
    said = [name for name in names if not found[name] and typed.casefold() in names[name].casefold()]
    return [*(name for _, name in near), *said]


def _spans(letters: Sequence[str], text: str) -> Iterator[tuple[int, int, int]]:
    """How far the letters are apart, and from where on, for each place at which they begin."""
    for start in (place for place, letter in enumerate(text) if letter == letters[0]):
        end = start
        for letter in letters:
            end = text.find(letter, end) + 1
            if not end:
                return
        yield end - start, start, len(text)


def around(line: str, words: Sequence[str]) -> str:
    """A long line from shortly before the first of the words on, so that it can be seen where the line is cut."""
    found = [at for word in _plain(" ".join(words)).split() if (at := _plain(line).find(word)) >= 0]
    start = min(found, default=0) - LEAD
    return line if start <= LEAD else "…" + line[start:].lstrip()


def _plain(text: str) -> str:
    """The text without what makes no difference: case, and how a letter and its accent are written."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _hit(prompt: Found, words: Sequence[str]) -> Hit[Found] | None:
    """The body is looked into for a word that stands nowhere else: any other place is better."""
    texts: dict[Field, str] = {
        "name": prompt.name,
        "tags": " ".join(prompt.tags),
        "description": prompt.description,
    }
    best = _best(texts, words)
    if not all(score for score, _ in best):
        texts["body"] = prompt.body
        best = _best(texts, words)
    if not best or not all(score for score, _ in best):
        return None
    field: Field = max(best)[1]
    return Hit(prompt, sum(score for score, _ in best), field, _line(texts[field], words))


def _best(texts: Mapping[Field, str], words: Sequence[str]) -> list[tuple[int, Field]]:
    """For each word, what its best place is worth, and which that is."""
    plain = {field: _plain(text) for field, text in texts.items()}
    return [max(_scores(plain, word), default=(0, "body")) for word in words]


def _scores(texts: Mapping[Field, str], word: str) -> Iterator[tuple[int, Field]]:
    for field, text in texts.items():
        if word in text:
            yield WEIGHTS[field] * _closeness(text, word), field


def _closeness(text: str, word: str) -> int:
    if text == word:
        return EXACT
    starts = [match.end() for match in re.finditer(rf"(?<!\w){re.escape(word)}", text)]
    if any(not text[end : end + 1].isalnum() for end in starts):
        return WHOLE
    return START if starts else INSIDE


def _line(text: str, words: Sequence[str]) -> str:
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if any(word in _plain(line) for word in words)), "")
