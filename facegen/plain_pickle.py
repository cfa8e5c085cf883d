"""Pickles from strangers: arrays and plain containers are read, and nothing is ever run.

A pickle is a program for a stack machine, and Python's own imports and calls what the program names. The one here
cannot: it knows a closed list of names, each stands for a function below, and any other ends the reading.
"""

from __future__ import annotations

import codecs
import io
import math
import pickletools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from facegen.errors import DataError
from facegen.readable import require_file

LEAVES = (type(None), bool, int, float, complex, str, bytes)
"""Types of values that hold no others."""

_OPCODES = {ord(opcode.code): opcode for opcode in pickletools.opcodes}
_VALUES = frozenset(
    [
        "INT",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG",
        "LONG1",
        "LONG4",
        "FLOAT",
        "BINFLOAT",
        "STRING",
        "BINSTRING",
        "SHORT_BINSTRING",
        "UNICODE",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE8",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BINBYTES8",
        "BYTEARRAY8",
    ]
)
_NEW = {"EMPTY_TUPLE": tuple, "EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": set, "NONE": lambda: None}
_NEW |= {"NEWTRUE": lambda: True, "NEWFALSE": lambda: False}
_FILLED = {"APPEND": list, "APPENDS": list, "SETITEM": dict, "SETITEMS": dict, "ADDITEMS": set}


def read_plain_pickle(path: str | Path) -> Any:
    """What a pickle holds, of Python 2 or 3, protocols 0 to 5.

    It may hold None, numbers, str, bytes, list, tuple, dict, set and numpy arrays of numbers. An `OrderedDict` or
    `defaultdict` becomes a dict, a numpy scalar a Python number, and Python 2's strings are taken as latin-1. Nothing
    that the file names is imported or called.

    Raises:
        DataError: the file is missing, no pickle, damaged, or asks for anything else; the message names it.
    """
    path = Path(path)
    try:
        data = require_file(path, DataError).read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        value = Machine(len(data)).run(operations_of(data))
        _require_plain(value)
    except Exception as error:  # each operation has ways of its own to be malformed
        reason = f" ({error})" if isinstance(error, MalformedError) else ""
        message = f"not a readable pickle, or a damaged one{reason}; take the file as the dataset has it"
        if isinstance(error, RefusedError):
            message = f"asks for {error}; only arrays and plain containers are read, nothing of it was run"
        raise DataError(f"{path}: {message}") from error
    return value


class RefusedError(Exception):
    """Something else than arrays and plain containers; its text says what."""


class MalformedError(ValueError):
    """No pickle, or a damaged one; its text says why."""


@dataclass(eq=False)
class _Made:
    """A dtype or an array before its BUILD; the memo keeps it, and looks here for what it became."""

    complete: Callable[[Any], Any]
    value: Any = None


def operations_of(data: bytes) -> Iterator[tuple[str, Any]]:
    stream = io.BytesIO(data)
    while code := stream.read(1):
        opcode = _OPCODES.get(code[0])
        if opcode is None:
            raise MalformedError(f"byte {code[0]} at {stream.tell() - 1} means nothing")
        if opcode.name == "STRING":  # pickletools takes it for ASCII, but Python 2 wrote arrays that way too
            argument = codecs.escape_decode(pickletools.read_stringnl(stream, decode=False))[0].decode("latin-1")
        else:
            argument = None if opcode.arg is None else opcode.arg.reader(stream)
        yield opcode.name, argument
    raise MalformedError("it ends in the middle" if data else "it is empty")


class Machine:
    """Runs a pickle's program on a stack of plain values.

    Attributes:
        names: the functions that a program may call, by the module and the name that it has for each.
    """

    names: Mapping[tuple[str, ...], Any]

    def __init__(self, size: int) -> None:
        self.names = NAMES
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # the stack under each mark
        self.memo: dict[int, Any] = {}
        self.left = 2 * size + (1 << 20)  # bytes or items that calls may still use

    def run(self, operations: Iterator[tuple[str, Any]]) -> Any:
        for name, argument in operations:
            if name == "STOP":
                return self.stack.pop()
            if name in _VALUES:
                self.stack.append(argument)
            elif name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
                self.memo[len(self.memo) if argument is None else argument] = self.stack[-1]
            elif name in ("GET", "BINGET", "LONG_BINGET"):
                found = self.memo[argument]
                self.stack.append(found.value if isinstance(found, _Made) and found.value is not None else found)
            elif name == "MARK":
                self.below.append(self.stack)
                self.stack = []
            elif name in _FILLED:
                self.fill(name)
            elif name not in ("PROTO", "FRAME"):
                made = self.make(name, argument)  # first, since it can bring back the stack under a mark
                self.stack.append(made)

    def make(self, name: str, argument: Any) -> Any:
        """What an operation puts on the stack, made of what it takes from there."""
        if name in _NEW:
            return _NEW[name]()
        if name in _COLLECTED:
            return _COLLECTED[name](self.pop_mark())
        if name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            return tuple(self.pop(int(name[-1])))
        if name in ("GLOBAL", "STACK_GLOBAL", "INST"):
            words = self.pop(2) if argument is None else argument.split(" ", 1)
            words = tuple(word if type(word) is str else "?" for word in words)
            if words not in self.names or name == "INST":
                raise RefusedError(f"`{ascii('.'.join(words))[1:-1][:80]}`")
            return self.names[words]
        if name == "BINPERSID":
            return self.kept(*self.pop(1))
        if name not in ("REDUCE", "BUILD"):
            raise RefusedError(f"the operation {name}")
        what, given = self.pop(2)
        # A few bytes can ask for the same thing over and over; what is made stays in proportion to the file.
        self.left -= sum(len(part) for part in given if isinstance(part, (str, bytes, bytearray, list, tuple)))
        if self.left < 0:
            raise RefusedError("more data than it holds")
        if name == "REDUCE" and callable(what):
            return what(*given)  # one of `names`; nothing else that comes on the stack can be called
        if name == "BUILD":
            return self.built(what, given)
        raise RefusedError("a call of what is no function")

    def built(self, what: Any, state: Any) -> Any:
        """What was made, with a state that it is given."""
        if type(what) is not _Made:
            raise RefusedError("an object with a state of its own")
        what.value = what.complete(state)
        return what.value

    def kept(self, key: Any) -> Any:
        """What is kept beside the pickle under a key."""
        raise RefusedError("the operation BINPERSID")

    def pop(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise MalformedError("its stack runs empty")
        items, self.stack[-count:] = self.stack[-count:], []
        return items

    def pop_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.below.pop()
        return items

    def fill(self, name: str) -> None:
        items = self.pop_mark() if name.endswith("S") else self.pop(2 if name == "SETITEM" else 1)
        target, kind = self.stack[-1], _FILLED[name]
        if type(target) is not kind:
            raise RefusedError(f"items of what is no {kind.__name__}")
        add = target.extend if kind is list else target.update
        add(items if kind is list else _dict(items) if kind is dict else map(_key, items))


def _dtype(code: str, *_: Any) -> _Made:
    if not re.fullmatch(r"[biufc][1-9][0-9]?", code, re.ASCII):
        raise RefusedError(f"arrays of {'objects' if code.startswith('O') else f'`{ascii(code)[1:-1][:80]}`'}")
    return _Made(lambda state: np.dtype(code).newbyteorder(state[1]))


def _reconstruct(cls: Any, *_: Any) -> _Made:
    if cls is not _NDARRAY:
        raise RefusedError("an array of a class of its own")
    return _Made(lambda state: _array(state[4], state[2], state[1], "F" if state[3] else "C"))


def _array(data: Any, dtype: Any, shape: Any, order: Literal["C", "F", "K"], axes: Any = None) -> np.ndarray:
    data = data.encode("latin-1") if type(data) is str else data
    if type(data) not in (bytes, bytearray) or not isinstance(dtype, np.dtype):
        raise RefusedError("an array of objects")
    if type(shape) is not tuple or len(shape) > 32 or not all(type(n) is int and n >= 0 for n in shape):
        raise MalformedError("an array's shape is none")
    if math.prod(shape) * dtype.itemsize != len(data):
        raise MalformedError("an array has not the size of its data")
    array = np.ndarray(shape, dtype, data, order="C" if order == "K" else order)
    return (array.transpose(axes) if axes else array).copy(order="K")


def _key(value: Any) -> Any:
    """A dict's key or a set's item, of a kind whose hash cannot run deep."""
    if any(type(part) not in LEAVES for part in (value if type(value) is tuple else (value,))):
        raise MalformedError("a key that is neither text nor number")
    return value


def _dict(items: list[Any]) -> dict[Any, Any]:
    return dict(zip(map(_key, items[::2]), items[1::2], strict=True))


def _require_plain(value: Any) -> None:
    """Look through everything; what is only on the way to an array has no place in the result."""
    waiting, seen = [value], set()
    while waiting:
        value = waiting.pop()
        if type(value) in (list, tuple, set, frozenset, dict):
            if id(value) not in seen:
                seen.add(id(value))
                waiting.extend(value.values() if type(value) is dict else value)
        elif type(value) not in (*LEAVES, bytearray, np.ndarray):
            raise RefusedError("something that is neither an array nor a container")


_COLLECTED = {"TUPLE": tuple, "LIST": list, "DICT": _dict, "FROZENSET": lambda items: frozenset(map(_key, items))}
_NDARRAY, _FACTORY = object(), object()  # classes that are named and not called
NAMES: dict[tuple[str, ...], Any] = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): lambda text, codec: text.encode({"latin1": "latin-1", "latin-1": "latin-1"}[codec]),
    ("collections", "defaultdict"): lambda factory=None: {},
    ("collections", "OrderedDict"): lambda pairs=(): {_key(key): value for key, value in pairs},
}
for _core in ("numpy.core", "numpy._core"):
    NAMES[f"{_core}.multiarray", "_reconstruct"] = _reconstruct
    NAMES[f"{_core}.multiarray", "scalar"] = lambda dtype, data: _array(data, dtype, (), "C").item()
    NAMES[f"{_core}.numeric", "_frombuffer"] = _array
for _module in ("builtins", "__builtin__"):
    NAMES |= {(_module, name): _FACTORY for name in ("list", "dict", "int", "float")}
    NAMES[_module, "set"] = lambda items=(): set(map(_key, items))
    NAMES[_module, "frozenset"] = lambda items=(): frozenset(map(_key, items))
    NAMES[_module, "bytes"] = lambda: b""
