"""A server that speaks the part of ModelScope's hub API that downloads need."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import parse_qs, urlsplit


@dataclass
class Hub:
    """One repository and what shall go wrong with it.

    Attributes
    ----------
    break_after
        Bytes after which answers with file content break off; 0 for never.
    breaks
        How many answers break off.
    stall_after
        Bytes after which answers stop until `released` is set; 0 for never.
    announced
        SHA-256 in the listing; the real one where it is empty.
    requests
        Method, path and Range header of every request.
    """

    model: str
    files: dict[str, bytes]
    break_after: int = 0
    breaks: int = 0
    stall_after: int = 0
    announced: str = ""
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Hub:
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub = hub
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def ranges(self) -> list[str]:
        """Return the Range headers of the requests for file content."""
        return [asked for _, path, asked in self.requests if "FilePath=" in path]

    def listing(self) -> dict[str, object]:
        return {
            "Code": 200,
            "Success": True,
            "Data": {
                "Files": [
                    {
                        "Name": name.rpartition("/")[2],
                        "Path": name,
                        "Type": "blob",
                        "Size": len(content),
                        "Sha256": self.announced or hashlib.sha256(content).hexdigest(),
                        "Revision": "master",
                    }
                    for name, content in self.files.items()
                ]
            },
        }


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        hub = self.hub
        asked = self.headers.get("Range", "")
        hub.requests.append((self.command, self.path, asked))
        split = urlsplit(self.path)
        query = parse_qs(split.query)
        root = f"/api/v1/models/{hub.model}"
        if split.path == f"{root}/repo/files":
            self._json(hub.listing())
        elif split.path == f"{root}/repo" and query["FilePath"][0] in hub.files:
            self._content(hub.files[query["FilePath"][0]], asked)
        elif split.path == root:
            self._json({"Code": 200, "Success": True, "Data": {"Name": hub.model}})
        elif split.path == f"{root}/revisions":
            revision = {"Revision": "master", "CreatedAt": 0}
            data = {"RevisionMap": {"Branches": [revision], "Tags": []}}
            self._json({"Code": 200, "Success": True, "Data": data})
        else:
            self._json({"Code": 404, "Success": False, "Message": "not found"}, 404)

    do_HEAD = do_GET

    def _json(self, answer: object, status: int = 200) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _content(self, content: bytes, asked: str) -> None:
        hub = self.hub
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked)
        first = int(found[1]) if found else 0
        last = int(found[2]) if found and found[2] else len(content) - 1
        body = content[first : last + 1]
        self.send_response(206 if found else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Accept-Ranges", "bytes")
        if found:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        if hub.break_after and hub.breaks > 0:
            hub.breaks -= 1
            self.wfile.write(body[: hub.break_after])
            self.close_connection = True
            return
        if hub.stall_after:
            self.wfile.write(body[: hub.stall_after])
            self.wfile.flush()
            hub.released.wait(60)
            self.close_connection = True
            return
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass
