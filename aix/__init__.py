"""aix: keep prompts as files, and run them with any model provider."""

__version__ = "0.1.0"
