"""One surface and what is computed on it once, in numpy; it knows nothing of time or of torch."""

from facegen.mesh.checks import Finding, check, require_sound
from facegen.mesh.formats.io import read_mesh, write_mesh
from facegen.mesh.tri_mesh import TriMesh, triangulate, vertex_normals

__all__ = [
    "Finding",
    "TriMesh",
    "check",
    "read_mesh",
    "require_sound",
    "triangulate",
    "vertex_normals",
    "write_mesh",
]
