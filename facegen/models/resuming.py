"""A checkpoint's state brought under the settings of the run that goes on from it.

Lightning restores an optimiser with the settings that it was saved with, and torch's schedulers and Lightning's
`EarlyStopping` (torch 2.13, Lightning 2.6) do the same. Left alone, a run resumed with another learning rate keeps the
old one, and its config records the new.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pytorch_lightning import Callback
from pytorch_lightning.callbacks import EarlyStopping
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ExponentialLR, LRScheduler

from facegen.errors import CheckpointError

MARKS = {"matrices": "muon", "betas": "adam"}
"""A setting that the groups of one kind of optimiser alone have, and the name of that kind, the first that is there."""
STATE = ("params", "lr", "initial_lr")
"""What a group holds besides settings; `initial_lr` is the setting that is called lr."""


def conform(
    content: dict[str, Any], optimizer: Optimizer, scheduler: LRScheduler, callbacks: Iterable[Callback]
) -> dict[str, list[Any]]:
    """Put a run's settings in the place of those that a checkpoint would restore; what is the same stays to the bit.

    With another lr or decay, the learning rate goes on as if both had held from the first epoch: lr x decay^epoch.

    Args:
        content: a checkpoint's dictionary; it is changed.
        optimizer, scheduler: as the run's own settings make them.
        callbacks: of the run.

    Returns:
        The settings that differ, each with its value in the checkpoint and in the run.

    Raises:
        CheckpointError: the checkpoint has no optimiser or one of another kind, or its schedule cannot be continued
            with other settings.
    """
    if not (content.get("optimizer_states") and content.get("lr_schedulers")):
        raise CheckpointError(
            "the checkpoint holds weights without the optimiser's state, and training cannot go on from it; give one "
            "that was saved whole, such as last.ckpt"
        )
    (saved,), fresh = content["optimizer_states"], optimizer.state_dict()["param_groups"]
    groups = saved["param_groups"]
    before, now = _kind(groups), _kind(fresh)
    if before != now or len(groups) != len(fresh):
        raise CheckpointError(
            f"the checkpoint was trained with optimizer {before}, this run's is {now}, which cannot go on from the "
            f"other's state; give optimizer {before}, or leave --ckpt_path out and train anew"
        )
    changed: dict[str, list[Any]] = {}
    for group, wanted in zip(groups, fresh, strict=True):
        for name in group.keys() & wanted.keys() - set(STATE):
            if group[name] != wanted[name]:
                changed[name] = [group[name], wanted[name]]
                group[name] = wanted[name]
    changed |= _conform_rate(content, groups, fresh, scheduler)
    for callback in callbacks:
        state = content.get("callbacks", {}).get(callback.state_key)
        if isinstance(callback, EarlyStopping) and state and state["patience"] != callback.patience:
            changed["patience"] = [state["patience"], callback.patience]
            state["patience"] = callback.patience
    return dict(sorted(changed.items()))


def _conform_rate(
    content: dict[str, Any], groups: list[dict[str, Any]], fresh: list[dict[str, Any]], scheduler: LRScheduler
) -> dict[str, list[Any]]:
    """lr and decay, as far as they differ."""
    (state,) = content["lr_schedulers"]
    old = {"lr": groups[0].get("initial_lr"), "decay": state.get("gamma")}
    new = {"lr": fresh[0].get("initial_lr"), "decay": scheduler.state_dict().get("gamma")}
    changed = {name: [old[name], new[name]] for name in old if old[name] != new[name]}
    if not changed:
        return {}
    if not isinstance(scheduler, ExponentialLR) or None in (*old.values(), *new.values()):
        name, (was, wanted) = next(iter(changed.items()))
        raise CheckpointError(
            f"the checkpoint was trained with {name} {was}, this run's is {wanted}, and only a schedule of lr and "
            f"decay can be changed on the way; give {name} {was}, or leave --ckpt_path out and train anew"
        )
    for group, wanted in zip(groups, fresh, strict=True):
        group["initial_lr"] = wanted["initial_lr"]
        group["lr"] = wanted["initial_lr"] * scheduler.gamma ** state["last_epoch"]
    state["gamma"] = scheduler.gamma
    state["base_lrs"] = [group["initial_lr"] for group in groups]
    state["_last_lr"] = [group["lr"] for group in groups]
    return changed


def _kind(groups: list[dict[str, Any]]) -> str:
    return next((name for mark, name in MARKS.items() if any(mark in group for group in groups)), "another")
