"""Where a prompt is kept, and the edit that may wait beside it."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from aix.config import files
from aix.config.reading import read_regular
from aix.errors import TemplateError, UsageError
from aix.library.layer import Layer, read_bytes
from aix.library.reference import WRITTEN

USER, PROJECT, BUILT_IN, FILE = "user", "project", "builtin", "file"
"""The layer that is written to unless another is named; the one of who works here; the one that comes with the program;
and the one that a prompt file from anywhere makes of its folder. All others are collections."""

BROKEN = ".broken"
"""What the file is called, beside the prompt's, that keeps an edit which is no prompt yet."""

_INSTEAD = {"deleted": "one of your own with that name hides it", "renamed": "aix copy {} NEW-NAME"}
"""What to do with a prompt that cannot be deleted or renamed, since it comes with aix or a collection."""


@dataclass(frozen=True, slots=True)
class Place:
    """A name in a layer; whether there is a file, and whether it can be read as a prompt, does not matter."""

    name: str
    layer: Layer

    @property
    def path(self) -> Path:
        return self.layer.path(self.name)

    @property
    def folder(self) -> str:
        """The part of the name before the last segment, with its slash."""
        return self.name[: self.name.rfind("/") + 1]

    @property
    def qualified(self) -> str:
        """The name that means the prompt of this layer, whatever hides it."""
        return f"{self.layer.name}:{self.name}"

    @property
    def editable(self) -> bool:
        return self.layer.name in WRITTEN

    def refuse_to_take_away(self, what: str) -> None:
        """Raise UsageError for a prompt that cannot be `what`, deleted or renamed: that of a layer which is only read,
        and one in a folder that a link leads to from its layer, which is somebody else's file."""
        if not self.editable:
            whose = "built in" if self.layer.name == BUILT_IN else f"of the collection {self.layer.name}"
            hint = _INSTEAD[what].format(self.qualified)
            raise UsageError(f"'{self.name}' is {whose} and cannot be {what}", hint=hint)
        if not self.layer.holds_name(self.path):
            raise UsageError(f"{self.path} leads out of the prompts in {self.layer.root}, and is left as it is")

    def refuse_outside(self) -> None:
        """Raise UsageError for a place that a link leads out of its layer."""
        if not self.layer.holds(self.path):
            raise UsageError(f"{self.path} leads out of the prompts in {self.layer.root}", hint="choose another name")

    def data(self) -> bytes:
        """The file as it is. Raises TemplateError."""
        if self.layer.name == FILE:  # the user named it, wherever it leads
            return read_bytes(self.path, str(self.path))
        return self.layer.data(self.path)

    def holds(self, data: bytes) -> bool:
        """Whether the file is there and holds just that."""
        with contextlib.suppress(TemplateError):
            return self.data() == data
        return False

    @property
    def broken(self) -> Path:
        """The file beside it for an edit that is no prompt yet."""
        return self.path.with_name(self.path.name + BROKEN)

    def kept(self, limit: int) -> bytes | None:
        """The edit that waits beside it, if there is one. Raises UsageError for what cannot be read, or has more than
        `limit` bytes; and for a link, since a stranger's could lead to any file."""
        if not os.path.lexists(self.broken):
            return None
        try:
            files.refuse_link(self.broken)
            return read_regular(self.broken, limit)
        except OSError as error:
            said = (error.strerror or str(error)).lower()
            raise UsageError(f"{self.broken} is left as it is: {said}") from None

    def keep(self, data: bytes, instead: bytes | None) -> None:
        """Keep an edit that is no prompt yet, in the place of the one that it went on with. Raises UsageError when
        another one is kept there, or StorageError."""
        self.refuse_outside()
        self.make_root()
        write = files.write_shared if self._keeps(instead) else files.create_shared
        write(self.broken, data)

    def drop_kept(self, data: bytes) -> None:
        """Remove the edit that waits beside it, if it is just that one. Raises StorageError."""
        with files.storage(self.broken):
            if self._keeps(data):
                self.broken.unlink(missing_ok=True)

    def _keeps(self, data: bytes | None) -> bool:
        with contextlib.suppress(UsageError):
            return data is not None and self.kept(len(data)) == data
        return False

    def make_root(self) -> None:
        """The user's own library is private from its birth; a project's follows the umask, as all of a project does."""
        with files.storage(self.layer.root):
            if self.layer.name == USER:
                files.make_private_directory(self.layer.root)

    def remove_empty_folders(self) -> None:
        """Remove the folders above a file that is gone, as far as they are empty; the root stays."""
        for folder in self.path.relative_to(self.layer.root).parents[:-1]:
            with contextlib.suppress(OSError):
                os.rmdir(self.layer.root / folder)  # noqa: PTH106 - refuses what is not empty
