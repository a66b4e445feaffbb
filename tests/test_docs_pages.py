"""What the pages of docs/ show is what happens."""

from pathlib import Path

import pytest
from pages import DOCS, check


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_all_that_a_page_shows_happens(page: Path, home: Path) -> None:
    check(page, home)
