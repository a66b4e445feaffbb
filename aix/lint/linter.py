"""Files in, findings out: each looked at in a child that ends, as a stranger may have written it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from aix.bounded import ExhaustedError, Limits, bounded
from aix.config.secrets import Secret, hidden_with_likes
from aix.errors import TemplateError
from aix.library.place import USER
from aix.lint.file import File, Knowledge, Seen, look
from aix.lint.models import Models, Said
from aix.lint.rules import Change, Finding

AT_ONCE = 100
"""How many files one child looks at."""

MANY = Limits(wall=60.0, cpu=10.0, memory=512 * 1024**2, inner=False)
ONE = Limits(wall=20.0, cpu=4.0, memory=512 * 1024**2)
"""What looking at many files may take, or at a single one, where each schema and pattern is bounded by itself too. What
counts is computing: a busy machine is no fault of theirs."""


@dataclass(frozen=True, slots=True)
class Linter:
    """`models` is made when the first prompt names one; `secrets` are never in a finding."""

    known: Knowledge
    models: Callable[[], Models]
    secrets: Sequence[Secret] = ()

    def lint(self, files: Iterable[File | Finding]) -> Iterator[tuple[File | None, list[Finding]]]:
        """Each file with what is wrong with it; what is known to be wrong already stands without one."""
        said: dict[tuple[str, bool], list[Said]] = {}
        told: set[Finding] = set()
        waiting = iter(files)
        while batch := list(islice(waiting, AT_ONCE)):
            looked = self._looked([one for one in batch if isinstance(one, File)])
            for one in batch:
                if isinstance(one, Finding):
                    yield None, [one]
                    continue
                found = [finding for finding in self._of(one, looked[one], said) if finding not in told]
                told.update(finding for finding in found if one.is_partial or finding.path != str(one.path))
                yield one, found

    def findings(self, file: File, data: bytes | None = None) -> list[Finding]:
        """What is wrong with one file, which holds `data`."""
        return list(self._of(file, self._alone(file, data), {}))

    def _of(self, file: File, seen: Seen, said: dict[tuple[str, bool], list[Said]]) -> Iterator[Finding]:
        """The findings of a file with those of its models, without any key."""
        own = file.layer.name == USER
        findings = list(seen.findings)
        for line, text in seen.models:
            if (text, own) not in said:
                said[text, own] = self.models().look(text, own=own)
            more = (Finding(str(file.path), line, *what) for what in said[text, own])
            findings += (finding for finding in more if finding.rule not in seen.silenced)
        for finding in sorted(findings, key=lambda one: (one.path != str(file.path), one.path, one.line)):
            message, hint = (hidden_with_likes(text, self.secrets) for text in (finding.message, finding.hint))
            yield replace(finding, message=message, hint=hint)

    def _looked(self, files: Sequence[File]) -> dict[File, Seen]:
        try:
            rows = bounded(lambda: [_row(self._look(file)) for file in files], MANY) if files else []
        except ExhaustedError:
            return {file: self._alone(file) for file in files}
        return {file: _seen(row) for file, row in zip(files, rows, strict=True)}

    def _alone(self, file: File, data: bytes | None = None) -> Seen:
        try:
            return _seen(bounded(lambda: _row(self._look(file, data)), ONE))
        except ExhaustedError:
            said = "looking at it takes more time or memory than any prompt needs"
            return Seen((Finding(str(file.path), 1, "too-much", said, "make it shorter, or divide it"),))

    def _look(self, file: File, data: bytes | None = None) -> Seen:
        try:
            return look(file, file.data() if data is None else data, self.known)
        except TemplateError as error:
            return Seen((Finding(str(file.path), 1, "unreadable", error.message, error.hint),))


def _row(seen: Seen) -> Any:
    """What was seen, as plain data."""
    return [[asdict(finding) for finding in seen.findings], seen.models, sorted(seen.silenced)]


def _seen(row: Any) -> Seen:
    findings, models, silenced = row
    rows = ({**one, "changes": tuple(Change(**change) for change in one["changes"])} for one in findings)
    return Seen(
        tuple(Finding(**one) for one in rows), tuple((line, text) for line, text in models), frozenset(silenced)
    )
