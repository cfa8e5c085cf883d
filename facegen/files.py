"""Files: written aside, then renamed, so that a name that was asked for never holds half of one; YAML, checked."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from facegen.errors import FacegenError


def _aside(path: Path) -> Path:
    parent = path.parent
    if not parent.is_dir():
        raise FacegenError(f"cannot write {path}: the folder {parent} does not exist; make it first")
    if not os.access(parent, os.W_OK):
        raise FacegenError(f"cannot write {path}: no permission to write in {parent}")
    # The suffix stays, because writers choose the format by it.
    return parent / f".{path.stem}.{uuid.uuid4().hex[:8]}{path.suffix}"


@contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """A path beside `path` to write to; renamed to `path` at the end, removed after an error.

    Raises:
        FacegenError: the folder is missing or not writable, or `path` is a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise FacegenError(f"cannot write {path}: a folder of that name is there")
    aside = _aside(path)
    try:
        yield aside
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def require_new_folder(path: str | Path, marker: str | None = None) -> None:
    """Look before long work whether `new_folder` could be entered.

    Raises:
        FacegenError: see `new_folder`.
    """
    path = Path(path)
    ours = marker is not None and (path / marker).is_file()
    if path.is_file() or (path.is_dir() and any(path.iterdir()) and not ours):
        raise FacegenError(f"{path} is already there; remove it or name another place")
    _aside(path)


@contextmanager
def new_folder(path: str | Path, marker: str | None = None) -> Iterator[Path]:
    """A folder beside `path` to fill; renamed to `path` at the end, removed after an error.

    Args:
        path: the wished name.
        marker: a file by which a folder that the same work made earlier is known; such a folder is replaced.

    Raises:
        FacegenError: `path` is there and not an empty folder, or its parent cannot be written.
    """
    path = Path(path)
    require_new_folder(path, marker)
    aside = _aside(path)
    aside.mkdir()
    try:
        yield aside
        if path.is_dir():
            shutil.rmtree(path)
        os.replace(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def read_yaml(path: str | Path, schema: type) -> dict[str, Any]:
    """The fields of a dataclass from a YAML file, checked against its types.

    Raises:
        FacegenError: the file is missing, is no YAML, or has unknown, missing or wrongly typed keys.
    """
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    path = Path(path)
    if not path.is_file():
        raise FacegenError(f"{path}: no such file")
    try:
        checked = OmegaConf.merge(OmegaConf.structured(schema), OmegaConf.load(path))
        filled = OmegaConf.to_object(checked)
    except (OmegaConfBaseException, yaml.YAMLError, UnicodeDecodeError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise FacegenError(f"{path}: {reason}") from error
    return vars(filled)
