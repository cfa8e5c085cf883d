"""Damage in a checkpoint is told, wherever it is and whoever reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from facegen import checkpoint_digest
from facegen.checkpoint import load, read_raw
from facegen.checkpoint_digest import DIGEST, digests_of, with_digest
from facegen.checkpoint_format import KEY
from facegen.errors import CheckpointError
from facegen.pretrained import MODEL
from facegen.training.checkpoint_file import CheckpointFile


def flipped(data: bytes, at: int, folder: Path) -> Path:
    path = folder / "flipped.ckpt"
    path.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
    return path


def small() -> dict[str, Any]:
    entry = {
        "format": 3,
        "hierarchy": {"faces0": torch.arange(6).reshape(2, 3)},
        "settings": {"latent": 3},
        "fps": 25.0,
    }
    weights = {"network.a": torch.arange(40.0).reshape(5, 8).t(), "network.b": torch.ones(3, dtype=torch.bfloat16)}
    return {"state_dict": weights, KEY: entry, "epoch": 1}


def test_a_flipped_bit_is_refused_by_every_reader_or_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "whole.ckpt"
    CheckpointFile().save_checkpoint(small(), path)
    data, wanted = path.read_bytes(), read_raw(path)
    refused = 0
    for at in range(0, len(data), 13):
        broken = flipped(data, at, tmp_path)
        for read in (read_raw, CheckpointFile().load_checkpoint):
            try:
                found = read(broken)
            except CheckpointError as error:
                assert "\n" not in str(error) and "damaged" in str(error)
                refused += 1
            else:  # between the parts of the archive nothing is stored
                assert digests_of(found).items() <= wanted[KEY][DIGEST].items()
    assert refused > 50


@pytest.mark.parametrize("part", ["the first weights", "the last"])
def test_a_flipped_bit_in_the_model_that_comes_with_facegen_is_refused_without_torch(part: str, tmp_path: Path) -> None:
    data, (first, *_, last) = MODEL.read_bytes(), read_raw(MODEL)["state_dict"].values()
    at = data.index((first if part == "the first weights" else last).numpy().tobytes()) + 2
    with pytest.raises(CheckpointError, match=r"flipped.ckpt: 'archive/data/[0-9]+' in it is damaged \(check sum\)"):
        load(flipped(data, at, tmp_path))


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a weight": lambda content: content["state_dict"]["network.a"].__setitem__((0, 0), 1e-7),
    "a weight of half precision": lambda content: content["state_dict"]["network.b"].__setitem__(1, 1.0078125),
    "the kind of weights": lambda content: content["state_dict"].update(
        {"network.a": content["state_dict"]["network.a"].view(torch.int32)}
    ),
    "their shape": lambda content: content["state_dict"].update({"network.b": torch.ones(3, 1, dtype=torch.bfloat16)}),
    "a table": lambda content: content[KEY]["hierarchy"]["faces0"].__setitem__((1, 1), 3),
    "a setting": lambda content: content[KEY]["settings"].update(latent=4),
    "a number that is text": lambda content: content[KEY]["settings"].update(latent="3"),
    "one thing more": lambda content: content[KEY].update(more=None),
    "the digest": lambda content: content[KEY].update({DIGEST: 7}),
    "no end": lambda content: content[KEY].update(more=[content[KEY]["hierarchy"]] * 50_000),
    "more than there is": lambda content: content["state_dict"].update(more=torch.zeros(1).expand(10**13)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_was_changed_since_is_told(change: str, tmp_path: Path) -> None:
    content = with_digest(small())
    CHANGES[change](content)
    torch.save(content, tmp_path / "x.ckpt")
    with pytest.raises(CheckpointError, match=r"x.ckpt: .* of it is not as it was written \(digest\)"):
        read_raw(tmp_path / "x.ckpt")


def test_a_part_that_an_older_version_had_not_may_be_missing(tmp_path: Path) -> None:
    content = with_digest(small())
    del content[KEY]["fps"]
    torch.save(content, tmp_path / "x.ckpt")
    assert "fps" not in read_raw(tmp_path / "x.ckpt")[KEY]


def test_arrays_and_tensors_have_one_digest() -> None:
    content = small()
    del content["state_dict"]["network.b"]
    arrays = {name: np.asfortranarray(value.numpy()) for name, value in content["state_dict"].items()}
    assert digests_of(content | {"state_dict": arrays}) == digests_of(content)


def test_an_older_file_gets_one_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    torch.save(small(), tmp_path / "x.ckpt")
    for _ in range(2):
        read_raw(tmp_path / "x.ckpt")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"facegen: {tmp_path / 'x.ckpt'}: it has no digest, as earlier versions wrote it, so that ")
    load()
    assert capsys.readouterr().err == ""


def test_what_is_no_checkpoint_of_facegen_is_left_as_it_is() -> None:
    assert with_digest({"epoch": 1}) == {"epoch": 1}
    assert checkpoint_digest.DIGEST not in with_digest({"state_dict": {}})
