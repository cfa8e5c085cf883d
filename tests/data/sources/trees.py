"""Small trees in the real formats of the datasets, with nobody's face in them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from shapes import sphere

from facegen.mesh import TriMesh, write_mesh

BALL = sphere(120)
HEAD = BALL.with_vertices(2 * BALL.vertices)
"""120 vertices, radius 100 mm."""

METRE = 1000.0  # mm

VOCA_SUBJECTS = ("FaceTalk_170725_00137_TA", "FaceTalk_170728_03272_TA", "FaceTalk_170809_00138_TA")
"""The last one is of those that VOCA is tested on."""


def bulge(mesh: TriMesh, size: float, axis: int, amount: float) -> np.ndarray:
    """(V, 3): a ball of some size that stretches along one axis."""
    vertices = mesh.vertices * size
    vertices[:, axis] *= 1 + 0.1 * amount
    return vertices


def python2_pickle(value: Any) -> bytes:
    """The value as cPickle of Python 2 wrote it by protocol 2: strings of bytes, and numpy's old names."""
    return b"\x80\x02" + _python2(value) + b"."


def _python2(value: Any) -> bytes:
    if isinstance(value, Mapping):
        return b"}(" + b"".join(_python2(key) + _python2(item) for key, item in value.items()) + b"u"
    if isinstance(value, str):
        return b"U" + bytes([len(value)]) + value.encode("latin-1")
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    code, data = value.dtype.str[1:].encode(), value.tobytes()
    dtype = (
        b"cnumpy\ndtype\n(U"
        + bytes([len(code)])
        + code
        + b"K\x00K\x01tR(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    shape = b"(" + b"".join(map(_python2, value.shape)) + b"t"
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
    return array + b"(K\x01" + shape + dtype + b"\x89T" + struct.pack("<i", len(data)) + data + b"tb"


def write_vocaset(
    root: Path, sentences: int = 2, frames: int = 6, subjects: tuple[str, ...] = VOCA_SUBJECTS, flat: bool = True
) -> dict[str, dict[str, dict[int, int]]]:
    """VOCASET as VOCA is trained on it, and its index, to change and write again with `write_index`.

    The subject i is 1 + i / 10 times as large as `HEAD`, and in the sentence j stretches along y, by j in the middle
    frame and not at all in the first and last. Rows are those of the sentences backwards.
    """
    root.mkdir(parents=True, exist_ok=True)
    templates = {name: HEAD.vertices * (1 + i / 10) / METRE for i, name in enumerate(subjects)}
    rows, index = [], {}
    for i, subject in enumerate(subjects):
        index[subject] = {}
        for j in range(sentences, 0, -1):
            amounts = j * np.sin(np.pi * np.arange(frames) / (frames - 1))
            index[subject][f"sentence{j:02d}"] = {t: len(rows) + t for t in range(frames)}
            rows += [bulge(HEAD, 1 + i / 10, 1, amount) / METRE for amount in amounts]
    array = np.array(rows, dtype=np.float32)
    np.save(root / "data_verts.npy", array.reshape(len(array), -1) if flat else array)
    write_index(root, index)
    (root / "templates.pkl").write_bytes(python2_pickle(templates))
    (root / "template").mkdir(exist_ok=True)
    write_mesh(root / "template" / "FLAME_sample.ply", HEAD.with_vertices(HEAD.vertices / METRE))
    return index


def write_index(root: Path, index: Any) -> None:
    (root / "subj_seq_to_idx.pkl").write_bytes(python2_pickle(index))


MULTIFACE_ENTITIES = ("m--20180227--0000--6795937--GHS", "m--20171024--0000--002757580--GHS")
MULTIFACE_RECORDINGS = {"E001_Neutral_Eyes_Open": None, "E009_Smile_Mouth_Open": 0, "E019_Frown": 1}
"""The axis along which the head stretches."""


def write_multiface(
    root: Path,
    entities: tuple[str, ...] = MULTIFACE_ENTITIES,
    recordings: Mapping[str, int | None] = MULTIFACE_RECORDINGS,
    numbers: tuple[int, ...] = (102, 105, 108, 111, 114),
) -> None:
    """Multiface's tracked meshes, with a .obj for each frame.

    The entity i is 1 + i / 10 times as large as `HEAD`; a recording stretches it evenly, by 1 from the first frame to
    the last. The neutral stays at rest but for its last frame, in which everything is elsewhere.
    """
    for i, entity in enumerate(entities):
        for name, axis in recordings.items():
            folder = root / entity / "tracked_mesh" / name
            folder.mkdir(parents=True)
            for number in numbers:
                amount = (number - numbers[0]) / (numbers[-1] - numbers[0])
                if axis is None:
                    vertices = HEAD.vertices * (1 + i / 10) + (50 if number == numbers[-1] else 0)
                else:
                    vertices = bulge(HEAD, 1 + i / 10, axis, amount)
                (folder / f"{number:06d}.bin").write_bytes(vertices.astype("<f4").tobytes())
                write_mesh(folder / f"{number:06d}.obj", HEAD.with_vertices(vertices))
                (folder / f"{number:06d}_transform.txt").write_text("1 0 0 5\n0 1 0 6\n0 0 1 7\n")
