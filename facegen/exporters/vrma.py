"""Animations for VRM avatars: `.vrma`, a glTF of bones and expressions without a mesh (VRMC_vrm_animation 1.0)."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from scipy.spatial.transform import Rotation

from facegen.exporters.glb import pack
from facegen.files import new_file
from facegen.mesh.formats.gltf_buffer import FLOAT, Buffer
from facegen.motion.shape_names import GAZE, NAMES
from facegen.rigging.presets import PRESETS
from facegen.rigging.track import Track
from facegen.rigging.weights import ArkitBasis
from facegen.scene.humanoid import bones_at
from facegen.sequence.sequence import Sequence

EXTENSION = "VRMC_vrm_animation"
MIDDLE, HEIGHT = (0.0, 1.6, 0.0), 0.23
"""Metres: where the middle of an adult's face is, and how high it is. Players scale it to their avatar."""
EYES_ABOVE_HEAD = (0.0, 0.06, 0.0)
"""Metres from the head's bone to between the eyes, as the specification's example has it."""
EMOTIONS = {"happy": "happy", "angry": "angry", "sad": "sad", "surprise": "surprised", "surprised": "surprised"}
"""Expressions of a label that VRM has as presets."""


@dataclass(frozen=True)
class VrmaReport:
    """What was written.

    Args:
        frames: keys.
        expressions: names of those that move.
        turns: whether head and gaze are among what moves.
        bytes: of the file.
    """

    frames: int
    expressions: tuple[str, ...]
    turns: bool
    bytes: int

    def __str__(self) -> str:
        turns = ", head and gaze" if self.turns else ""
        return f"{self.frames} frames of {len(self.expressions)} expressions{turns}, {self.bytes / 1e6:.1f} MB"


def write_vrma(
    sequence: Sequence,
    path: str | Path,
    *,
    arkit_basis: str | Path | ArkitBasis | None = None,
    presets: bool = False,
) -> VrmaReport:
    """Write a sequence as an animation of expressions; it says nothing of turns.

    Args:
        sequence: what is written.
        path: the file to write.
        arkit_basis: folder of meshes, see `ArkitBasis.load`; or the shapes that the face itself has.
        presets: as in `write_track`.

    Raises:
        FacegenError: no basis was given, it cannot be used, or `path` cannot be written.
    """
    track = Track.of_sequence(sequence, arkit_basis, "a .vrma")
    return write_track(track, path, labels_of(sequence) if presets else None)


def labels_of(sequence: Sequence) -> dict[str, np.ndarray]:
    """The label of a sequence by the names of its expressions, (T,) each."""
    return dict(zip(sequence.expressions, sequence.motion.T, strict=True))


def write_track(track: Track, path: str | Path, label: Mapping[str, np.ndarray] | None = None) -> VrmaReport:
    """Write weights and turns of head and eyes.

    Weights become custom expressions by Apple's names, which avatars with "perfect sync" have; where the eyes turn, the
    gaze says so and not the shapes.

    Args:
        track: T frames.
        path: the file to write.
        label: write VRM's presets instead, for avatars that have no others: blinks, an emotion as strongly as this
            label has it, (T,) by name, and where it has none the open mouth.

    Raises:
        FacegenError: `path` cannot be written.
    """
    turned = bool(track.rotations[:, 3:].any())
    kind = "custom" if label is None else "preset"
    curves = _customs(track, turned) if label is None else _presets(track, label)
    nodes, bones = bones_at(np.array(MIDDLE), HEIGHT)
    extension: dict = {
        "specVersion": "1.0",
        "humanoid": {"humanBones": {name: {"node": n} for name, n in bones.items()}},
    }
    roots = [bones["hips"]]
    with new_file(path) as aside, tempfile.TemporaryFile(dir=aside.parent) as numbers, aside.open("wb") as file:
        buffer = Buffer(numbers)
        times = (np.arange(len(track.weights)) / track.fps).astype(np.float32)
        keys, samplers, channels = buffer.add(times, "SCALAR", FLOAT, bounds=True), [], []

        def move(node: int, way: str, values: np.ndarray) -> None:
            shape = "VEC3" if way == "translation" else "VEC4"
            output = buffer.add(np.ascontiguousarray(values, np.float32), shape, FLOAT)
            channels.append({"sampler": len(samplers), "target": {"node": node, "path": way}})
            samplers.append({"input": keys, "output": output, "interpolation": "LINEAR"})

        move(bones["head"], "rotation", _quaternions(track.rotations[:, :3]))
        if turned:
            extension["lookAt"] = {"node": len(nodes), "offsetFromHeadBone": list(EYES_ABOVE_HEAD)}
            both = (track.rotations[:, 3:6] + track.rotations[:, 6:9]) / 2
            roots.append(len(nodes))
            nodes.append({"name": "lookAt"})
            move(roots[-1], "rotation", _quaternions(both * [1, 1, 0]))
        for name, row in curves.items():
            extension.setdefault("expressions", {}).setdefault(kind, {})[name] = {"node": len(nodes)}
            roots.append(len(nodes))
            nodes.append({"name": name})
            move(roots[-1], "translation", np.stack([row, np.zeros(len(row)), np.zeros(len(row))], axis=1))
        document = {
            "asset": {"version": "2.0", "generator": "facegen"},
            "extensionsUsed": [EXTENSION],
            "extensions": {EXTENSION: extension},
            "scene": 0,
            "scenes": [{"nodes": roots}],
            "nodes": nodes,
            "animations": [{"name": Path(path).stem, "samplers": samplers, "channels": channels}],
            "buffers": [{"byteLength": buffer.length}],
            "bufferViews": buffer.views,
            "accessors": buffer.accessors,
        }
        pack(document, numbers, file)
    turns = bool(track.rotations.any())
    return VrmaReport(len(times), tuple(curves), turns, Path(path).stat().st_size)


def _customs(track: Track, turned: bool) -> dict[str, np.ndarray]:
    kept = [name for name in NAMES if not (turned and name.startswith(GAZE))]
    rows = {name: track.weights[:, NAMES.index(name)] for name in kept}
    return {name: row for name, row in rows.items() if row.any()}


def _presets(track: Track, label: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    weight = MappingProxyType(dict(zip(NAMES, track.weights.T, strict=True)))
    rows = {EMOTIONS[name]: row for name, row in label.items() if name in EMOTIONS and row.any()}
    if not rows:
        rows["aa"] = weight["jawOpen"] / PRESETS["aa"]["jawOpen"]
    rows |= {"blinkLeft": weight["eyeBlinkLeft"], "blinkRight": weight["eyeBlinkRight"]}
    return {name: np.clip(row, 0, 1) for name, row in rows.items() if row.any()}


def _quaternions(turns: np.ndarray) -> np.ndarray:
    """(T, 4) of yaw to the right, pitch down and roll to the right, (T, 3) radians, where +x is the person's left."""
    return Rotation.from_euler("YXZ", turns * [-1, 1, 1]).as_quat()
