"""Archives of torch are read without torch, what is odd is left to torch, and no file costs more than its size."""

from __future__ import annotations

import io
import pickle
import tracemalloc
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from facegen.checkpoint_archive import STORAGES, UnreadableError, read_archive

KINDS = [torch.float64, torch.float32, torch.float16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]


def saved(content: object, folder: Path) -> Path:
    torch.save(content, folder / "x.ckpt")
    return folder / "x.ckpt"


def rewritten(path: Path, change: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    """The archive with other bytes for some of its records."""
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in records.items():
            archive.writestr(name, change.get(name.partition("/")[2], data))
    return path


def test_it_reads_what_torch_saved(tmp_path: Path) -> None:
    assert len(STORAGES) == len(KINDS) + 1
    weights = OrderedDict((str(kind), (torch.arange(12) % 5).reshape(3, 4).to(kind)) for kind in KINDS)
    weights |= {"bool": torch.tensor([True, False]), "number": torch.tensor(2.5), "none": torch.zeros(0, 3)}
    whole = torch.arange(24.0).reshape(4, 6)
    weights |= {"turned": whole.t(), "part": whole[1:3, ::2], "same": whole}
    weights._metadata = {"": {"version": 1}}  # pyright: ignore[reportAttributeAccessIssue]
    rest = {"lr": 1e-3, "names": ["a", "b"], "deep": {"tables": {"x": torch.ones(2)}}, "none": None, "yes": (True, 7)}
    found = read_archive(saved({"state_dict": weights, **rest}, tmp_path), ("state_dict", "deep", "absent"))
    for name, value in weights.items():
        array = found["state_dict"][name]
        np.testing.assert_array_equal(array, value.numpy(), strict=True)
        assert array.flags.writeable and (not array.size or array.strides == value.numpy().strides)
    np.testing.assert_array_equal(found["deep"]["tables"]["x"], np.ones(2))
    assert {name: found[name] for name in rest if name != "deep"} == {n: v for n, v in rest.items() if n != "deep"}


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("it ran",)


def odd(name: str, folder: Path) -> Path:
    path = saved({"state_dict": {"a": torch.arange(1000.0)}}, folder)
    if name == "legacy":
        torch.save({"state_dict": {"a": torch.ones(2)}}, path, _use_new_zipfile_serialization=False)
    elif name == "bfloat16":
        saved({"state_dict": {"a": torch.ones(2, dtype=torch.bfloat16)}}, folder)
    elif name == "hostile":
        saved({"state_dict": {"a": torch.ones(2)}, "more": Hostile()}, folder)
    elif name == "numpy":
        saved({"state_dict": {"a": np.ones(2)}}, folder)
    elif name == "a list":
        saved([1, 2], folder)
    elif name == "spread":
        saved({"state_dict": {"a": torch.zeros(1).expand(10_000_000)}}, folder)
    elif name == "packed":
        rewritten(path, {}, zipfile.ZIP_DEFLATED)
    elif name == "big endian":
        rewritten(path, {"byteorder": b"big"})
    elif name == "short storage":
        rewritten(path, {"data/0": bytes(100)})
    elif name == "damaged storage":
        data = path.read_bytes()
        at = data.index(np.arange(1000, dtype=np.float32).tobytes())
        path.write_bytes(data[: at + 9] + b"\x01" + data[at + 10 :])
    elif name == "cut off":
        path.write_bytes(path.read_bytes()[:-100])
    elif name == "empty":
        path.write_bytes(b"")
    elif name == "outside":
        parts_of_one_storage(path, Rebuilt("FloatStorage", 990, (20,), (1,)))
    elif name == "again and again":
        parts_of_one_storage(path, *(Rebuilt(f"{kind}Storage", 0, (1000,), (1,)) for kind in ("Float", "Int")))
    return path


class Rebuilt:
    """Pickles as a tensor: of which kind of storage, its first number, shape and steps."""

    def __init__(self, kind: str, *parts: Any) -> None:
        self.stored, self.parts = ("storage", getattr(torch, kind), "0", "cpu", 1000), parts

    def __reduce__(self) -> tuple[Any, ...]:
        return torch._utils._rebuild_tensor_v2, (self.stored, *self.parts, False, OrderedDict())


class Pickler(pickle.Pickler):
    """Leaves storages beside the pickle, as torch does."""

    def persistent_id(self, obj: Any) -> Any:
        return obj if isinstance(obj, tuple) and obj[:1] == ("storage",) else None


def parts_of_one_storage(path: Path, *tensors: Rebuilt) -> None:
    code = io.BytesIO()
    Pickler(code, 2).dump({"state_dict": dict(enumerate(tensors))})
    rewritten(path, {"data.pkl": code.getvalue()})


def test_parts_of_one_storage_share_its_memory(tmp_path: Path) -> None:
    path = saved({"state_dict": {"a": torch.arange(1000.0)}}, tmp_path)
    parts_of_one_storage(path, *(Rebuilt("FloatStorage", start, (900,), (1,)) for start in range(100)))
    found = read_archive(path, ("state_dict",))["state_dict"]
    assert np.shares_memory(found[0], found[99]) and found[99][0] == 99


ODD = ["legacy", "bfloat16", "hostile", "numpy", "a list", "spread", "packed", "big endian", "short storage"]
ODD += ["damaged storage", "cut off", "empty", "outside", "again and again"]


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_or_broken_is_not_read(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = odd(name, tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableError):
            read_archive(path, ("state_dict",))
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    assert capsys.readouterr().out == ""
