"""A rig to files: glTF, USD blend shapes, a folder of OBJ; into the asset that its face came from, if there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from facegen.errors import FacegenError, unknown
from facegen.exporters.asset import Place
from facegen.exporters.mesh_folder import write_obj_shapes
from facegen.exporters.page import SUFFIX as PAGE
from facegen.exporters.page import About, moved_points, page_of
from facegen.exporters.shapes_glb import write_shapes
from facegen.exporters.shapes_usd import write_usd_shapes
from facegen.mesh.appearance import Appearance
from facegen.motion.shape_names import NAMES
from facegen.places import folder_aside
from facegen.rigging.rig import Rig
from facegen.scene.asset import Asset
from facegen.scene.drawn import arkit_targets
from facegen.scene.files import write_asset
from facegen.scene.targets import add_targets
from facegen.sequence.sequence import Sequence

DOCUMENTS = (".glb", ".gltf", ".vrm")
"""Suffixes of glTF."""
SUFFIXES = (*DOCUMENTS, PAGE, ".usd", ".usdc", ".usda", ".obj")
"""Suffixes that a rig can be written with; `.obj` is a folder."""


@dataclass(frozen=True)
class RigReport:
    """What was written.

    Args:
        added: names of the shapes that were written.
        own: names of shapes that the asset had and keeps.
        bytes: of the file, or of all files of a folder.
        notes: what else is to be said, a line each.
    """

    added: tuple[str, ...]
    own: tuple[str, ...]
    bytes: int
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        kept = f", {len(self.own)} of the file's own kept ({_listed(self.own)})" if self.own else ""
        return f"{len(self.added)} of {len(NAMES)} shapes added{kept}, {self.bytes / 1e6:.1f} MB"


def require_rig_suffix(path: Path) -> None:
    """Refuse a name that a rig cannot be written under, before anything is made for it.

    Raises:
        FacegenError: the suffix is unknown.
    """
    if path.suffix.lower() not in SUFFIXES:
        known = [f"{each}/ (a folder)" if each == ".obj" else each for each in SUFFIXES]
        raise FacegenError(f"cannot write {path}: {unknown('suffix of a rig', path.suffix, known)}")


def write_rig(
    rig: Rig,
    path: str | Path,
    *,
    asset: Asset | None = None,
    rows: np.ndarray | None = None,
    appearance: Appearance | None = None,
    dressed: Callable[[Asset], list[str]] | None = None,
) -> RigReport:
    """Write a rig.

    Args:
        rig: the face and its shapes.
        path: `.glb`, `.gltf`, `.vrm`, `.html`, `.usd*`, or a folder `.obj/`: `neutral.obj` and a mesh a shape.
        asset: the file that the face was read from, for glTF: its document is kept, and so are shapes of its own.
        rows: (U,) which vertices of the asset's drawn mesh the face has; None for all.
        appearance: what the face looks like; of an asset, where its vertices are one to the light.
        dressed: is given the glTF document before it is written, and gives back lines to be said.

    Raises:
        FacegenError: an unknown suffix, or `path` cannot be written.
    """
    path = Path(path)
    require_rig_suffix(path)
    suffix = path.suffix.lower()
    if suffix == PAGE:
        with page_of(path) as (glb, about):
            report = write_rig(rig, glb, asset=asset, rows=rows, appearance=appearance)
            about.append(_about(rig, path.stem, 1.0 if asset is None else rig.factor))
        return replace(report, bytes=path.stat().st_size)
    if suffix in DOCUMENTS and asset is not None:
        return _into(rig, path, Place(asset, rig.mesh.vertices, rig.factor, "", rows), appearance, dressed)
    rest = rig.mesh.vertices[None].astype(np.float32)
    still = Sequence(rest, rig.mesh.faces, 1, np.zeros((1, 0)), (), rig.mesh.polygons, appearance)
    if suffix in DOCUMENTS:
        notes = _document(still, rig, path, dressed)
    else:
        (write_obj_shapes if suffix == ".obj" else write_usd_shapes)(still, rig.shapes, path)
        notes = ()
    size = sum(each.stat().st_size for each in path.iterdir()) if path.is_dir() else path.stat().st_size
    return RigReport(rig.names, (), size, notes)


def _about(rig: Rig, title: str, factor: float) -> About:
    moved = np.max([np.linalg.norm(shape, axis=1) for shape in rig.shapes.values()], axis=0)
    return About(title, moved_points(rig.mesh.vertices, moved, factor), turn=rig.rotation)


def _document(still: Sequence, rig: Rig, path: Path, dressed: Callable[[Asset], list[str]] | None) -> tuple[str, ...]:
    """Write a glTF of the mesh alone; what has to be dressed is written aside first, and opened again."""
    if dressed is None:
        write_shapes(still, rig.shapes, path)
        return ()
    with folder_aside(path) as folder:
        write_shapes(still, rig.shapes, folder / "face.glb")
        asset = Asset.open(folder / "face.glb")
        notes = dressed(asset)
        write_asset(asset, path)
    return tuple(notes)


def _into(
    rig: Rig, path: Path, place: Place, look: Appearance | None, dressed: Callable[[Asset], list[str]] | None
) -> RigReport:
    asset = place.asset
    have = set(arkit_targets(asset).values())
    added = {name: shape for name, shape in rig.shapes.items() if name not in have}
    add_targets(asset, list(added), _displacements(rig, added, place, look))
    notes = [] if dressed is None else dressed(asset)
    size = write_asset(asset, path)
    own = tuple(name for name in NAMES if name in have)
    return RigReport(tuple(added), own, size, (*notes, *(f"left out: {each}" for each in dict.fromkeys(asset.notes))))


def _displacements(
    rig: Rig, shapes: dict[str, np.ndarray], place: Place, look: Appearance | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each shape, in the units of the drawn mesh, and of its normals."""
    rest = rig.mesh.vertices.astype(np.float32)
    still = Sequence(rest[None], rig.mesh.faces, 1, np.zeros((1, 0)), (), appearance=look)
    lit = still.normals(rest)
    for shape in shapes.values():
        turned = (still.normals(rest + shape) - lit).astype(np.float32)
        yield place.on_all(shape.astype(np.float64) / rig.factor), place.on_all(turned)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
