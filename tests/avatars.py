"""A rigged avatar, made for tests: what files from avatar makers have, in one small glTF.

A face skinned to a posed skeleton, in two primitives that share their vertices, with targets of its own; lashes on the
same skin, in a sparse accessor; two eyes that are one mesh, shown by two nodes of which one is mirrored; teeth in whole
numbers on a scaled node; a ring of lines; animations of joints and weights; a second scene; names, extras and
extensions that nobody knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dressing import png
from gltf_files import Document
from scipy.spatial.transform import Rotation

from facegen.mesh import TriMesh
from facegen.mesh.formats.gltf_nodes import placed

OWN_NAMES = ["eyeBlinkLeft", "own jaw"]
OPENED = 0.25
"""Default weight of the avatar's second target."""
TEETH = 4000
"""Steps of the teeth's quantised positions in a metre; their node takes them back."""


@dataclass(frozen=True, eq=False)
class Avatar:
    """An avatar.

    Args:
        document: the file.
        drawn: for each mesh its node names and (V, 3) mm where it is drawn, in the scene's order.
    """

    document: Document
    drawn: dict[str, np.ndarray]

    def write(self, path: Path) -> Path:
        """Write it as .glb, whatever the suffix is."""
        path.write_bytes(self.document.content())
        return path


def ball(center: np.ndarray, radius: float) -> TriMesh:
    """An octahedron, finely enough an eye."""
    points = np.concatenate([np.eye(3), -np.eye(3)]) * radius + center
    faces = [[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]]
    return TriMesh(points, np.array(faces))


def bowl() -> TriMesh:
    """A curved sheet of 12 x 12 vertices, about as large as a face, mm, that looks to +z."""
    x, y = np.meshgrid(np.linspace(-70, 70, 12), np.linspace(-100, 100, 12))
    points = np.stack([x, y, 60 - (x**2 + y**2) / 200], axis=-1).reshape(-1, 3)
    corner = (np.arange(11)[:, None] * 12 + np.arange(11)).ravel()
    quads = np.stack([corner, corner + 1, corner + 13, corner + 12], axis=1)
    return TriMesh.from_polygons(points, quads)


def avatar(face: TriMesh, alone: bool = False) -> Avatar:
    """An avatar whose face is `face`, mm, drawn where it is; `alone` without lashes, eyes, teeth and a second scene."""
    document = Document()
    tree = document.tree
    tree["asset"] |= {"generator": "avatar maker 7", "copyright": "nobody", "extras": {"seed": 7}}
    names = _skeleton(document)
    world = _worlds(tree)
    joints = _skin(document, names, world)
    _materials(document)
    drawn = {"Face": _face(document, face, joints)}
    if not alone:
        drawn |= {"Lashes": _lashes(document, face, joints)}
        drawn |= _eyes(document, face, names, world) | _teeth(document, face, names, world)
        _second_scene(document)
    _animations(document, names)
    tree["extensionsUsed"] = ["KHR_mesh_quantization", "ACME_mesh", "ACME_root", "ACME_node", "ACME_material"]
    tree["extensionsRequired"] = ["KHR_mesh_quantization"]
    tree["extensions"] = {"ACME_root": {"numbers": [1, 2.5, None]}}
    order = [name for name in ("EyeLeft", "EyeRight", "Teeth", "Face", "Lashes") if name in drawn]
    return Avatar(document, {name: drawn[name] for name in order})


def _face(document: Document, face: TriMesh, joints: np.ndarray) -> np.ndarray:
    """The face, whose vertices hang on neck, head and jaw by their height."""
    height = (face.vertices[:, 1] - face.vertices[:, 1].min()) / np.ptp(face.vertices[:, 1])
    weights = np.stack([0.1 + 0.2 * (1 - height), 0.3 + 0.5 * height, 0.5 - 0.3 * height, 0 * height], axis=1)
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype("<f4")
    index = np.tile([2, 3, 4, 0], (len(height), 1)).astype("<u1")
    blended = np.einsum("vj,vjrc->vrc", weights.astype(float), joints[index])
    lower = (face.vertices / 1000 * [0, 0.02, 0.01] * (1 - height[:, None])).astype("<f4")
    blink = (np.exp(-((height[:, None] - 0.7) ** 2) * 50) * [0, -0.004, 0]).astype("<f4")
    own = _back(blended, face.vertices / 1000) - OPENED * lower
    attributes = {
        "POSITION": _positions(document, own),
        "NORMAL": document.add_accessor(_unit(own - own.mean(axis=0)), name="face normals"),
        "JOINTS_0": document.add_accessor(index),
        "WEIGHTS_0": document.add_accessor(weights),
        "TEXCOORD_0": document.add_accessor(height[:, None].repeat(2, axis=1).astype("<f4")),
    }
    targets = [
        {"POSITION": _positions(document, moved), "NORMAL": document.add_accessor(0 * moved)}
        for moved in (blink, lower)
    ]
    half = len(face.faces) // 2
    parts = [
        {
            "attributes": attributes,
            "indices": document.add_accessor(rows.ravel().astype("<u4")),
            "targets": targets,
            "material": material,
            "extras": {"part": material},
        }
        for material, rows in enumerate((face.faces[:half], face.faces[half:]))
    ]
    extras = {"targetNames": list(OWN_NAMES), "mood": "calm"}
    number = _mesh(
        document, "FaceMesh", parts, weights=[0, OPENED], extras=extras, extensions={"ACME_mesh": {"soft": 1}}
    )
    document.add_node(name="Face", mesh=number, skin=0, translation=[5, 5, 5])  # which does not count
    return face.vertices


def _lashes(document: Document, face: TriMesh, joints: np.ndarray) -> np.ndarray:
    """Lashes on the same skin, in a sparse accessor without a view."""
    lashes = face.vertices[np.argsort(-face.vertices[:, 1])[:6]] + [0, 0, 1]
    points = _back(np.repeat(joints[3][None], 6, axis=0), lashes / 1000).astype("<f4")
    position = _positions(document, points)
    entry = document.tree["accessors"][position]
    values = entry.pop("bufferView")
    indices = {"bufferView": document.add_view(np.arange(6, dtype="<u2").tobytes()), "componentType": 5123}
    entry["sparse"] = {"count": 6, "indices": indices, "values": {"bufferView": values}}
    attributes = {
        "POSITION": position,
        "JOINTS_0": document.add_accessor(np.tile([3, 0, 0, 0], (6, 1)).astype("<u1")),
        "WEIGHTS_0": document.add_accessor(np.tile([1, 0, 0, 0], (6, 1)).astype("<f4")),
    }
    lash = {"attributes": attributes, "indices": document.add_accessor(np.array([0, 1, 2, 3, 4, 5], "<u2"))}
    document.add_node(name="Lashes", mesh=_mesh(document, "LashMesh", [lash]), skin=0, extras={"layer": 2})
    return lashes


def _eyes(document: Document, face: TriMesh, names: dict[str, int], world: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Two eyes, one mesh, one of its nodes mirrored; both hang on the head's joint."""
    size, middle = np.ptp(face.vertices, axis=0).max() / 10, face.vertices.mean(axis=0)
    eye = ball(np.zeros(3), 1)
    attributes = {"POSITION": _positions(document, eye.vertices), "NORMAL": document.add_accessor(_unit(eye.vertices))}
    sphere = {"attributes": attributes, "material": 1}
    sphere["indices"] = document.add_accessor(eye.faces.ravel().astype("<u2"))
    number, drawn = _mesh(document, "EyeMesh", [sphere]), {}
    for name, side in (("EyeLeft", 1), ("EyeRight", -1)):
        place = np.diag([side * size / 3000, size / 3000, size / 3000, 1])
        place[:3, 3] = (middle + [side * 1.5 * size, size, 2 * size]) / 1000
        _hang(document, names, world, place, name=name, mesh=number, extras=["eye", side])
        drawn[name] = (eye.vertices @ place[:3, :3].T + place[:3, 3]) * 1000
    return drawn


def _teeth(document: Document, face: TriMesh, names: dict[str, int], world: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Teeth in whole numbers, which their node makes small; and, in the same mesh, a line that is no surface."""
    size, middle = np.ptp(face.vertices, axis=0).max() / 10, face.vertices.mean(axis=0)
    teeth = ball(middle - [0, 2 * size, -size], size / 2)
    steps = np.round(teeth.vertices / 1000 * TEETH).astype("<i2")
    view = document.add_view(np.pad(steps, [(0, 0), (0, 1)]).tobytes(), byteStride=8, target=34962)
    bounds = {"min": steps.min(0).tolist(), "max": steps.max(0).tolist()}
    entry = {"bufferView": view, "componentType": 5122, "count": 6, "type": "VEC3", **bounds}
    document.tree["accessors"].append(entry)
    surface = {"attributes": {"POSITION": len(document.tree["accessors"]) - 1}}
    surface["indices"] = document.add_accessor(teeth.faces.ravel().astype("<u2"))
    line = {"attributes": {"POSITION": _positions(document, np.array([[0, 0, 0], [10, 0, 0]]))}, "mode": 1}
    number = _mesh(document, "TeethMesh", [surface, line], extras={"enamel": 1})
    _hang(document, names, world, np.diag([1 / TEETH] * 3 + [1]), name="Teeth", mesh=number)
    return {"Teeth": steps / TEETH * 1000}


def _hang(document: Document, names: dict[str, int], world: list[np.ndarray], place: np.ndarray, **node: Any) -> None:
    """A node that hangs on the head's and is at `place`, (4, 4)."""
    local = np.linalg.inv(world[names["head"]]) @ place
    number = document.add_node(False, matrix=local.T.ravel().tolist(), **node)
    document.tree["nodes"][names["head"]]["children"].append(number)


def as_vrm(made: Avatar, version: int) -> Avatar:
    """The same as a VRM of version 0 or 1, whose expressions bind the second of the face's own targets."""
    tree = made.document.tree
    names = {node.get("name"): number for number, node in enumerate(tree["nodes"])}
    if version == 0:
        bind = {"mesh": 0, "index": 1, "weight": 100}
        groups = [{"name": "A", "presetName": "a", "binds": [bind], "materialValues": []}]
        bones = [{"bone": bone, "node": names[bone]} for bone in ("hips", "neck", "head", "jaw")]
        extension = {"specVersion": "0.0", "humanoid": {"humanBones": bones}, "meta": {"title": "Trial"}}
        annotations = [{"mesh": 2, "firstPersonFlag": "Auto"}]
        extension |= {"blendShapeMaster": {"blendShapeGroups": groups}, "firstPerson": {"meshAnnotations": annotations}}
        tree["extensions"]["VRM"] = extension
        tree["extensionsUsed"].append("VRM")
        return made
    binds = [{"node": names["Face"], "index": 1, "weight": 1.0}]
    extension = {
        "specVersion": "1.0",
        "meta": {"name": "Trial", "authors": ["nobody"], "licenseUrl": "https://vrm.dev/licenses/1.0/"},
        "humanoid": {"humanBones": {bone: {"node": names[bone]} for bone in ("hips", "head", "jaw")}},
        "expressions": {"preset": {"aa": {"morphTargetBinds": binds}}},
    }
    tree["extensions"]["VRMC_vrm"] = extension
    tree["extensionsUsed"].append("VRMC_vrm")
    return made


def _skeleton(document: Document) -> dict[str, int]:
    """Seven nodes, turned and scaled; names and numbers."""
    turn = lambda *degrees: Rotation.from_euler("xyz", degrees, degrees=True).as_quat().tolist()  # noqa: E731
    chain = [
        ("Armature", {"scale": [0.5, 0.5, 0.5], "rotation": turn(-90, 0, 0)}),
        ("hips", {"translation": [0, 0.1, 1.8], "rotation": turn(90, 0, 0)}),
        ("neck", {"translation": [0, 1, 0.05], "rotation": turn(5, 3, 0)}),
        ("head", {"translation": [0, 0.2, 0], "rotation": turn(10, -15, 4), "scale": [1.1, 1.1, 1.1]}),
        ("jaw", {"translation": [0, -0.1, 0.1], "rotation": turn(12, 0, 0), "scale": [-1.2, 1, 1]}),
        ("end", {"extras": {"note": "nothing hangs here"}, "extensions": {"ACME_node": {"deep": [1]}}}),
    ]
    names: dict[str, int] = {}
    for name, local in chain:
        number = document.add_node(not names, name=name, **local)
        if names:
            document.tree["nodes"][number - 1].setdefault("children", []).append(number)
        names[name] = number
    return names


def _worlds(tree: dict) -> list[np.ndarray]:
    worlds, last = [], np.eye(4)
    for node in tree["nodes"]:  # a chain
        last = last @ placed([node], [-1])[0]
        worlds.append(last)
    return worlds


def _skin(document: Document, names: dict[str, int], world: list[np.ndarray]) -> np.ndarray:
    """A skin, bound in another pose than that in which the joints are: (J, 4, 4) what each joint does."""
    joints = [names[name] for name in ("Armature", "hips", "neck", "head", "jaw")]
    bound = []
    for number, joint in enumerate(joints):
        turned = np.eye(4)
        turned[:3, :3] = Rotation.from_euler("xyz", [4 * number, -3, 2], degrees=True).as_matrix() * 0.9
        turned[:3, 3] = [0.01 * number, 0, 0.02]
        bound.append(np.linalg.inv(world[joint]) @ turned)
    columns = np.array(bound).transpose(0, 2, 1).reshape(-1, 16).astype("<f4")
    columns[:, 3::4] = [0, 0, 0, 1]  # affine to the bit
    entry = {"inverseBindMatrices": document.add_accessor(columns, type="MAT4"), "joints": joints}
    document.tree["skins"] = [entry | {"name": "bones", "skeleton": joints[0], "extras": {"rig": "own"}}]
    back = columns.astype(float).reshape(-1, 4, 4).transpose(0, 2, 1)
    return np.array([world[joint] for joint in joints]) @ back


def _back(blended: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Where points must be so that matrices (V, 4, 4) put them at `points`."""
    return np.linalg.solve(blended[:, :3, :3], (points - blended[:, :3, 3])[..., None])[..., 0]


def _positions(document: Document, points: np.ndarray) -> int:
    points = points.astype("<f4")
    return document.add_accessor(points, min=points.min(0).tolist(), max=points.max(0).tolist())


def _unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("<f4")


def _mesh(document: Document, name: str, primitives: list[dict], **more: Any) -> int:
    document.tree["meshes"].append({"name": name, "primitives": primitives, **more})
    return len(document.tree["meshes"]) - 1


def _materials(document: Document) -> None:
    tree = document.tree
    view = document.add_view(png(200, 150, 120))
    tree["images"] = [{"name": "skin picture", "bufferView": view, "mimeType": "image/png"}]
    tree["samplers"] = [{"wrapS": 33071}]
    tree["textures"] = [{"source": 0, "sampler": 0}]
    color = {"baseColorTexture": {"index": 0}, "roughnessFactor": 0.6}
    tree["materials"] = [
        {"name": "skin", "pbrMetallicRoughness": color, "extras": {"pores": "many"}},
        {"name": "eye", "alphaMode": "MASK", "extensions": {"ACME_material": {"wet": 1}}},
    ]


def _second_scene(document: Document) -> None:
    tree = document.tree
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]])
    number = _mesh(document, "SignMesh", [{"attributes": {"POSITION": _positions(document, corners)}}])
    sign = document.add_node(False, name="Sign", mesh=number, scale=[-1, 2, 1])
    camera = {"type": "perspective", "perspective": {"yfov": 0.7, "znear": 0.01}}
    tree["cameras"] = [camera]
    eye = document.add_node(False, name="Camera", camera=0)
    tree["scenes"][0]["name"] = "stage"
    tree["scenes"].append({"name": "shop", "nodes": [sign, eye], "extras": {"open": False}})


def _animations(document: Document, names: dict[str, int]) -> None:
    """One of the head and of the face's weights, another of these weights as a spline."""
    face = next(n for n, node in enumerate(document.tree["nodes"]) if node.get("name") == "Face")
    times = document.add_accessor(np.array([0, 0.5, 1], "<f4"), min=[0], max=[1])
    head = document.tree["nodes"][names["head"]]["rotation"]
    turns = document.add_accessor(np.tile(head, (3, 1)).astype("<f4"))
    lines = document.add_accessor(np.array([0, OPENED, 1, 0.5, 0, OPENED], "<f4"))
    spline = document.add_accessor(np.arange(18, dtype="<f4") / 18)
    document.tree["animations"] = [
        {
            "name": "idle",
            "samplers": [{"input": times, "output": turns}, {"input": times, "output": lines}],
            "channels": [
                {"sampler": 0, "target": {"node": names["head"], "path": "rotation"}},
                {"sampler": 1, "target": {"node": face, "path": "weights"}, "extras": {"keep": 1}},
            ],
            "extras": {"loop": True},
        },
        {
            "name": "chat",
            "samplers": [{"input": times, "output": spline, "interpolation": "CUBICSPLINE"}],
            "channels": [{"sampler": 0, "target": {"node": face, "path": "weights"}}],
        },
    ]
