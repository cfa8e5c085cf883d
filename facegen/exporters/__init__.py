"""A `Sequence` to files: one writer for each format, chosen by suffix."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from facegen.errors import FacegenError, unknown
from facegen.sequence.sequence import Sequence


def _write_npz(sequence: Sequence, path: str | Path) -> str:
    sequence.save(path)
    return f"{len(sequence.vertices)} frames, {Path(path).stat().st_size / 1e6:.1f} MB"


# Each writer takes (sequence, path, *, options of its own) and gives back what str() turns into a report. They are
# named and not imported, so that the command line need not load them all to say what it can write.
_WRITERS = {
    ".glb": "facegen.exporters.glb:write_glb",
    ".gltf": "facegen.exporters.glb:write_gltf",
    ".vrm": "facegen.exporters.asset:write_vrm",
    ".html": "facegen.exporters.html:write_html",
    ".usd": "facegen.exporters.usd:write_usd",
    ".usda": "facegen.exporters.usd:write_usd",
    ".usdc": "facegen.exporters.usd:write_usd",
    ".usdz": "facegen.exporters.usd:write_usd",
    ".abc": "facegen.exporters.alembic:write_abc",
    ".csv": "facegen.exporters.arkit:write_csv",
    ".vrma": "facegen.exporters.vrma:write_vrma",
    ".pc2": "facegen.exporters.point_cache:write_pc2",
    ".mdd": "facegen.exporters.point_cache:write_mdd",
    ".obj": "facegen.exporters.mesh_folder:write_meshes",
    ".ply": "facegen.exporters.mesh_folder:write_meshes",
    ".npz": "facegen.exporters:_write_npz",
    ".mp4": "facegen.exporters.video:write_mp4",
    ".gif": "facegen.exporters.gif:write_gif",
    ".png": "facegen.exporters.png:write_png",
}
_IN_SECONDS = tuple((suffix, "scene_fps") for suffix in (".glb", ".gltf", ".html", ".vrma", ".abc"))
"""Formats that need no option for a scene's rate, and that option."""
FOLDERS = (".obj", ".ply")
"""Suffixes under which a folder is written, with a file for each frame."""
SUFFIXES = tuple(_WRITERS)
"""All suffixes that can be written."""


def named_suffixes() -> list[str]:
    """The suffixes that can be written, with a slash behind those that become a folder."""
    return [f"{suffix}/" if suffix in FOLDERS else suffix for suffix in SUFFIXES]


def writer(path: str | Path) -> Callable[..., Any]:
    """The function that writes files of this name.

    Raises:
        FacegenError: nothing here writes such a file.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        known = [f"{name}/ (a folder of frames)" if name in FOLDERS else name for name in SUFFIXES]
        raise FacegenError(f"cannot write {path}: {unknown('suffix', suffix, known)}")
    if str(path).endswith("/") and suffix not in FOLDERS:
        raise FacegenError(f"cannot write {path}: {suffix} is one file, not a folder; leave the slash out")
    module, name = _WRITERS[suffix].split(":")
    return getattr(import_module(module), name)


def export(sequence: Sequence, path: str | Path, **options: Any) -> str:
    """Write `sequence` in the format that `path` ends in.

    Args:
        sequence: what is written.
        path: a file, or for .obj and .ply a folder, with or without a slash at its end.
        options: the keyword arguments of that format's writer, e.g. `tolerance` for .glb, `size` for .mp4.

    Returns:
        One line, such as "smile.glb: 100 frames, 9 targets, largest error 0.08 mm, 0.9 MB".

    Raises:
        FacegenError: an unknown suffix or option, or `path` cannot be written; nothing is left under that name.

    Examples:
        >>> import facegen
        >>> facegen.export(facegen.Sequence.load("smile.npz"), "smile.pc2")
        'smile.pc2: 60 frames, 0.3 MB, for a scene of 30 frames a second'
    """
    require_options(path, options)
    return f"{Path(path).name}: {writer(path)(sequence, path, **options)}"


def require_options(path: str | Path, names: Iterable[str]) -> None:
    """Refuse options that the writer of such a file does not have.

    Raises:
        FacegenError: an unknown suffix or option.
    """
    parameters = inspect.signature(writer(path)).parameters.values()
    known = [each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]
    for name in names:
        if name not in known:
            suffix = Path(path).suffix.lower()
            why = "; its times are seconds, right in a scene of any rate" if (suffix, name) in _IN_SECONDS else ""
            said = (
                unknown(f"option for {suffix}", name, known) if known else f"{suffix} has no options such as {name!r}"
            )
            raise FacegenError(said + why)
