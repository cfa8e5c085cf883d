"""Where motion is sent to: `live-link://HOST:PORT` or `vmc://HOST:PORT`."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

from facegen.errors import FacegenError, unknown

SCHEMES = ("live-link", "vmc")
"""What can be spoken."""
USUAL = {"live-link": 11111, "vmc": 39539}
"""The ports that Unreal's plugin and avatars listen on unless they are told otherwise."""
_ADDRESS = re.compile(r"([^:/]+)://(\[[^\]]+\]|[^:/\[\]]+):(\d{1,9})/?")


@dataclass(frozen=True)
class Address:
    """A receiver.

    Args:
        scheme: one of `SCHEMES`.
        family: of the socket that reaches it.
        place: as that socket takes it.
    """

    scheme: str
    family: int
    place: tuple

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address, and look its host up.

        Raises:
            FacegenError: it is no such address, or nobody knows the host.
        """
        example = ", ".join(f"{scheme}://127.0.0.1:{USUAL[scheme]}" for scheme in SCHEMES)
        found = _ADDRESS.fullmatch(text)
        if found is None:
            raise FacegenError(f"--to: expected SCHEME://HOST:PORT, such as {example}; got {text[:80]!r}")
        scheme, host, port = found[1].lower(), found[2].strip("[]"), int(found[3])
        if scheme not in SCHEMES:
            raise FacegenError(f"--to {text[:80]}: {unknown('scheme', scheme, SCHEMES)}")
        if not 1 <= port <= 65535:
            raise FacegenError(f"--to {text[:80]}: a port is from 1 to 65535, got {port}")
        try:
            ((family, *_, place), *_) = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError):
            raise FacegenError(
                f"--to {text[:80]}: nobody here knows the host {host[:60]!r}; give its number, such as 192.168.1.20"
            ) from None
        return cls(scheme, int(family), place)
