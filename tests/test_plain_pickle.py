"""Pickles from strangers: what is read, what is refused, and that nothing is run."""

from __future__ import annotations

import collections
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data.sources.trees import python2_pickle

from facegen.errors import DataError
from facegen.plain_pickle import read_plain_pickle

ARRAYS = {
    "float": np.linspace(0, 1, 6).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "transposed": np.arange(24, dtype=np.float32).reshape(2, 3, 4).transpose(1, 0, 2),
    "big-endian": np.arange(3, dtype=">i2"),
    "empty": np.zeros((0, 3), dtype=np.float32),
    "bool": np.array([True, False]),
    "point": np.array(2.5),
}
VALUES = [None, True, False, 0, -1, 70_000, 10**30, 2.5, "", "é\n'\"", b"", b"\xff\x00", (), (1,), (1, 2), (1, 2, 3)]
VALUES += [(1, 2, 3, 4), [], [1, [2]], {}, {"a": {1: [2]}}, {(1, "b"): 2}, {1, 2}, frozenset({3})]


def read(tmp_path: Path, data: bytes) -> Any:
    path = tmp_path / "some.pkl"
    path.write_bytes(data)
    return read_plain_pickle(path)


def refused(tmp_path: Path, data: bytes) -> str:
    """The message, which is one line that names the file."""
    with pytest.raises(DataError) as caught:
        read(tmp_path, data)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'some.pkl'}: ") and "\n" not in message and message.isprintable()
    return message


@pytest.mark.parametrize("protocol", range(6))
def test_values_come_back(tmp_path: Path, protocol: int) -> None:
    found = read(tmp_path, pickle.dumps(VALUES, protocol))
    assert found == VALUES
    assert [type(value) for value in found] == [type(value) for value in VALUES]


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_come_back(tmp_path: Path, protocol: int) -> None:
    found = read(tmp_path, pickle.dumps(ARRAYS, protocol))
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert type(found[name]) is np.ndarray and found[name].dtype == array.dtype, name
        np.testing.assert_array_equal(found[name], array)
    found["float"][:] = 0  # it is one's own, not the file's bytes


@pytest.mark.parametrize("protocol", range(6))
def test_the_older_names_of_numpy_are_known(tmp_path: Path, protocol: int) -> None:
    data = pickle.dumps(ARRAYS["float"], protocol)
    old = data.replace(b"\x96numpy._core", b"\x95numpy.core")
    if protocol < 4:  # names end with the line
        old = data.replace(b"numpy._core", b"numpy.core")
    elif protocol == 4:
        old = data.replace(b"\x8c\x16numpy._core.multiarray", b"\x8c\x15numpy.core.multiarray")
    else:
        old = data.replace(b"\x8c\x13numpy._core.numeric", b"\x8c\x12numpy.core.numeric")
    assert old != data
    np.testing.assert_array_equal(read(tmp_path, old), ARRAYS["float"])


@pytest.mark.parametrize("protocol", range(6))
def test_what_is_nearly_plain_becomes_plain(tmp_path: Path, protocol: int) -> None:
    value = {
        "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
        "default": collections.defaultdict(list, {1: [2]}),
        "scalars": [np.float64(2.5), np.int32(-3), np.bool_(True)],
    }
    found = read(tmp_path, pickle.dumps(value, protocol))
    assert type(found["ordered"]) is dict and list(found["ordered"].items()) == [("b", 1), ("a", 2)]
    assert type(found["default"]) is dict and found["default"] == {1: [2]}
    assert [type(number) for number in found["scalars"]] == [float, int, bool] and found["scalars"] == [2.5, -3, True]


def test_python_2(tmp_path: Path) -> None:
    value = {"caf\xe9": {1: -2}, "array": ARRAYS["float"], "again": ARRAYS["float"] + 1}
    data = python2_pickle(value)
    assert pickle.loads(data, encoding="latin1")["caf\xe9"] == {1: -2}  # the writer writes what Python reads
    found = read(tmp_path, data)
    assert found["caf\xe9"] == {1: -2}
    np.testing.assert_array_equal(found["array"], ARRAYS["float"])
    np.testing.assert_array_equal(found["again"], ARRAYS["float"] + 1)


def test_python_2_wrote_bytes_as_escaped_text(tmp_path: Path) -> None:
    data = np.array([1.0, -2.0]).tobytes()
    text = "".join(f"\\x{byte:02x}" for byte in data)
    pickled = (
        "cnumpy.core.multiarray\n_reconstruct\np0\n(cnumpy\nndarray\np1\n(I0\ntp2\nS'b'\np3\ntp4\nRp5\n(I1\n(I2\ntp6\n"
        "cnumpy\ndtype\np7\n(S'f8'\np8\nI0\nI1\ntp9\nRp10\n(I3\nS'<'\np11\nNNNI-1\nI-1\nI0\ntp12\nbI00\n"
        f"S'{text}'\np13\ntp14\nb."
    )
    np.testing.assert_array_equal(read(tmp_path, pickled.encode()), [1, -2])


def test_what_is_shared_and_what_holds_itself(tmp_path: Path) -> None:
    shared = [1]
    value = {"a": shared, "b": shared}
    value["self"] = value
    found = read(tmp_path, pickle.dumps(value))
    assert found["a"] is found["b"] and found["self"] is found


class Caller:
    """Pickled, it asks for a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple:
        return self.call


class Thing:
    """Has a state of its own."""

    def __init__(self) -> None:
        self.a = 1


class Floats(np.ndarray):
    """An array of a class of its own."""


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("where", ["alone", "in a list", "as a value", "as a key", "beside an array"])
def test_nothing_is_run(tmp_path: Path, protocol: int, where: str) -> None:
    flag = tmp_path / "flag"
    call = Caller(os.mkdir, str(flag))
    value = {
        "alone": call,
        "in a list": [1, [call]],
        "as a value": {"a": call},
        "as a key": {(call, 1): 2},
        "beside an array": {"array": ARRAYS["float"], "b": call},
    }[where]
    data = pickle.dumps(value, protocol)
    message = refused(tmp_path, data)
    assert f"asks for `{os.mkdir.__module__}.mkdir`" in message and "nothing of it was run" in message
    assert not flag.exists()
    pickle.loads(data)
    assert flag.exists()  # it would have done it


def attacks(flag: str) -> dict[str, tuple[bytes, str]]:
    """Pickles that would make the flag if they were run, and what of each is refused."""
    call = b"cposix\nmkdir\n(V" + flag.encode() + b"\ntR"
    word = flag.encode()
    short = b"\x8c" + bytes([len(word)]) + word
    return {
        "old instance": (b"(V" + word + b"\niposix\nmkdir\n.", "`posix.mkdir`"),
        "old object": (b"(cposix\nmkdir\nV" + word + b"\no.", "`posix.mkdir`"),
        "new object": (b"\x80\x02cposix\nmkdir\n\x8c" + bytes([len(word)]) + word + b"\x85\x81.", "`posix.mkdir`"),
        "name from the stack": (b"\x80\x04\x8c\x05posix\x8c\x05mkdir\x93" + short + b"\x85R.", "`posix.mkdir`"),
        "dotted name": (b"\x80\x04\x8c\x05numpy\x8c\x0bos.makedirs\x93" + short + b"\x85R.", "`numpy.os.makedirs`"),
        "module of numpy": (b"cnumpy.f2py\ncompile\n(V" + word + b"\ntR.", "`numpy.f2py.compile`"),
        "eval": (b"c__builtin__\neval\n(V__import__('os').mkdir('" + word + b"')\ntR.", "`__builtin__.eval`"),
        "getattr": (b"cbuiltins\ngetattr\n(cbuiltins\nset\nV__base__\ntR.", "`builtins.getattr`"),
        "fourth floor": (
            b"ccopyreg\n_reconstructor\n(cbuiltins\nset\ncbuiltins\nset\nNtR.",
            "`copyreg._reconstructor`",
        ),
        "after the array": (pickle.dumps(ARRAYS["float"], 2)[:-1] + b"0" + call + b".", "POP"),
        "state of a name": (b"cnumpy\ndtype\n}(V__call__\n" + call + b"sb.", "`posix.mkdir`"),
        "state of a dict": (b"}}b.", "a state of its own"),
        "state of a function": (b"cnumpy\ndtype\n(N}(V__defaults__\nNutb.", "a state of its own"),
        "state twice": (pickle.dumps(ARRAYS["float"], 2)[:-1] + b"}b.", "a state of its own"),
        "call of a class": (b"cbuiltins\nlist\n)R.", "no function"),
        "call of an array": (b"cnumpy\nndarray\n(I2\ntR.", "no function"),
        "call of text": (b"Vos.mkdir\n(V" + word + b"\ntR.", "no function"),
        "extension": (b"\x80\x02\x82\x01.", "EXT1"),
        "extension 2": (b"\x80\x02\x83\x01\x00.", "EXT2"),
        "extension 4": (b"\x80\x02\x84\x01\x00\x00\x00.", "EXT4"),
        "persistent": (b"P1\n.", "PERSID"),
        "persistent 1": (b"\x80\x02K\x01Q.", "BINPERSID"),
        "buffer": (b"\x80\x05\x97.", "NEXT_BUFFER"),
        "new object of an array": (b"\x80\x02cnumpy\nndarray\n(I2\nt\x81.", "NEWOBJ"),
        "name itself": (b"cnumpy\nndarray\n.", "neither an array nor a container"),
        "function in a list": (b"(cbuiltins\nset\nl.", "neither an array nor a container"),
        "dtype itself": (pickle.dumps(np.dtype("f8"), 2), "neither an array nor a container"),
        "unfinished array": (
            b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR.",
            "neither an array nor a container",
        ),
        "objects": (pickle.dumps(np.array([None, 1], dtype=object), 2), "arrays of objects"),
        "records": (pickle.dumps(np.zeros(2, dtype=[("a", "f4")]), 2), "arrays of `V4`"),
        "dates": (pickle.dumps(np.array(["2020-01-01"], dtype="M8[D]"), 2), "arrays of `M8`"),
        "subclass": (pickle.dumps(np.zeros(2).view(Floats), 2), "Floats"),
        "other class to fill": (
            b"cnumpy.core.multiarray\n_reconstruct\n(cbuiltins\nlist\n(I0\ntS'b'\ntR.",
            "an array of a class of its own",
        ),
        "items of an array": (pickle.dumps(ARRAYS["float"], 2)[:-1] + b"I1\na.", "items of what is no list"),
        "items of a set": (b"c__builtin__\nset\n)RI1\nI2\ns.", "items of what is no dict"),
    }


@pytest.mark.parametrize("name", attacks(""))
def test_attacks_are_refused(tmp_path: Path, name: str) -> None:
    flag = tmp_path / "flag"
    data, what = attacks(str(flag))[name]
    message = refused(tmp_path, data)
    assert what in message and "; only arrays and plain containers are read, nothing of it was run" in message
    assert not flag.exists()


def test_classes_of_ones_own_are_refused_by_name(tmp_path: Path) -> None:
    for protocol in range(6):
        name = "copy_reg._reconstructor" if protocol < 2 else f"{Thing.__module__}.Thing"
        assert f"`{name}`" in refused(tmp_path, pickle.dumps(Thing(), protocol))
    assert "`decimal.Decimal`" in refused(tmp_path, b"cdecimal\nDecimal\n(V1\ntR.")


def test_names_of_strangers_fit_on_a_line(tmp_path: Path) -> None:
    strange = "a\u2028b\x1b[31m" + "c" * 5000
    data = b"\x80\x04X" + struct.pack("<I", len(strange.encode())) + strange.encode() + b"\x8c\x01d\x93."
    assert len(refused(tmp_path, data)) < 300 + len(str(tmp_path))


ENCODE = b"c_codecs\nencode\n(Va\nVrot13\ntR."

MALFORMED = {
    "empty": b"",
    "text": b"subject,sentence\n1,2\n",
    "array file": b"\x93NUMPY\x01\x00v\x00{'descr'",
    "mesh": b"ply\nformat ascii 1.0\n",
    "no stop": b"\x80\x02}",
    "stop alone": b".",
    "stack runs empty": b"K\x01\x86.",
    "no mark": b"K\x01t.",
    "unknown memo": b"h\x07.",
    "odd dict": b"(K\x01d.",
    "list as a key": b"}]K\x01s.",
    "dict in a set": b"\x80\x04\x8f(}\x90.",
    "digits": b"I" + b"9" * 10_000 + b"\n.",
    "no number": b"Iabc\n.",
    "bad text": b"\x80\x02X\x02\x00\x00\x00\xff\xff.",
    "too few for a call": b"cnumpy\ndtype\n)R.",
    "codec": ENCODE,
    "nested codec": b"c_codecs\nencode\n(Va\n]tR.",
    "dtype": b"cnumpy\ndtype\n(Vf99\ntR(I3\nV<\nNNNI-1\nI-1\nI0\ntb.",
    "shape is larger": pickle.dumps(np.zeros(3), 2).replace(b"K\x03\x85", b"K\x04\x85"),
    "shape is negative": pickle.dumps(np.zeros(3), 2).replace(b"K\x03\x85", b"J\xfd\xff\xff\xff\x85"),
    "huge bytes": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 50) + b"abc.",
    "huge bytearray": b"\x80\x05\x96" + struct.pack("<Q", 1 << 50) + b"abc.",
    "huge text": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"abc.",
    "huge long": b"\x80\x02\x8b" + struct.pack("<i", (1 << 31) - 1) + b"\x01.",
    "negative long": b"\x80\x02\x8b" + struct.pack("<i", -5) + b"\x01.",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_files_are_one_line(tmp_path: Path, name: str) -> None:
    assert "not a readable pickle, or a damaged one" in refused(tmp_path, MALFORMED[name])


@pytest.mark.parametrize("protocol", range(6))
def test_every_cut_is_one_line(tmp_path: Path, protocol: int) -> None:
    data = pickle.dumps({"a": np.arange(3.0), "b": [1, "c", (2,)]}, protocol)
    for length in range(len(data)):
        refused(tmp_path, data[:length])


@pytest.mark.parametrize("protocol", range(6))
def test_every_damage_is_read_or_one_line(tmp_path: Path, protocol: int) -> None:
    data = pickle.dumps({"a": np.arange(3.0), "b": [1, "c", (2,)], "d": {4}}, protocol)
    generator, refusals = np.random.default_rng(protocol), 0
    for _ in range(300):
        damaged = bytearray(data)
        damaged[generator.integers(len(data))] = generator.integers(256)
        try:
            read(tmp_path, bytes(damaged))
        except DataError:
            refusals += 1
    assert refusals > 50


def test_memory_stays_in_proportion(tmp_path: Path) -> None:
    # Memo places are as large as one likes: Python's own machine makes room up to the largest.
    assert read(tmp_path, b"\x80\x02K\x05r\xff\xff\xff\xff.") == 5
    # One piece of data, and an array of it over and over.
    data = np.zeros(100_000, dtype=np.uint8).tobytes()
    dtype = pickle.dumps(np.dtype("u1"), 2)[2:-1]
    start = b"\x80\x03B" + struct.pack("<I", len(data)) + data + b"q\xf0" + dtype + b"q\xf1("
    array = b"cnumpy.core.numeric\n_frombuffer\n(h\xf0h\xf1(J" + struct.pack("<i", len(data)) + b"tVC\ntR"
    few, many = read(tmp_path, start + 2 * array + b"l."), refused(tmp_path, start + 100 * array + b"l.")
    assert [len(array) for array in few] == 2 * [len(data)] and "more data than it holds" in many


def test_deep_nesting_is_survived(tmp_path: Path) -> None:
    deep = b"\x80\x02)" + b"\x85" * 150_000
    value = read(tmp_path, deep + b".")
    assert type(value) is tuple and len(value) == 1
    assert "a key that is neither text nor number" in refused(tmp_path, b"\x80\x02}" + deep[2:] + b"K\x01s.")


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.pkl: no such file"):
        read_plain_pickle(tmp_path / "none.pkl")
    with pytest.raises(DataError, match="this is a folder"):
        read_plain_pickle(tmp_path)
