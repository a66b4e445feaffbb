"""Record what the official SDKs send for the conversations of `conversations.py`, each in its newest version.

    .venvs/test/bin/python tests/llm/sdk/record.py [SDK…]

It makes an environment of its own, asks a server on 127.0.0.1 and nobody else, and writes `<sdk>/<case>.json` beside
this file. Read the difference before it is committed: what is new there is what a provider has changed.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).parent
SDKS = ("openai", "anthropic", "google-genai", "cohere", "mistralai", "ollama")


def main(sdks: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", *sdks], check=True)
        return subprocess.run([python, HERE / "recorder.py", *sdks], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(SDKS)))
