"""The header of a PLY file: which numbers its body holds, and in which order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.formats.text import unquoted

_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
    "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float": "f4", "double": "f8", "float32": "f4", "float64": "f8",
}  # fmt: skip
"""numpy's type of each type that a header may name."""
ORDERS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}
"""numpy's byte order of each kind of file."""
_HEADER_LIMIT = 1 << 20  # bytes in which a header ends; chosen, headers have some hundred


@dataclass(frozen=True)
class Property:
    """A scalar, or a list where `length` names the type of its length; types are numpy's, such as "f4"."""

    name: str
    value: str
    length: str | None = None


@dataclass(frozen=True)
class Element:
    """A table of the file: so many rows of these properties."""

    name: str
    rows: int
    properties: tuple[Property, ...]

    @property
    def least_bytes(self) -> int:
        """Bytes that the rows take where all lists are empty."""
        return self.rows * sum(np.dtype(prop.length or prop.value).itemsize for prop in self.properties)

    def as_text(self) -> Element:
        """The same element with each number as a float64."""
        return Element(self.name, self.rows, tuple(Property(p.name, "f8", p.length and "f8") for p in self.properties))


def _header_lines(path: str | Path, data: bytes) -> tuple[list[list[str]], int]:
    """The words of each header line after the first, and where the body begins. Lines may end in spaces."""
    first = re.match(rb"ply[ \t]*(\r\n|\n|\r)", data)
    if first is None:
        found = data[:16].decode("latin-1")
        raise MeshError(f"{path}: expected a PLY file, which begins with a line 'ply', found {found!a}")
    last = re.compile(first[1] + rb"end_header[ \t]*" + first[1]).search(data, 0, _HEADER_LIMIT)
    if last is None:
        raise MeshError(f"{path}: expected 'end_header' in the first {_HEADER_LIMIT} bytes; the file is cut short")
    lines = data[: last.start()].decode("latin-1").split(first[1].decode())
    return [line.split() for line in lines[1:]], last.end()


def _element(path: str | Path, number: int, words: list[str]) -> tuple[str, int]:
    # Fifteen digits are far past any file and still safe to multiply.
    if len(words) != 3 or not re.fullmatch(r"[0-9]{1,15}", words[2]):
        found = " ".join(words)[:80]
        raise MeshError(f"{path}: header line {number}: expected 'element NAME COUNT', found {found!a}")
    return words[1], int(words[2])


def _property(path: str | Path, number: int, words: list[str]) -> Property:
    match words[1:]:
        case [value, name] if value in _TYPES:
            return Property(name, _TYPES[value])
        case ["list", length, value, name] if _TYPES.get(length) in ("i1", "u1", "i2", "u2", "i4", "u4"):
            if value in _TYPES:
                return Property(name, _TYPES[value], _TYPES[length])
    raise MeshError(
        f"{path}: header line {number}: expected 'property TYPE NAME' or 'property list TYPE TYPE NAME' "
        f"with types of {', '.join(_TYPES)}, found {' '.join(words)[:80]!a}"
    )


@dataclass(frozen=True)
class Header:
    """What stands before the body.

    Args:
        order: a key of `ORDERS`.
        elements: in the order of the body.
        textures: the files that MeshLab's comments `TextureFile` name.
        end: where the body begins.
    """

    order: str
    elements: list[Element]
    textures: list[str]
    end: int


def read_header(path: str | Path, data: bytes) -> Header:
    """Read what a PLY says of itself.

    Raises:
        MeshError: this is no PLY header; the message names the line.
    """
    lines, body = _header_lines(path, data)
    order, found, textures = None, [], []
    for number, words in enumerate(lines, start=2):
        match words[:1]:
            case ["comment"] if len(words) > 2 and words[1].lower().rstrip(":") == "texturefile":
                textures.append(unquoted(" ".join(words[2:])))
            case [] | ["comment"] | ["obj_info"]:
                pass
            case ["format"] if len(words) == 3 and words[1] in ORDERS and words[2] == "1.0":
                order = words[1]
            case ["element"]:
                found.append((*_element(path, number, words), []))
            case ["property"] if found:
                found[-1][2].append(_property(path, number, words))
            case _:
                raise MeshError(
                    f"{path}: header line {number}: expected format (one of {', '.join(ORDERS)}, 1.0), comment, "
                    f"obj_info, element or property, found {' '.join(words)[:80]!a}"
                )
    if order is None:
        raise MeshError(f"{path}: the header has no line 'format'; it is one of {', '.join(ORDERS)}")
    elements = [Element(name, rows, tuple(properties)) for name, rows, properties in found]
    if len({element.name for element in elements}) != len(elements):
        raise MeshError(f"{path}: two elements of one name: {[element.name for element in elements]!a}")
    for element in elements:
        names = [prop.name for prop in element.properties]
        if len(set(names)) != len(names) or (element.rows and not names):
            raise MeshError(f"{path}: element {element.name!r} has no properties, or two of one name: {names!a}")
    return Header(order, elements, textures, body)
