"""Tests against servers that this project did not write (a package, so that its conftest stands beside the other)."""
