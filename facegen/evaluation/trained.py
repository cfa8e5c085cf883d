"""How the checkpoints of a report were trained, as far as they say it themselves."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facegen.checkpoint import read_raw
from facegen.checkpoint_format import KEY
from facegen.models.resuming import MARKS

Facts = dict[str, Any]
"""Of one checkpoint: names, numbers, and lists of them; None for what it does not say."""


def trained(checkpoints: Mapping[str, Sequence[Path]], folder: Path) -> dict[str, list[Facts]]:
    """What each checkpoint says of its training, by row.

    Args:
        checkpoints: files by row.
        folder: of the report, in which they are to be found again.

    Returns:
        For each file `path` as it was given and `from_report`, its place as seen from the report's folder; `model` and
        `network`, the paths of their classes; `epochs` (the one in which it was written counts), `steps` of the
        optimiser, `takes_a_step` of all devices together, `seed` of the order of takes, `optimizer`, `lr` at the
        beginning, `decay` (the factor on it after each epoch), `weight_decay`, and the `settings` of model and network
        by name.

    Raises:
        CheckpointError: a file is no checkpoint.
    """
    return {name: [_facts(path, folder) for path in paths] for name, paths in checkpoints.items()}


def _facts(path: Path, folder: Path) -> Facts:
    content = read_raw(path)
    (*_, group) = [{}, *_dictionaries(_first(content.get("optimizer_states")).get("param_groups"))]
    order = next((part for part in _dictionaries(content.values()) if "sequences a step" in part), {})
    packed = content[KEY]
    epoch = content.get("epoch")
    settings = {**_first([packed.get("init_args")]), **_first([packed.get("settings")])}
    return {
        "path": str(path),
        "from_report": Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix(),
        "model": _plain(packed.get("model")),
        "network": _plain(packed.get("network")),
        "epochs": epoch + 1 if isinstance(epoch, int) else None,
        "steps": _plain(content.get("global_step")),
        "takes_a_step": _plain(order.get("sequences a step")),
        "seed": _plain(order.get("seed")),
        "optimizer": next((name for mark, name in MARKS.items() if mark in group), None),
        "lr": _plain(group.get("initial_lr")),
        "decay": _plain(_first(content.get("lr_schedulers")).get("gamma")),
        "weight_decay": _plain(group.get("weight_decay")),
        "settings": {str(name): _plain(value) for name, value in settings.items()},
    }


def _dictionaries(values: Any) -> list[dict[str, Any]]:
    """Those of some values that are dictionaries; a checkpoint may hold anything where facts are wanted."""
    return [value for value in values if isinstance(value, dict)] if values else []


def _first(values: Any) -> dict[str, Any]:
    return next(iter(_dictionaries(values)), {})


def _plain(value: Any) -> Any:
    """A value that JSON has, or its text."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
