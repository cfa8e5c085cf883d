"""The check of `make package` finds what it looks for."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest
from wheel_contents import wrong_with

SOURCE = ("facegen/__init__.py", "facegen/py.typed", "facegen/nn/native/native.cpp", "tests/test_one.py")
NATIVE = [f"facegen/nn/native/_{name}.cpython-311-x86_64-linux-gnu.so" for name in ("base", "v3", "v4")]
WHEEL = {*SOURCE[:2], *NATIVE, "facegen-1.dist-info/METADATA"}


@pytest.fixture
def sdist(tmp_path: Path) -> Path:
    path = tmp_path / "facegen-1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in SOURCE:
            archive.addfile(tarfile.TarInfo(f"facegen-1/{name}"), io.BytesIO())
    return path


def made(folder: Path, held: set[str], platform: str = "linux_x86_64") -> Path:
    path = folder / f"facegen-1-cp311-cp311-{platform}.whl"
    with ZipFile(path, "w") as archive:
        for name in held:
            archive.writestr(name, "")
    return path


def test_a_sound_one(tmp_path: Path, sdist: Path) -> None:
    assert wrong_with(made(tmp_path, WHEEL), sdist) == []
    assert wrong_with(made(tmp_path, WHEEL - {*NATIVE[1:]}, "linux_aarch64"), sdist) == []


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (WHEEL - {"facegen/py.typed"}, "facegen/py.typed is missing"),
        (WHEEL - {NATIVE[1]}, "the compiled _v3 is missing"),
        (WHEEL | {"tests/test_one.py"}, "tests/test_one.py does not belong in it"),
        (WHEEL | {"facegen/nn/native/native.cpp"}, "facegen/nn/native/native.cpp does not belong in it"),
    ],
)
def test_what_is_wrong_is_named(held: set[str], said: str, tmp_path: Path, sdist: Path) -> None:
    assert wrong_with(made(tmp_path, held), sdist) == [said]
