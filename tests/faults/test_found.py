"""What a fuzzer has found once: `found/READER-NAME`, a file each, whose reader its name begins with."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.readers import READERS, read

FOUND = sorted((Path(__file__).parent / "found").glob("*-*"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_what_was_found_once_is_sound_or_refused_in_one_line(path: Path, tmp_path: Path) -> None:
    kind = path.name.partition("-")[0]
    assert kind in READERS
    read(kind, path.read_bytes(), tmp_path)
