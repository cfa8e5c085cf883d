"""A glTF asset that is kept: its document, where its parts stand in the drawn mesh, and what is added to it."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from facegen.errors import FacegenError, MeshError
from facegen.mesh.formats.glb import first_vertices
from facegen.mesh.formats.gltf_buffer import Buffer
from facegen.mesh.formats.gltf_document import DAMAGED, MALFORMED, Document, open_document
from facegen.mesh.formats.gltf_scene import Scene, scene_of
from facegen.scene.checks import require_finite, require_sound
from facegen.scene.parts import Part, part_of

SUFFIXES = (".glb", ".gltf", ".vrm")
"""Suffixes of files that can be kept, and written again."""


class Asset:
    """A document as its file has it; what is added to it comes behind what is there, so that every index stays right.

    `facegen.scene.targets.add_targets` adds morph targets, `facegen.scene.animations.drive` an animation, and
    `facegen.scene.files.write_asset` writes the file.

    Args:
        document: of a `.glb`, `.gltf` or `.vrm`; its tree is changed in place.
        path: of that file, for messages.

    Raises:
        MeshError: it shows no triangles, or the counts of its morph targets contradict each other.
    """

    def __init__(self, document: Document, path: Path) -> None:
        self.document, self.path = document, path
        self.tree: dict = document.tree
        self.notes: list[str] = []  # what could not be kept or moved, a line each
        if document.unpacked_from:
            self.notes.append(f"the packing ({', '.join(document.unpacked_from)}): what is written is plain")
        require_sound(document)
        self.scene = scene_of(document)
        self._added = io.BytesIO()
        self._buffer: Buffer | None = None

    @classmethod
    def open(cls, path: str | Path, opened: Document | None = None) -> Asset:
        """Open a `.glb`, `.gltf` or `.vrm` to put motion into it.

        Args:
            path: of the file.
            opened: its document, where others have read it; it is this asset's from now on.

        Raises:
            MeshError: it cannot be read, see `facegen.mesh.formats.glb.read_glb`; a primitive has another number of
                morph targets than its mesh, or a target another number of vertices.
        """
        document = opened or open_document(path)
        try:
            asset = cls(document, Path(path))
            require_finite(document)
            return asset
        except MeshError as error:
            raise MeshError(f"{path}: {error}") from error
        except MALFORMED as error:
            raise MeshError(f"{path}: {DAMAGED}") from error

    def another(self) -> Asset:
        """The same as it came, for motion of its own; whatever was read of the file is shared, so long as nothing has
        been added."""
        return Asset(self.document.another(), self.path)

    @cached_property
    def parts(self) -> list[Part]:
        """The primitives that the default scene shows, and which vertices of the drawn mesh are theirs."""
        number = {id(node): index for index, node in enumerate(self.tree["nodes"])}
        scene = self.scene
        known: dict[int, Part] = {}  # by first row: what shares its vertices goes the same way
        found = []
        for shown, node, first in zip(scene.shown, scene.nodes, first_vertices(self.document, scene), strict=True):
            if first not in known:
                known[first] = part_of(self.document, shown, number[id(node)], first)
            found.append(replace(known[first], node=number[id(node)], primitive=shown.primitive))
        return found

    @cached_property
    def count(self) -> int:
        """Vertices of the drawn mesh, V of `facegen.mesh.formats.glb.read_glb`."""
        return max(part.first + part.count for part in self.parts)

    @property
    def buffer(self) -> Buffer:
        """Takes numbers that are added; they come behind those of the first buffer."""
        if self._buffer is None:
            buffers = self.tree.setdefault("buffers", [])
            if not buffers:
                buffers.append({"byteLength": 0})
            views, accessors = self.tree.setdefault("bufferViews", []), self.tree.setdefault("accessors", [])
            length = len(self.document.buffer(0))
            self._added.write(bytes(-length % 4))
            self._buffer = Buffer(self._added, views, accessors, length + -length % 4)
        return self._buffer

    def refresh(self) -> None:
        """Look at the scene anew, after nodes have got other meshes."""
        self.scene = self.document.scene = Scene(self.document)
        self.__dict__.pop("parts", None)

    def settle(self) -> None:
        """Let the document have the numbers that were added, so that they can be read back and written."""
        if self._added.tell():
            whole = bytes(self.document.buffer(0)) + self._added.getvalue()
            self.document.buffers[0] = whole
            self.tree["buffers"][0]["byteLength"] = len(whole)
            self._added.seek(0)
            self._added.truncate()

    def drawn(self, vertices: np.ndarray) -> np.ndarray:
        """The same rows, refused where they are not those of the drawn mesh, (..., V, 3)."""
        if vertices.shape[-2:] != (self.count, 3):
            raise FacegenError(f"{self.path}: it draws {self.count} vertices, and {vertices.shape[-2]} are to move")
        return vertices
