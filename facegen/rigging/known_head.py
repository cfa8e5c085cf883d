"""Whether a mesh is of the topology of the head that comes with facegen."""

from __future__ import annotations

from facegen.face import Face
from facegen.mesh.tri_mesh import TriMesh
from facegen.rigging.shipped_head import COUNT


def known_head(template: TriMesh, mesh: TriMesh, units: str | None = None, name: str = "the mesh") -> Face | None:
    """A mesh of the topology of the head that comes with facegen, such as `facegen photo` writes, ready to be moved
    without a fit; None where it is no such mesh, or the template is not that head's face.

    Args:
        template, mesh, units, name: see `Face.of`.
    """
    if len(mesh.vertices) != COUNT:
        return None
    from facegen.rigging.whole_head import WholeHead  # what every other mesh does without

    head = WholeHead.around(template)
    if head is None or mesh.digest != head.mesh.digest:
        return None
    face = template.with_vertices(mesh.vertices[: head.face])
    return head.moved(mesh, Face.of(template, face, units, name=name, own=head.landmarks))
