"""Write a case to a folder, to look into it: `python -m faults.write obj-17 DIR`, in `tests/`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from faults.cases import write_case
from faults.valid import FIT, PREPARE, write_inputs

from facegen.cli import run


def made_inputs(folder: Path) -> Path:
    """Every valid input in a folder, with a corpus and a checkpoint made for it."""
    corpus, logs = folder / "made" / "corpus", folder / "made" / "fit"
    for line in (f"{PREPARE} {corpus}", f"{FIT} --data.corpus={corpus} --trainer.logger.save_dir={logs}"):
        if run(line.split()):
            raise SystemExit(f"could not be made: facegen {line}")
    (folder / "inputs").mkdir()
    write_inputs(folder / "inputs", corpus, logs / "run" / "checkpoints" / "last.ckpt")
    return folder / "inputs"


def main(name: str, folder: Path) -> None:
    """Write the case, and print what is to be typed there."""
    with tempfile.TemporaryDirectory(dir=folder.absolute().parent) as top:
        case = write_case(name, made_inputs(Path(top)), folder)
    print(f"{case.what}\ncd {folder} && {case.line()}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
