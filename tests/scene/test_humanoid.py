from __future__ import annotations

import pytest
from gltf_files import POINTS, square

from facegen.scene.asset import Asset
from facegen.scene.humanoid import humanoid


@pytest.mark.parametrize("others", [[[0, 1]], [[1, 0], [0, 1, 2]], [[0]], [[2]], [[]]])
def test_bones_leave_other_scenes_as_they_were(tmp_path, others):
    """What hangs on the made head is a root of no scene; where one shows some of it alone, nothing hangs there."""
    document = square()
    document.add_node(name="beside")
    document.add_node(False, name="elsewhere")
    document.tree["scenes"] += [{"nodes": nodes} if nodes else {} for nodes in others]
    (tmp_path / "a.glb").write_bytes(document.content())
    asset = Asset.open(tmp_path / "a.glb")
    _, said = humanoid(asset, POINTS * 1000)
    assert ("the head moves the mesh" in said) == ([0] not in others)
    scenes, nodes = asset.tree["scenes"], asset.tree["nodes"]
    hanging = {child for node in nodes for child in node.get("children", ())}
    assert all(hanging.isdisjoint(scene.get("nodes", ())) for scene in scenes)
    for scene, before in zip(scenes[1:], others, strict=True):
        assert _shown(nodes, scene) & {0, 1, 2} == {*before}


def _shown(nodes: list[dict], scene: dict) -> set[int]:
    found, left = set(), list(scene.get("nodes", ()))
    while left:
        found.add(number := left.pop())
        left += nodes[number].get("children", ())
    return found
