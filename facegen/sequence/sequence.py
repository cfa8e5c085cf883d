"""A mesh over time with its motion label, for everything that moves."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegen.archives import array_names, read_arrays
from facegen.errors import DataError, FacegenError
from facegen.files import new_file
from facegen.mesh.appearance import Appearance, shading_normals
from facegen.motion.limits import require_fps
from facegen.sequence.appearance_arrays import appearance_of, arrays_of
from facegen.sequence.frames import CHUNK_FRAMES, ArchivedFrames, Frames, StoredFrames, chunks, require_finite_frames

LARGEST_LABEL = 1e6
"""Of a motion label, at most. Chosen: labels are intensities about 1, or amplitudes in mm."""


@dataclass(frozen=True, eq=False)
class Sequence:
    """A mesh that moves, made or recorded.

    Args:
        vertices: (T, V, 3) float32, mm: an array, or `Frames` that are made or read some at a time.
        faces: (F, 3) int64.
        fps: frames a second.
        motion: (T, E) float32, the motion label; (T, 0) where there is none.
        expressions: E names, the columns of `motion`.
        polygons: (P, N) int64 filled with -1, as in `TriMesh`, for writing the file's own polygons back.
        appearance: texture coordinates, materials and colours of `faces` and `vertices`.
        focus: (K,) int64, the vertices that pictures show whole, as those of a body's head; None: all.

    Raises:
        DataError: the shapes do not fit together.

    Examples:
        >>> import facegen
        >>> sequence = facegen.Sequence.load("smile.npz")
        >>> sequence.vertices.shape[0] == sequence.motion.shape[0]
        True
    """

    vertices: np.ndarray | Frames
    faces: np.ndarray
    fps: float
    motion: np.ndarray
    expressions: tuple[str, ...]
    polygons: np.ndarray | None = None
    appearance: Appearance | None = None
    focus: np.ndarray | None = None

    def __post_init__(self) -> None:
        faces, motion = np.asarray(self.faces), np.asarray(self.motion)
        if faces.size and faces.dtype.kind not in "iu":
            raise DataError(f"faces must be whole numbers, numbers of vertices, got {faces.dtype}")
        # As 64 bits: the bound is more than halves can hold, and NaN is no number below it.
        numbers = not motion.size or motion.dtype.kind in "iuf"
        if not numbers or not (np.abs(motion.astype(np.float64)) <= LARGEST_LABEL).all():
            raise DataError(f"motion must be finite numbers up to {LARGEST_LABEL:,.0f}")
        object.__setattr__(self, "faces", np.ascontiguousarray(faces, dtype=np.int64))
        object.__setattr__(self, "motion", np.ascontiguousarray(motion, dtype=np.float32))
        if isinstance(self.vertices, np.memmap):
            object.__setattr__(self, "vertices", StoredFrames(self.vertices))
        elif not isinstance(self.vertices, Frames):
            object.__setattr__(self, "vertices", _finite_frames(np.asarray(self.vertices)))
        object.__setattr__(self, "expressions", tuple(str(name) for name in self.expressions))
        object.__setattr__(self, "fps", float(self.fps))
        for name in self.expressions:
            if not name.strip() or not name.isprintable():
                raise DataError(f"names of expressions must be words, got {name!a:.80}")
        if len(set(self.expressions)) < len(self.expressions):
            raise DataError("names of expressions must differ from each other")
        if self.vertices.ndim != 3 or self.vertices.shape[-1] != 3 or len(self.vertices) == 0:
            raise DataError(f"vertices must be (T, V, 3) with T > 0, got {self.vertices.shape}")
        if self.faces.ndim != 2 or self.faces.shape[1] != 3:
            raise DataError(f"faces must be (F, 3), got {self.faces.shape}")
        if self.motion.shape != (len(self.vertices), len(self.expressions)):
            raise DataError(
                f"motion must be ({len(self.vertices)}, {len(self.expressions)}), a row for each frame and a column "
                f"for each expression, got {self.motion.shape}"
            )
        if self.faces.size and not 0 <= self.faces.min() <= self.faces.max() < self.vertices.shape[1]:
            raise DataError(f"faces point outside the {self.vertices.shape[1]} vertices")
        if self.polygons is not None:
            polygons = np.asarray(self.polygons)
            if polygons.ndim != 2 or polygons.dtype.kind not in "iu" or polygons.shape[1] < 3:
                raise DataError(f"polygons must be (P, N) whole numbers, got {polygons.shape} of {polygons.dtype}")
            if polygons.size and not -1 <= polygons.min() <= polygons.max() < self.vertices.shape[1]:
                raise DataError(f"polygons point outside the {self.vertices.shape[1]} vertices")
        if self.appearance is not None:
            have, colors = len(self.appearance.corners), self.appearance.colors
            if have != len(self.faces):
                raise DataError(f"the appearance is of {have} faces, the sequence has {len(self.faces)}")
            if colors is not None and len(colors) != self.vertices.shape[1]:
                raise DataError(f"{len(colors)} vertices have a colour, of {self.vertices.shape[1]}")
            if self.appearance.smooth is not None and len(self.appearance.smooth) != self.vertices.shape[1]:
                raise DataError(f"smooth is of {len(self.appearance.smooth)} vertices, of {self.vertices.shape[1]}")
        if self.focus is not None:
            focus = np.asarray(self.focus)
            if focus.ndim != 1 or not focus.size or focus.dtype.kind not in "iu":
                raise DataError(f"focus must be (K,) numbers of vertices, got {focus.shape} of {focus.dtype}")
            if not 0 <= focus.min() <= focus.max() < self.vertices.shape[1]:
                raise DataError(f"focus points outside the {self.vertices.shape[1]} vertices")
        require_fps(self.fps, DataError)

    def normals(self, pose: np.ndarray) -> np.ndarray:
        """(V, 3) unit normals of a pose (V, 3), as it is lit; see `shading_normals`."""
        return shading_normals(pose, self.faces, self.appearance)

    def save(self, path: str | Path) -> None:
        """Write a `.npz` with vertices, faces, fps, motion and expressions, and with polygons, appearance and focus."""
        arrays = {
            "faces": self.faces,
            "fps": np.float64(self.fps),
            "motion": self.motion,
            "expressions": np.array(self.expressions, dtype=np.str_),
        }
        if self.polygons is not None:
            arrays["polygons"] = self.polygons
        if self.focus is not None:
            arrays["focus"] = self.focus
        if self.appearance is not None:
            arrays |= arrays_of(self.appearance)
        with new_file(path) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w") as file:
                    np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)
            with archive.open("vertices.npy", "w", force_zip64=True) as file:
                header = {"descr": "<f4", "fortran_order": False, "shape": tuple(self.vertices.shape)}
                np.lib.format.write_array_header_1_0(file, header)
                for chunk in chunks(self.vertices):
                    file.write(chunk.astype("<f4", copy=False).tobytes())

    @classmethod
    def load(cls, path: str | Path, *, streamed: bool = False) -> Sequence:
        """Read what `save` wrote.

        Args:
            path: of the `.npz`.
            streamed: leave the vertices in the file, as `Frames`, until they are asked for.

        Raises:
            FacegenError: the file is missing, damaged, or holds something else.
        """
        wanted = ("vertices", "faces", "fps", "motion", "expressions")
        arrays = read_arrays(path, ("vertices",) if streamed else ())
        there = array_names(path)
        missing = [name for name in wanted if name not in there]
        if missing:
            raise DataError(f"{path}: a sequence has {', '.join(wanted)}; missing here: {', '.join(missing)}")
        vertices = ArchivedFrames(path) if streamed else arrays["vertices"]
        try:
            if arrays["expressions"].dtype.kind != "U":
                raise DataError("names of expressions must be text")
            return cls(
                vertices,
                arrays["faces"],
                float(arrays["fps"]),
                arrays["motion"],
                tuple(arrays["expressions"].tolist()),
                arrays.get("polygons"),
                appearance_of(arrays),
                arrays.get("focus"),
            )
        except FacegenError as error:
            raise DataError(f"{path}: {error}") from error
        except (TypeError, ValueError) as error:
            raise DataError(f"{path}: its arrays are not those of a sequence; make it again") from error


def _finite_frames(vertices: np.ndarray) -> np.ndarray:
    """(T, V, 3) float32 of an array of numbers; what has another shape is told of by who asks."""
    if vertices.ndim == 3 and vertices.dtype.kind in "iuf":  # `Frames` are checked when they are made
        for start in range(0, len(vertices), CHUNK_FRAMES):
            require_finite_frames(vertices[start : start + CHUNK_FRAMES], start)
    return np.ascontiguousarray(vertices, dtype=np.float32)
