"""What starting costs: `facegen animate` on a face of the model's topology, and the packages that it imports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facegen.benchmark.animate import animate, checkouts, imports
from facegen.benchmark.measure import say
from facegen.mesh.formats.io import read_mesh


def start(meshes: list[Path], model: Path, expression: str, against: Path | None, repeats: int) -> dict[str, Any]:
    """Time the command as `facegen.benchmark.animate.animate` does, and its imports by package.

    Args:
        meshes, model, expression, against, repeats: as there.

    Returns:
        For each mesh's name what `animate` gives, and for each checkout also `imports_ms`, the milliseconds that it
        imports each package for, which need not be the same twice; and `imports_against_this`, the ratio of their sums.

    Raises:
        FacegenError: a mesh cannot be read, or as there.
    """
    for mesh in meshes:
        read_mesh(mesh)  # refused before anything is timed
    result = animate(meshes, model, expression, against, repeats)
    for mesh in meshes:
        found = result[mesh.name]
        for name, tree in checkouts(against).items():
            say(f"{mesh.name}: imports of {name}")
            found[name]["imports_ms"] = imports(tree, mesh, model, expression)
        if against is not None:
            this, other = (sum(found[name]["imports_ms"].values()) for name in ("this", "against"))
            found["imports_against_this"] = round(other / this, 2)
    return result
