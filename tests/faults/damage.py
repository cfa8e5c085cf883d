"""Damage to the bytes of a file: cut, flipped, overwritten, and other bytes in its place."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable

from faults.fields import FIELDS

OTHERS = (
    b"",
    b"\0",
    b"\n",
    b"\x89PNG\r\n\x1a\n" + bytes(64),
    b"PK\x03\x04" + bytes(26),
    b"{}",
    b"[]",
    b"null",
    b"- \n",
)
OTHERS += (
    "Größe: 1\n".encode("latin-1"),
    "v 1 2 3\n".encode("utf-16"),
    b"\xef\xbb\xbf",
    b"\x1b[2J\n" * 8,
    b"\xff" * 4096,
)
"""What stands where another content was expected."""


def boundaries(data: bytes) -> list[int]:
    """Where a part of a file's structure ends: members of an archive, chunks of a .glb or picture, lines."""
    found = [0, 1, 4, 8, 12, 20, len(data) - 1]
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found += [member.header_offset for member in archive.infolist()] + [archive.start_dir, len(data) - 22]
            found += [member.header_offset + 30 + len(member.filename) for member in archive.infolist()]
    if data[:4] == b"glTF":
        length = int.from_bytes(data[12:16], "little")
        found += [20 + length, 28 + length]
    if data[:4] == b"\x89PNG":
        found += [match.start() for match in re.finditer(b"IHDR|IDAT|IEND", data)]
    lines = [match.end() for match in re.finditer(b"\n", data[:200_000])]
    found += lines[:20] + lines[-5:] + ([data.index(b"end_header")] if b"end_header" in data else [])
    return sorted({place for place in found if 0 <= place < len(data)})


def cut_at_boundary(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.choice(boundaries(data))]


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def flip(data: bytes, rng: random.Random) -> bytes:
    """One bit, mostly anywhere, now and then in what stands first, which says what the rest is."""
    held = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 8))):
        held[rng.randrange(min(len(held), rng.choice((len(held), len(held), 300))))] ^= 1 << rng.randrange(8)
    return bytes(held)


def overwrite(data: bytes, rng: random.Random) -> bytes:
    start, length = rng.randrange(len(data)), rng.choice((1, 4, 64, 1024))
    filler = rng.choice((b"\0", b"\xff", b"9", b"-", b"\n", b" "))
    return data[:start] + filler * min(length, len(data) - start) + data[start + length :]


def insert(data: bytes, rng: random.Random) -> bytes:
    start = rng.choice(boundaries(data))
    return (
        data[:start]
        + rng.choice((b"\0", b"\xff\xfe", b"\n", b"nan ", b"1e999 ", b"9" * 400, b"\xc3\x28"))
        + data[start:]
    )


def drop(data: bytes, rng: random.Random) -> bytes:
    start = rng.choice(boundaries(data))
    return data[:start] + data[start + rng.choice((1, 2, 16, 200)) :]


def double(data: bytes, rng: random.Random) -> bytes:
    start, stop = sorted((rng.choice(boundaries(data)), rng.choice(boundaries(data))))
    return data[:stop] + data[start:stop] + data[stop:]


def other(data: bytes, rng: random.Random) -> bytes:
    return rng.choice(OTHERS)


BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(cut_at_boundary, cut_at_boundary, cut, flip, flip, overwrite, insert, drop, double, other),
)
"""What is done to bytes; twice what finds most."""


def damaged(data: bytes, suffix: str, rng: random.Random) -> tuple[bytes, str]:
    """A file's bytes with one damage, to a field of what it holds or to the bytes themselves, and what was done."""
    fields = FIELDS.get(suffix)
    if fields is not None and rng.random() < 0.6:
        return fields(data, rng)
    way = rng.choice(BYTES)
    return way(data, rng), way.__name__
