"""The marks that one render leaves in its text: where a message begins, and where an image stands.

They are random, so that no value can hold one, and numbered, so that none is lost, moved or doubled unseen.
"""

import re
import secrets
from collections.abc import Iterator
from typing import cast

from aix.errors import TemplateError
from aix.messages import Image, Message, Part, Role, Text

ROLES = ("system", "user", "assistant")
MAX_MESSAGES = 10_000


class Marks:
    """The marks of one render of the prompt at `place`."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._token = secrets.token_hex(16)
        self.begun = 0
        """How many messages have begun."""
        self._images: dict[str, Image] = {}

    def begin(self, role: str) -> str:
        """The mark of a message that begins here. Raises TemplateError for one too many."""
        self.begun += 1
        if self.begun > MAX_MESSAGES:
            raise TemplateError(f"{self._place}: it renders to more than {MAX_MESSAGES:,} messages")
        return f"\x02{self._token}:{self.begun - 1}:{role}\x03"

    def stand_in(self, image: Image) -> str:
        """The mark of an image, for its place in the text."""
        mark = f"\x02{self._token}:image{len(self._images)}\x03"
        self._images[mark] = image
        return mark

    def messages(self, text: str) -> tuple[Message, ...]:
        """The rendered text as messages: each trimmed, an empty one dropped, the images where their marks are.

        Raises TemplateError when a mark does not stand where the template put it.
        """
        pieces = re.split(f"\x02{self._token}:([0-9]+):({'|'.join(ROLES)})\x03", text)
        if pieces[1::3] != [str(number) for number in range(self.begun)]:
            raise self._misplaced()
        roles = ["user", *pieces[2::3]]
        said = [
            Message(cast("Role", role), tuple(self._parts(piece.strip())))
            for role, piece in zip(roles, pieces[::3], strict=True)
        ]
        return tuple(message for message in said if message.parts)

    def _parts(self, text: str) -> Iterator[Part]:
        marks = "|".join(re.escape(mark) for mark in self._images)
        for piece in re.split(f"({marks})", text) if marks else [text]:
            if piece in self._images:
                yield self._images[piece]
            elif self._token in piece.lower():
                raise self._misplaced()
            elif piece:
                yield Text(piece)

    def _misplaced(self) -> TemplateError:
        return TemplateError(
            f"{self._place}: a message tag or an image stands where its text is kept, changed or moved",
            hint="put it outside of set and filter blocks",
        )
