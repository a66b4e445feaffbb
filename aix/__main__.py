"""`python -m aix` is the same as `aix`."""

from aix.cli.main import main

main()
