"""What the numbers of `facegen.motion.recorded` are taken from, and how: prints its tables.

    python tests/motion/recorded_motion.py LiveLink ICT-FaceKit

The takes of a folder are cut as `facegen prepare live_link --by-shape` does, acted by the generic face of the ICT Face
Model, and measured as `facegen inspect CORPUS --motion` does. Half a minute.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from facegen.data.sources.ict_face import ICTFace
from facegen.data.sources.recorded_face import Performer, RecordedFace
from facegen.motion.live_link import Take
from facegen.motion.recorded import QUANTILES, SHARES
from facegen.motion.repair import stretches
from facegen.motion.shape_groups import led_evolutions
from facegen.motion.statistics import MEASURES, QUARTERS, measure, mirror_of, spectrum, speed_power


def generic(basis: str | Path) -> tuple[RecordedFace, Performer, np.ndarray | None]:
    """The generic face of the ICT Face Model as what takes move, and the vertices on its other side."""
    ict = ICTFace(basis, "narrow")
    face = RecordedFace(ict)
    return face, face._performer(ict.coarse), mirror_of(ict.coarse, ict.template.faces)


def evolutions(take: Path, face: RecordedFace, who: Performer) -> Iterator[np.ndarray]:
    """(T, V, 3) mm of each evolution of a take."""
    for stretch in stretches(Take.load(take))[0]:
        for led in led_evolutions(stretch.weights, stretch.fps):
            if not led.doubt:
                yield face.perform(who, stretch.part(led.first, led.last + 1)) - who.neutral.astype(np.float32)


def main(takes: str, basis: str) -> None:
    face, who, mirror = generic(basis)
    rows, spectra = [], []
    for path in sorted(Path(takes).glob("*.csv")):
        moved = list(evolutions(path, face, who))
        rows.append(np.array([measure(each, who.neutral, 30.0, mirror) for each in moved]))
        spectra.append(spectrum(speed_power(each, 30.0) for each in moved))
        print(path.stem, len(moved))
    for k, name in enumerate(MEASURES):
        each = [np.nanpercentile(found[:, k], QUARTERS).round(3).tolist() for found in rows]
        print(f'    "{name}": ({", ".join(str(tuple(one)) for one in each)}),')
    together = np.concatenate(rows)
    for name in QUANTILES:
        found = np.nanpercentile(together[:, list(MEASURES).index(name)], 100 * np.array(SHARES))
        print(f'    "{name}": {tuple(found.round(3).tolist())},')
    print("left", [round(float(np.nanmean(found[:, -1])), 2) for found in rows])
    print(*(f"    {tuple(one.round(1).tolist())}," for one in spectra), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
