from __future__ import annotations

import numpy as np
from avatars import ball

from facegen.fitting.head import FaceFrame
from facegen.rigging.tongue import tongue_out


def test_what_has_no_upper_side_behind_its_front_is_no_tongue():
    """An octahedron in the place of teeth: deep enough, but one vertex looks up; and a jaw of which none does."""
    teeth = ball(np.zeros(3), 1.0)
    for turn in (np.eye(3), np.diag([1.0, 0.0, 1.0])):
        head = FaceFrame(turn, np.zeros(3), 10.0, np.zeros((468, 3)))
        assert tongue_out(teeth, np.ones(6), head) is None
