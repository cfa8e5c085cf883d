from .animation import animate as animate
from .animation import interpolate as interpolate
from .animation import register as register
from .checkpoint import Checkpoint as Checkpoint
from .checkpoint import load as load
from .data.corpus import Corpus as Corpus
from .errors import FacegenError as FacegenError
from .exporters import export as export
from .mesh.formats.io import read_mesh as read_mesh
from .mesh.tri_mesh import TriMesh as TriMesh
from .motion.keys import Keys as Keys
from .motion.label import Phases as Phases
from .motion.label import motion_label as motion_label
from .motion.timeline import Timeline as Timeline
from .performing import style_of as style_of
from .quick import quick_face as quick_face
from .recorded_take import recorded_take as recorded_take
from .rigging.rig import rig as rig
from .sequence.sequence import Sequence as Sequence

__version__: str
