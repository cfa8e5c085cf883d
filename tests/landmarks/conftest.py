"""Landmarks of one face."""

from __future__ import annotations

import numpy as np
import pytest
from one_face import template


@pytest.fixture(scope="session")
def seen() -> np.ndarray:
    """(468, 3) mm on a face with +y up and +z out, as the detector sees them."""
    pytest.importorskip("mediapipe")
    pytest.importorskip("embreex")
    from facegen.detection.search import find_landmarks

    return find_landmarks(template(), "it").points
