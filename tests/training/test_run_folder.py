"""What a run that ends early leaves of its records."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from pytorch_lightning import Trainer
from pytorch_lightning.loggers import CSVLogger

from facegen.errors import FacegenError
from facegen.training.run_folder import place_named, require_names


@pytest.mark.parametrize(("number", "left"), [(errno.ENOSPC, b"a,b\n1,2\n"), (errno.EACCES, b"a,b\n1,2\n3,")])
def test_of_a_full_disk_whole_rows_are_left_and_nothing_that_was_only_begun(
    number: int, left: bytes, tmp_path: Path
) -> None:
    logger = CSVLogger(tmp_path, "run", "made")
    folder = tmp_path / "run" / "made"
    trainer = Trainer(logger=logger, accelerator="cpu", enable_checkpointing=False, barebones=False)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.csv").write_bytes(b"a,b\n1,2\n3,")  # no room for the rest
    (folder / "hparams.yaml").write_bytes(b"")
    error = OSError(number, "told by the system")
    with pytest.raises(OSError) as told, place_named(trainer):
        raise error
    assert (folder / "metrics.csv").read_bytes() == left
    full = number == errno.ENOSPC
    assert (folder / "hparams.yaml").exists() != full
    assert told.value.filename == (str(folder) if full else None)


@pytest.mark.parametrize("names", [("runs", "a\nb", 0), ("runs", "run", "a\x1b[2J"), ("a\u2028/b", "run", 0)])
def test_every_folder_of_a_run_has_a_name_that_can_be_shown(names: tuple[str, str, str | int], tmp_path: Path) -> None:
    save_dir, name, version = names
    trainer = Trainer(logger=CSVLogger(tmp_path / save_dir, name, version=version), accelerator="cpu")
    with pytest.raises(FacegenError, match=r"^cannot write '.*a\\.*: expected a name of signs"):
        require_names(trainer)
    require_names(Trainer(logger=CSVLogger(tmp_path, "run", version=2), accelerator="cpu"))
    assert not list(tmp_path.iterdir())
