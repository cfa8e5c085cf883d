"""The shapes that an avatar has of its own: morph targets named as ARKit names them, and the expressions of a VRM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from facegen.errors import MeshError
from facegen.mesh.formats.gltf_document import MALFORMED
from facegen.motion.shape_names import GAZE, apple_name
from facegen.scene.checks import target_count
from facegen.scene.names import target_names

UNMOVED = ("neutral", "look")
"""How names of a VRM's presets begin that are no motion of a face: its rest, and its gaze."""
SHAPE_LIMIT = 4096
"""Shapes that are looked at, at most. Chosen: avatars have some hundred, and a file may say any number of them."""


@dataclass(frozen=True)
class OwnShape:
    """A shape of an avatar.

    Args:
        name: Apple's, or the expression's own.
        targets: by mesh and morph target, both by their numbers in the document, the weight at the shape's full.
    """

    name: str
    targets: dict[tuple[int, int], float]


def own_shapes(tree: dict) -> list[OwnShape]:
    """The shapes of a document that say what a face does, but for gaze.

    Targets that have one of ARKit's names, however it is spelled, are one shape over all meshes, as skin, teeth and
    lashes have it each. Expressions of a VRM, of version 0 or 1, come after them, where they move what these do not;
    those that are on or off alone are left out.

    Raises:
        MeshError: an expression binds what is not there, or there are more than `SHAPE_LIMIT`.
    """
    named: dict[str, dict[tuple[int, int], float]] = {}
    for mesh, entry in enumerate(tree.get("meshes", [])):
        found: dict[str, int] = {}  # of two targets of one name in a mesh the first counts
        for target, said in enumerate(target_names(entry)):
            name = apple_name(said)
            if name is not None and not name.startswith(GAZE):
                found.setdefault(name, target)
        for name, target in found.items():
            named.setdefault(name, {})[mesh, target] = 1.0
    covered = {place for targets in named.values() for place in targets}
    for name, targets in _expressions(tree):
        if not set(targets) <= covered:
            while name in named:
                name += "_"
            named[name] = targets
    if len(named) > SHAPE_LIMIT:
        raise MeshError(f"it has {len(named)} shapes of its own; up to {SHAPE_LIMIT} are driven")
    return [OwnShape(name, targets) for name, targets in named.items()]


def said_names(tree: dict) -> list[str]:
    """What the document calls its morph targets and expressions, each name once."""
    names = [name for mesh in tree.get("meshes", []) for name in target_names(mesh)]
    return list(dict.fromkeys([*names, *(name for name, _ in _expressions(tree))]))


def _expressions(tree: dict) -> list[tuple[str, dict[tuple[int, int], float]]]:
    """As `_read`; a description that is not as VRM has it is refused in one line."""
    try:
        return list(_read(tree))
    except MALFORMED as error:
        raise MeshError("what it says of a VRM's expressions is not as the format has it; export it anew") from error


def _read(tree: dict) -> Iterator[tuple[str, dict[tuple[int, int], float]]]:
    """The name and the targets of each expression of a VRM that moves some."""
    extensions = tree.get("extensions") or {}
    for group in ((extensions.get("VRM") or {}).get("blendShapeMaster") or {}).get("blendShapeGroups") or []:
        preset = str(group.get("presetName") or "unknown").lower()
        name = str(group.get("name") or preset) if preset == "unknown" else preset
        places = [
            (bind.get("mesh"), bind.get("index"), bind.get("weight", 0) / 100) for bind in group.get("binds") or []
        ]
        yield from _bound(tree, name, group, places)
    expressions = (extensions.get("VRMC_vrm") or {}).get("expressions") or {}
    nodes = tree.get("nodes", [])
    for kind in ("preset", "custom"):
        for name, entry in (expressions.get(kind) or {}).items():
            places = []
            for bind in entry.get("morphTargetBinds") or []:
                node = bind.get("node")
                if type(node) is not int or not 0 <= node < len(nodes):
                    raise MeshError(
                        f"expression {name[:40]!r} binds node {node!r:.20}, of {len(nodes)}; export it anew"
                    )
                places.append((nodes[node].get("mesh"), bind.get("index"), bind.get("weight", 0)))
            yield from _bound(tree, name, entry, places)


def _bound(
    tree: dict, name: str, said: dict, places: list[tuple]
) -> Iterator[tuple[str, dict[tuple[int, int], float]]]:
    """The expression, if it moves anything by degrees; its binds are looked at."""
    if said.get("isBinary") or name.lower().startswith(UNMOVED):
        return
    meshes, targets = tree.get("meshes", []), {}
    for mesh, target, weight in places:
        count = target_count(meshes[mesh]) if type(mesh) is int and 0 <= mesh < len(meshes) else 0
        if type(target) is not int or not 0 <= target < count:
            raise MeshError(
                f"expression {name[:40]!r} binds morph target {target!r:.20} of mesh {mesh!r:.20}, which has {count}; "
                "export it anew"
            )
        if 0 < float(weight) <= 1:
            targets[mesh, target] = float(weight)
    if targets:
        yield name, targets
