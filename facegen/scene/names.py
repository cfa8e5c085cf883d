"""Names of morph targets and animations, which glTF keeps in places of custom."""

from __future__ import annotations

from collections.abc import Collection

from facegen.scene.checks import target_count


def target_names(mesh: dict) -> list[str]:
    """The name of each morph target of a mesh, where the document has one, else `target_K`.

    `extras.targetNames` of the mesh says them, as Blender and three.js have it; that of a primitive, as UniVRM has it.
    """
    count = target_count(mesh)
    for holder in (mesh, *mesh["primitives"]):
        found = _listed(holder)
        if found is not None and len(found) == count:
            return [str(name) for name in found]
    return [f"target_{number}" for number in range(count)]


def _listed(holder: dict) -> list | None:
    extras = holder.get("extras")
    found = extras.get("targetNames") if isinstance(extras, dict) else None
    return found if isinstance(found, list) else None


def extend_names(mesh: dict, before: list[str], added: list[str]) -> bool:
    """Put the names of added targets behind those that were there; False where `extras` holds something else."""
    for primitive in mesh["primitives"]:
        found = _listed(primitive)
        if found is not None and len(found) == len(before):
            primitive["extras"]["targetNames"] = [*found, *added]
    extras = mesh.setdefault("extras", {})
    if not isinstance(extras, dict):
        return False
    extras["targetNames"] = [*before, *added]
    return True


def free_name(wished: str, taken: Collection[str]) -> str:
    """The wished name, or the first of `wished_2`, `wished_3`, ... that is not taken."""
    name, number = wished, 2
    while name in taken:
        name, number = f"{wished}_{number}", number + 1
    return name


def animation_names(tree: dict) -> set[str]:
    """The names of a document's animations."""
    return {str(each.get("name", "")) for each in tree.get("animations", [])}


def shape_names(tree: dict) -> set[str]:
    """The names of the morph targets of all meshes of a document."""
    return {name for mesh in tree.get("meshes", []) for name in target_names(mesh)}
