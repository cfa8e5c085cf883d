"""What a glTF document has beside a surface and its look, in words: what is kept of it, or lost in another format."""

from __future__ import annotations

from dataclasses import dataclass

from facegen.scene.checks import target_count


@dataclass(frozen=True)
class Kept:
    """How many of each kind a document has.

    Args:
        nodes, skins, targets, animations, scenes, cameras: how many.
        extensions: names of those used that say more than how surfaces look.
    """

    nodes: int
    skins: int
    targets: int
    animations: int
    scenes: int
    cameras: int
    extensions: tuple[str, ...]

    @classmethod
    def of(cls, tree: dict) -> Kept:
        """Count what is in a document."""
        nodes, skins, animations, scenes, cameras = (
            len(tree.get(kind, [])) for kind in ("nodes", "skins", "animations", "scenes", "cameras")
        )
        targets = sum(target_count(mesh) for mesh in tree.get("meshes", []))
        used = [str(name) for name in tree.get("extensionsUsed", [])]
        look = ("KHR_materials_", "KHR_texture_", "EXT_texture_", "KHR_mesh_quantization", "KHR_node_visibility")
        extensions = tuple(name[:40] for name in used if not name.startswith(look))
        return cls(nodes, skins, targets, animations, scenes, cameras, extensions)

    def kinds(self) -> list[str]:
        """A phrase for each kind that there is, but for a single node and a single scene, which any file has."""
        found = [
            ("node", self.nodes if self.nodes > 1 else 0),
            ("skin", self.skins),
            ("morph target", self.targets),
            ("animation", self.animations),
            ("scene", self.scenes if self.scenes > 1 else 0),
            ("camera", self.cameras),
        ]
        phrases = [f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in found if count]
        return phrases + (["extensions " + ", ".join(self.extensions)] if self.extensions else [])

    def __str__(self) -> str:
        return ", ".join(self.kinds()) or "its look"
