"""A page in headless Chromium, and what it sends back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MODULES = Path(sys.prefix) / "browser" / "node_modules"
"""What `make browser` installs."""
RUNTIME = MODULES / "onnxruntime-web" / "dist"
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
WAIT_SECONDS = 300
"""How long a page may take. Chosen far above what the slowest takes; only a page that hangs comes near it."""
# Whatever goes wrong before the page has sent something is sent instead.
LISTEN = """<!doctype html><script>
const why = (event) => event.reason?.stack ?? event.message ?? event.type;
const said = (event) => fetch("/sent", { method: "POST", body: "!" + why(event) });
addEventListener("error", said, true);
addEventListener("unhandledrejection", said);
</script>
"""


class _Handler(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript",
        ".js": "text/javascript",
        ".wasm": "application/wasm",
    }
    sent: Queue[bytes]

    def end_headers(self) -> None:
        # Threads share memory, which browsers allow to pages alone that are shut off from others.
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def do_POST(self) -> None:
        self.sent.put(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def run_module(folder: Path, module: str, imports: dict[str, str] | None = None) -> bytes:
    """Run a JavaScript module in a page, and give what it sends with `fetch("/sent", {method: "POST", body})`.

    Args:
        folder: what the page can fetch; what npm installed is put there as `modules/`, onnxruntime-web as `ort/`.
        module: its text.
        imports: what modules are called where others import them, and where they are.

    Raises:
        RuntimeError: the page failed, or sent nothing in time.
    """
    names = f'<script type="importmap">{json.dumps({"imports": imports or {}})}</script>\n'
    text = f'{LISTEN}{names}<script type="module">\n{module}\n</script>\n'
    (folder / "page.html").write_text(text, encoding="utf-8")
    for name, place in (("ort", RUNTIME), ("modules", MODULES)):
        if not (folder / name).exists():
            (folder / name).symlink_to(place)
    handler = type("Handler", (_Handler,), {"sent": Queue()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=folder))
    Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        address = f"http://127.0.0.1:{server.server_port}/page.html"
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", address]
        page = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            sent = handler.sent.get(timeout=WAIT_SECONDS)
        except Empty:
            raise RuntimeError("the page sent nothing") from None
        finally:
            page.terminate()
            page.wait()
            server.shutdown()
            server.server_close()
    if sent.startswith(b"!"):
        raise RuntimeError(sent[1:].decode())
    return sent
