"""The verb that opens the page: studio."""

from __future__ import annotations

import argparse
import ipaddress
from argparse import Namespace
from pathlib import Path

from facegen.errors import FacegenError
from facegen.optional import require
from facegen.readable import require_file
from facegen.verbs.numbers import whole
from facegen.verbs.shared import add_checkpoint, add_verb

PORT = 8421
"""Of the page where none is given. Chosen: no common program takes it."""
SHORTEST_TOKEN = 16
"""Characters of a token at least. Chosen: what is shorter can be guessed."""

# Everything else is imported where it is used: a verb that needs no network starts without loading torch.


def add_studio(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "studio",
        studio,
        "open a page on this machine on which expressions are chosen, timed, played and exported",
        "facegen studio face.obj",
    )
    parser.add_argument(
        "mesh",
        nargs="?",
        type=Path,
        metavar="MESH",
        help=".obj, .ply, .glb, .gltf, .vrm of any face at rest, or a photograph (default: the "
        "head that comes with facegen)",
    )
    add_checkpoint(parser)
    parser.add_argument(
        "--port", type=whole(0, 65535), default=PORT, metavar="N", help=f"of the page; 0 is any (default: {PORT})"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the page's address, and open no browser")
    parser.add_argument(
        "--host", metavar="ADDRESS", help="serve other machines too, at this address of this one; needs --token"
    )
    parser.add_argument(
        "--token",
        metavar="SECRET",
        help=f"what whoever opens the page has to know, of {SHORTEST_TOKEN} characters or more",
    )


def studio(options: Namespace) -> None:
    """Serve the page until it is stopped."""
    _require_token(options)
    for path, what in ((options.model, "checkpoint; make one with `facegen fit`"), (options.mesh, "mesh")):
        if path is not None:
            require_file(path, missing=f"no such {what}")
    require("aiohttp", "studio")
    from facegen.studio.server import Place, run

    place = Place(options.port, options.host, options.token, not options.no_browser)
    run(options.model, options.mesh, place, options.trust)


def _require_token(options: Namespace) -> None:
    """Refuse to serve other machines without a secret."""
    if (options.host is None) != (options.token is None):
        raise FacegenError("--host ADDRESS and --token SECRET go together: other machines are served to who knows it")
    if options.host is None:
        return
    try:
        ipaddress.ip_address(options.host)
    except ValueError:
        raise FacegenError(f"--host must be an address such as 192.168.1.20 or 0.0.0.0, got {options.host}") from None
    token = options.token
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.replace("-", "").replace("_", "").isalnum():
        raise FacegenError(f"--token must have {SHORTEST_TOKEN} letters, digits, - and _ or more")
