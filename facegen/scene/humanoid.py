"""The bones that a VRM wants of a humanoid: those of an asset by name, or made where it has none."""

from __future__ import annotations

import re

import numpy as np

from facegen.scene.asset import Asset

REQUIRED = (
    "hips", "spine", "head",
    *(f"{side}{bone}" for side in ("left", "right") for bone in (
        "UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm", "Hand",
    )),
)  # fmt: skip
"""Bones without which nothing is a humanoid (VRMC_vrm 1.0, humanoid)."""
_SPELLED = {
    "hips": ("hips", "hip", "pelvis"),
    "spine": ("spine", "spine0", "spine1"),
    "chest": ("chest", "spine2"),
    "neck": ("neck",),
    "head": ("head",),
    "UpperLeg": ("upperleg", "upleg", "thigh"),
    "LowerLeg": ("lowerleg", "leg", "calf", "shin"),
    "Foot": ("foot", "ankle"),
    "UpperArm": ("upperarm", "arm"),
    "LowerArm": ("lowerarm", "forearm"),
    "Hand": ("hand", "wrist"),
    "Eye": ("eye",),
}
"""How modellers spell bones, without sides and what stands before them; the first that is found counts."""
_PARENTS = {
    "spine": "hips", "head": "spine", "UpperLeg": "hips", "LowerLeg": "UpperLeg", "Foot": "LowerLeg",
    "UpperArm": "spine", "LowerArm": "UpperArm", "Hand": "LowerArm",
}  # fmt: skip
_PLACES = {
    "hips": (0.0, -2.9, -0.3), "spine": (0.0, -2.4, -0.3), "head": (0.0, -0.6, -0.3), "UpperLeg": (0.4, -3.1, -0.3),
    "LowerLeg": (0.4, -4.9, -0.3), "Foot": (0.4, -6.6, -0.35), "UpperArm": (0.75, -1.3, -0.3),
    "LowerArm": (1.9, -1.3, -0.3), "Hand": (2.95, -1.3, -0.3),
}  # fmt: skip
"""Where bones are made: to the left, up and out from the middle of the face, in heights of the face, of an adult who
stands in a T. Chosen after common proportions, seven and a half heads high."""


def named_bones(tree: dict) -> dict[str, int]:
    """The nodes of bones by VRM's names, as far as names of nodes say so."""
    found: dict[str, int] = {}
    for number, node in enumerate(tree.get("nodes", [])):
        side, word = _said(str(node.get("name", "")))
        for bone, spelled in _SPELLED.items():
            if word in spelled and bool(side) == bone[0].isupper():
                found.setdefault(side + bone if side else bone, number)
    return found


def _said(name: str) -> tuple[str, str]:
    """The side, left, right or none, and the bone that a node's name says."""
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+\d*|\d+", name.split(":")[-1])]
    short = {"l": "left", "r": "right", "left": "left", "right": "right"}
    side = next((short[word] for word in words if word in short), "")
    kept = [word for word in words if word not in short and word not in ("j", "bip", "c", "mixamorig", "def", "bone")]
    return side, "".join(kept)


def humanoid(asset: Asset, face: np.ndarray) -> tuple[dict, str]:
    """`humanBones` of an asset, and what is to be said of them.

    Where nodes are named as all required bones are, these are the bones. Where one is missing, a skeleton that moves
    nothing but, of an asset without skins, the whole of it by its head is added to the scene. Where another scene shows
    some of that alone, it moves nothing either, since what hangs on a head is shown with it.

    Args:
        asset: nodes may be added to it.
        face: (V, 3) mm of the drawn mesh, a face that looks along +z.
    """
    bones = named_bones(asset.tree)
    if all(bone in bones for bone in REQUIRED):
        return {bone: {"node": number} for bone, number in bones.items()}, f"{len(bones)} bones of its own, by name"
    lacking = [bone for bone in REQUIRED if bone not in bones]
    made, hung = _made(asset, face)
    has = f"no bones named {', '.join(lacking[:3])}" + (f" and {len(lacking) - 3} more" if len(lacking) > 3 else "")
    moves = ", of which the head moves the mesh" if hung else ""
    return made, f"{has}: the bones that VRM wants were made at an adult's places{moves}"


def _made(asset: Asset, face: np.ndarray) -> tuple[dict, bool]:
    """Bones at an adult's places, in a tree of their own in the default scene, and whether that hangs on their head."""
    tree = asset.tree
    middle, height = (face.max(axis=0) + face.min(axis=0)) / 2000, float(np.ptp(face[:, 1])) / 1000
    nodes = tree["nodes"]
    made, number = bones_at(middle, height, len(nodes))
    nodes += made
    scenes = tree.setdefault("scenes", [{"nodes": []}])
    scene = scenes[tree.setdefault("scene", 0)]
    roots = scene.get("nodes", [])
    sharing = [each for each in scenes if {*roots} & {*each.get("nodes", ())}]
    hung = bool(roots) and not tree.get("skins") and all({*roots} <= {*each["nodes"]} for each in sharing)
    if hung:
        head = middle + height * np.array(_PLACES["head"])
        nodes.append({"name": "face", "translation": (-head).tolist(), "children": list(roots)})
        nodes[number["head"]].setdefault("children", []).append(len(nodes) - 1)
    # What hangs on a bone is no root any more, in no scene (glTF 2.0, section 5.26).
    for each in sharing if hung else [scene]:
        kept = [node for node in each.get("nodes", ()) if not hung or node not in roots]
        each["nodes"] = [*kept, number["hips"]]
    asset.refresh()
    return {bone: {"node": each} for bone, each in number.items()}, hung


def bones_at(middle: np.ndarray, height: float, first: int = 0) -> tuple[list[dict], dict[str, int]]:
    """The nodes of the bones that VRM wants, of an adult who stands in a T, and by name which node each is.

    Args:
        middle: (3,) metres, of the face, which looks along +z.
        height: metres, of the face.
        first: number of the first node; the others follow.
    """
    place = {}
    for bone, (left, up, out) in _PLACES.items():
        for side, sign in (("left", 1), ("right", -1)) if bone[0].isupper() else (("", 1),):
            place[side + bone] = middle + height * np.array([sign * left, up, out])
    nodes: list[dict] = []
    number: dict[str, int] = {}
    for bone in REQUIRED:
        side = next((each for each in ("left", "right") if bone.startswith(each)), "")
        above = _PARENTS.get(bone.removeprefix(side))
        parent = None if above is None else (side + above if above[0].isupper() else above)
        at = place[bone] - (place[parent] if parent else 0)
        number[bone] = first + len(nodes)
        nodes.append({"name": bone, "translation": at.tolist()})
        if parent:
            nodes[number[parent] - first].setdefault("children", []).append(number[bone])
    return nodes, number
