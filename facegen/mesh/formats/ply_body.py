"""The body of a PLY: its elements, column by column, from text or binary.

The reader is our own, because frames come by the thousand: it takes whole elements at once, and it compares what the
header promises with the size of the file before it takes any memory.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np

from facegen.errors import MeshError
from facegen.mesh.formats.ply_header import ORDERS, Element, Header, read_header
from facegen.mesh.formats.raw import parse_numbers, read_bytes, token_starts

_STRUCT = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "f8": "d"}
"""The code of the module `struct` for each type, as numpy calls it, that the length of a list may have."""

# The values of a column one after the other, and how many of them each row has, where the column is of lists.
Column = tuple[np.ndarray, np.ndarray | None]


class _Body:
    """The bytes after the header, read element by element; a text is turned into float64 numbers first."""

    def __init__(self, path: str | Path, data: bytes, at: int, order: str) -> None:
        self.path, self.data, self.at = path, data, at
        self.order, self.text = ORDERS[order], order == "ascii"
        if self.text:
            text = np.frombuffer(data, dtype=np.uint8, offset=at)
            numbers = parse_numbers(text, token_starts(text), np.float64)
            if numbers is None:
                raise MeshError(f"{path}: expected nothing but numbers after the header; the file is damaged")
            self.data, self.at = numbers.tobytes(), 0

    def shortage(self, element: Element, row: int, at: int, need: int) -> MeshError:
        """The error for a row at `at` that, with those after it, takes `need` bytes or more."""
        unit, size = ("numbers", 8) if self.text else ("bytes", 1)
        return MeshError(
            f"{self.path}: the header promises {element.rows} rows of {element.name!a}; from row {row} on they take "
            f"at least {need // size} more {unit}, but {(len(self.data) - at) // size} are left; the file is cut "
            "short or its header is wrong"
        )

    def read(self, element: Element) -> dict[str, Column]:
        """All columns of the next element."""
        if self.text:
            element = element.as_text()
        if element.least_bytes > len(self.data) - self.at:
            raise self.shortage(element, 0, self.at, element.least_bytes)
        if element.rows == 0:
            empty = np.empty(0)
            return {p.name: (empty, np.empty(0, dtype=np.int64) if p.length else None) for p in element.properties}
        columns = self._even(element)
        return self._uneven(element) if columns is None else columns

    def _layout(self, element: Element) -> list[tuple[struct.Struct | None, np.dtype]]:
        """How the length of a list is read and the type of its values, for each property."""
        heads = [struct.Struct(self.order + _STRUCT[p.length]) if p.length else None for p in element.properties]
        return [(head, np.dtype(self.order + p.value)) for head, p in zip(heads, element.properties, strict=True)]

    def _row(self, element: Element, layout: list, row: int, at: int) -> tuple[list[np.ndarray], int]:
        """The values of each property in the row at `at`, and where the row ends."""
        values = []
        for head, dtype in layout:
            length = 1
            if head:
                if at + head.size > len(self.data):
                    raise self.shortage(element, row, at, head.size)
                (length,) = head.unpack_from(self.data, at)
                if not math.isfinite(length) or length < 0 or length != int(length):
                    raise MeshError(
                        f"{self.path}: element {element.name!a}, row {row}: expected the length of a list, found "
                        f"{length}; the file is damaged"
                    )
                at, length = at + head.size, int(length)
            size = length * dtype.itemsize
            if at + size > len(self.data):
                raise self.shortage(element, row, at, size)
            values.append(np.frombuffer(self.data, dtype, length, at))
            at += size
        return values, at

    def _even(self, element: Element) -> dict[str, Column] | None:
        """All rows at once, where their lists are as long as the first row's; None where they are not."""
        lengths = [len(values) for values in self._row(element, self._layout(element), 0, self.at)[0]]
        fields = []
        for i, (prop, length) in enumerate(zip(element.properties, lengths, strict=True)):
            if prop.length:
                fields.append((f"n{i}", self.order + prop.length))
            fields.append((f"v{i}", self.order + prop.value, (length,)))
        dtype = np.dtype(fields)
        if element.rows * dtype.itemsize > len(self.data) - self.at:
            return None
        rows = np.frombuffer(self.data, dtype, element.rows, self.at)
        if any((rows[f"n{i}"] != lengths[i]).any() for i, prop in enumerate(element.properties) if prop.length):
            return None
        self.at += element.rows * dtype.itemsize
        return {
            prop.name: (rows[f"v{i}"].ravel(), np.full(element.rows, lengths[i]) if prop.length else None)
            for i, prop in enumerate(element.properties)
        }

    def _uneven(self, element: Element) -> dict[str, Column]:
        """All rows, for lists of mixed length: where each begins is one sum a list, and all else goes by columns."""
        layout = self._layout(element)
        places, lengths = self._lists(element, layout)
        columns, number, at = {}, 0, places[:, 0]
        for prop, (head, dtype) in zip(element.properties, layout, strict=True):
            if head is None:
                columns[prop.name] = self._numbers(dtype, at), None
                at = at + dtype.itemsize
                continue
            begin, counts = places[:, number + 1] + head.size, lengths[:, number]
            before = np.cumsum(counts) - counts
            first = np.repeat(begin - before * dtype.itemsize, counts)
            columns[prop.name] = self._numbers(dtype, first + dtype.itemsize * np.arange(len(first))), counts
            number, at = number + 1, begin + counts * dtype.itemsize
        self.at = int(at[-1])
        return columns

    def _lists(self, element: Element, layout: list) -> tuple[np.ndarray, np.ndarray]:
        """(R, 1 + K) where each row begins and the lengths of its K lists stand, and (R, K) these."""
        steps, before = [], 0
        for head, dtype in layout:
            if head is None:
                before += dtype.itemsize
            else:
                steps.append((before, head.unpack_from, head.size, dtype.itemsize))
                before = 0
        places, lengths, at, data = [], [], self.at, self.data
        try:
            for _ in range(element.rows):
                places.append(at)
                for fixed, length_at, size, item in steps:
                    at += fixed
                    (length,) = length_at(data, at)
                    places.append(at)
                    lengths.append(length)
                    at += size + int(length) * item
                at += before
        except (struct.error, ValueError, OverflowError):  # beyond the end, or a length that is no number
            at = math.inf
        whole = len(lengths) // len(steps)
        found = np.array(lengths[: whole * len(steps)]).reshape(whole, -1)
        bad = np.flatnonzero(((found < 0) | (found != np.floor(found))).any(axis=1))
        if len(bad) or at > len(data):
            row = int(bad[0]) if len(bad) else min(whole, element.rows - 1)
            self._row(element, layout, row, places[row * (len(steps) + 1)])
            raise self.shortage(element, row, len(data), 1)
        return np.array(places).reshape(element.rows, -1), found.astype(np.int64)

    def _numbers(self, dtype: np.dtype, places: np.ndarray) -> np.ndarray:
        """The numbers at these bytes."""
        if not len(places):
            return np.empty(0, dtype)
        return np.ndarray((len(self.data) - dtype.itemsize + 1,), dtype, self.data, strides=(1,))[places]


def read_columns(path: str | Path) -> tuple[Header, dict[str, dict[str, Column]]]:
    """The header of a PLY, and the columns that it holds, by element and property.

    Raises:
        MeshError: the file is missing, empty, cut short or malformed.
    """
    data = read_bytes(path)
    header = read_header(path, data)
    body = _Body(path, data, header.end, header.order)
    try:
        columns = {element.name: body.read(element) for element in header.elements}
        if body.text and body.at != len(body.data):
            raise MeshError(
                f"{path}: expected {body.at // 8} numbers after the header, found {len(body.data) // 8}; "
                "the file is damaged"
            )
    except MeshError:
        columns = _by_line(header, data) if body.text else None
        if columns is None:
            raise
    return header, columns


def _by_line(header: Header, data: bytes) -> dict[str, dict[str, Column]] | None:
    """The columns of a text whose faces hold more numbers than the header says, all as many, as older exporters wrote.

    None where the lines are not as many as the rows, one holds too few, or what is too much differs: it is damaged.
    """
    text = np.frombuffer(data, dtype=np.uint8, offset=header.end)
    words = token_starts(text)
    numbers = parse_numbers(text, words, np.float64)
    breaks = np.cumsum((text == ord("\n")) | (text == ord("\r")))
    _, first = np.unique(breaks[words], return_index=True)
    if numbers is None or len(first) != sum(element.rows for element in header.elements):
        return None
    ends, columns, at = np.append(first[1:], len(words)), {}, 0
    for element in header.elements:
        cursor, end = first[at : at + element.rows], ends[at : at + element.rows]
        found: dict[str, Column] = {}
        for prop in element.properties:
            if (cursor >= end).any():
                return None
            if prop.length is None:
                found[prop.name], cursor = (numbers[cursor], None), cursor + 1
                continue
            length = numbers[cursor]
            if not ((length >= 0) & (length < end - cursor)).all():
                return None
            counts = length.astype(np.int64)
            begin = np.repeat(cursor + 1 - (np.cumsum(counts) - counts), counts)
            found[prop.name], cursor = (numbers[begin + np.arange(len(begin))], counts), cursor + 1 + counts
        surplus = np.unique(end - cursor)
        if len(surplus) > 1 or (surplus.any() and not any(prop.length for prop in element.properties)):
            return None
        at += element.rows
        columns[element.name] = found
    return columns
