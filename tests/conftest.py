"""Fixtures of more than one room."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def ict_root() -> Path:
    """The folder of the ICT FaceKit; tests on its faces skip where it is not there."""
    default = Path(__file__).parents[1] / "../shared/data/ICT-FaceKit"
    root = Path(os.environ.get("ICT_FACEKIT", default)).resolve()
    if not (root / "FaceXModel").is_dir():
        pytest.skip(f"no ICT FaceKit in {root}; name its folder in ICT_FACEKIT")
    return root
