"""Who may talk to the studio: its own page, and nobody else's."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""Names of this machine for itself."""
COOKIE = "facegen-token"
"""Under which a browser keeps the token."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content of the page comes from this server alone; blobs are textures that three.js takes out of a mesh."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def in_address(host: str) -> str:
    """How an address of a machine stands in front of a port: in brackets where it has colons itself (RFC 3986)."""
    return f"[{host}]" if ":" in host else host


def guard(port: Callable[[], int], host: str | None, token: str | None) -> Callable[..., Awaitable[web.StreamResponse]]:
    """What looks at every request first.

    A page elsewhere can make a browser send requests here: its Origin gives it away, and where it has had its own name
    point to this machine, Host does. With a token, whoever does not have it is refused too.

    Args:
        port: the port that is served.
        host: the address that is served beside loopback; None for loopback alone.
        token: needed with `host`.
    """

    @web.middleware
    async def look(request: web.Request, handler: Handler) -> web.StreamResponse:
        named = request.headers.get("Host", "")
        anywhere = host in ("0.0.0.0", "::")  # any name of this machine; the token is what counts
        names = [*LOOPBACK, *([in_address(host)] if host else [])]
        if not anywhere and named not in [f"{name}:{port()}" for name in names]:
            raise web.HTTPForbidden(text="the studio is opened under its own address alone, which it prints")
        origin = request.headers.get("Origin")
        if origin is not None and origin not in (f"http://{named}", f"https://{named}"):  # the latter behind a proxy
            raise web.HTTPForbidden(text="another page may not talk to the studio")
        if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            raise web.HTTPForbidden(text="another page may not talk to the studio")
        writes = request.method not in ("GET", "HEAD") or request.path == "/frames"
        if writes and origin is None:
            raise web.HTTPForbidden(text="the studio's own page says where it comes from; this request does not")
        if token is not None:
            given = request.cookies.get(COOKIE, "")
            if request.path == "/" and hmac.compare_digest(request.query.get("token", "").encode(), token.encode()):
                moved = web.HTTPSeeOther("/")
                moved.set_cookie(COOKIE, token, httponly=True, samesite="Strict")
                raise moved
            if not hmac.compare_digest(given.encode(errors="replace"), token.encode()):
                raise web.HTTPForbidden(text="open the address that the studio printed, with its token")
        response = await handler(request)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    return look
