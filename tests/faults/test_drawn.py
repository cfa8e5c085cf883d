"""Readers against files that hypothesis draws."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults import strategies
from faults.readers import READERS, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_link_files import bumps, lines

ROWS = ["subject,expression,onset,apex_start,apex_end,offset", "ann,happy,1,4,7,10", "bob,sad,0,1,2,3"]
DRAWN: dict[str, st.SearchStrategy[bytes]] = {
    "obj": strategies.objs(),
    "ply": strategies.plys(),
    "glb": strategies.glbs(),
    "yaml": strategies.yamls(),
    "take": strategies.csvs(lines(bumps(30, ("JawOpen", 0.1, 0.5))[:8], rate=30)),
    "annotations": strategies.csvs(ROWS),
    "npz": strategies.npzs(),
}


@pytest.mark.parametrize("kind", READERS)
def test_what_is_drawn_is_sound_or_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    @settings(max_examples=60, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(DRAWN[kind])
    def drawn(data: bytes) -> None:
        read(kind, data, tmp_path)

    drawn()
