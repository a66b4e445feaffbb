"""Writes down what each SDK sends; run by `record.py` in an environment that has them.

A server on 127.0.0.1 answers every request with status 400, so no SDK needs an answer that it can read.
"""

import contextlib
import json
import sys
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

from conversations import KEY, REQUESTS, SDKS, Asked, Json

HERE = Path(__file__).parent
KEPT = ("authorization", "x-api-key", "api-key", "x-goog-api-key", "anthropic-version")
"""The headers that are written down, the key left out; all others say which SDK on which machine it was."""


class Recorder(BaseHTTPRequestHandler):
    """Keeps every request and refuses it, in a way that no SDK sends again."""

    asked: list[Json]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name: self.headers[name].replace(KEY, "***") for name in KEPT if name in self.headers}
        self.asked.append({"method": self.command, "path": self.path, "headers": headers, "body": json.loads(body)})
        answer = b'{"error": {"message": "recorded", "type": "invalid_request_error"}, "message": "recorded"}'
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Says nothing: what was asked is in the files."""


@contextlib.contextmanager
def recording() -> Iterator[tuple[str, list[Json]]]:
    """The address of a server, and the requests that have come to it."""
    Recorder.asked = []
    with HTTPServer(("127.0.0.1", 0), Recorder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", Recorder.asked
        server.shutdown()


def record(sdk: str, asked: Asked, requests: list[Json]) -> Json:
    """All that is known of one conversation with one SDK."""
    sent: Json = {}
    for mode, send_ in asked.sends.items():
        requests.clear()
        with contextlib.suppress(Exception):  # each SDK has its own for a 400
            send_()
        if len(requests) != 1:
            send_()  # what it raises says why
            sys.exit(f"{sdk} sent {len(requests)} requests for {asked.case} ({mode})")
        sent[mode] = requests[0]
    headers = [request.pop("headers") for request in sent.values()]
    if any(other != headers[0] for other in headers):
        sys.exit(f"{sdk} sends other headers by mode for {asked.case}: {headers}")
    request = REQUESTS[asked.case.removesuffix("-budget")]
    return {
        "sdk": sdk,
        "version": version(sdk),
        "date": date.today().isoformat(),
        "provider": asked.provider,
        "protocol": asked.protocol,
        "home": asked.home,
        "request": {"model": asked.model, **request},
        "headers": headers[0],
        "sent": sent,
    }


def main(names: list[str]) -> None:
    with recording() as (url, requests):
        for name in names:
            for asked in SDKS[name](url):
                path = HERE / name / f"{asked.protocol}.{asked.case}.json"
                path.parent.mkdir(exist_ok=True)
                found = record(name, asked, requests)
                path.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
