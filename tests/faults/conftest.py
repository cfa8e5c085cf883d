"""What is broken, and the process that breaks it, once for all tests of this room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.campaign import Campaign
from faults.valid import write_inputs
from faults.verbs import WHOLE


@pytest.fixture(scope="session")
def inputs(corpus_path: Path, checkpoint_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every valid input, in one folder."""
    folder = tmp_path_factory.mktemp("faults") / "inputs"
    folder.mkdir()
    write_inputs(folder, corpus_path, checkpoint_path)
    (folder.parent / WHOLE).symlink_to(corpus_path)
    return folder


@pytest.fixture(scope="session")
def campaign(inputs: Path) -> Iterator[Campaign]:
    """A process in which all is loaded."""
    with Campaign(inputs, inputs.parent / "campaign.log") as found:
        yield found
