"""Settings of Lightning's trainer and sizes of models, looked at before either sees them, and what Lightning says of
others, in words of facegen."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning import Trainer

from facegen.errors import FacegenError, unknown
from facegen.schema import Either, Flag, Maybe, Number, OneOf, Table, Text, shown
from facegen.tables import COUNT

_COUNT, _FROM_ONE = Number(0, whole=True), Number(1, whole=True)
_ENDLESS = Number(-1, whole=True)
_PART = Maybe(Either((Number(0, 1), _COUNT)))
"""A share of the batches, or a number of them."""
_DURATION = Text("[0-9]+:[0-9]{2}:[0-9]{2}:[0-9]{2}", "days, hours, minutes and seconds such as 00:12:00:00")
TRAINER = Table(
    optional={
        **dict.fromkeys(("max_epochs", "max_steps", "num_sanity_val_steps"), Maybe(_ENDLESS)),
        **dict.fromkeys(("min_epochs", "min_steps", "log_every_n_steps"), Maybe(_COUNT)),
        **dict.fromkeys((f"limit_{stage}_batches" for stage in ("train", "val", "test", "predict")), _PART),
        "overfit_batches": _PART,
        "val_check_interval": Maybe(Either((Number(0, 1, above=True), _FROM_ONE, _DURATION))),
        "check_val_every_n_epoch": Maybe(_FROM_ONE),
        "accumulate_grad_batches": _FROM_ONE,
        "gradient_clip_val": Maybe(Number(0)),
        "gradient_clip_algorithm": Maybe(OneOf(("norm", "value"))),
        "num_nodes": Number(1, 4096, whole=True),  # all wait until the last has come; chosen: few clusters have as many
        "reload_dataloaders_every_n_epochs": _COUNT,
        "fast_dev_run": Either((Flag(), _COUNT)),
    },
    more=True,
)
"""What the trainer takes; settings that are not here are looked at by itself."""
SEED = Either((Flag(), Number(0, 2**32 - 1, whole=True)))
NOTHING_AT_0 = {
    "fit": ("max_epochs", "max_steps", "limit_train_batches"),
    "validate": ("limit_val_batches",),
    "test": ("limit_test_batches",),
    "predict": ("limit_predict_batches",),
}
"""Settings with which a verb ends well at once, and has made nothing, where they are 0."""
WIDTHS = ("latent", "style", "take", "components", "frames", "channels", "hidden")
"""Settings of facegen's own models that are sizes."""
PROFILERS = ("simple", "advanced", "pytorch", "xla")


def _most_processes() -> int:
    """Processes that train on this machine's processor at most: each needs a core to be of use."""
    return max(8, os.cpu_count() or 1)


def _on_cpu(accelerator: object) -> bool:
    """Whether an accelerator is the processor, also where Lightning chooses and finds nothing else."""
    import torch

    return accelerator == "cpu" or (accelerator in ("auto", None) and not torch.accelerator.is_available())


def require_settings(options: Mapping[str, Any], verb: str = "fit") -> None:
    """Require that the trainer can take its settings.

    Args:
        options: of a verb, with `trainer` and `seed_everything`.
        verb: whose they are.

    Raises:
        FacegenError: the message says which it cannot.
    """
    # Where a share or a number may stand, the parser makes a share of every number.
    trainer = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in options["trainer"].items()
    }
    devices = str(trainer.get("devices")).strip()
    if _on_cpu(trainer.get("accelerator")) and devices.isascii() and devices.removeprefix("+").isdigit():
        Number(1, _most_processes(), whole=True).check(int(devices[:20]), "trainer.devices of the cpu")
    SEED.check(options["seed_everything"], "seed_everything")
    TRAINER.check(trainer, "trainer")
    for name in NOTHING_AT_0[verb]:
        if trainer.get(name) == 0:
            raise FacegenError(f"trainer.{name}: expected more than 0, of which {verb} makes nothing; leave it out")
    for name, kind in (("max_time", _DURATION), ("profiler", OneOf(PROFILERS))):
        if isinstance(trainer.get(name), str):  # others are a table, or name a class
            kind.check(trainer[name], f"trainer.{name}")
    if trainer.get("profiler") == "xla" and find_spec("torch_xla") is None:
        raise FacegenError("trainer.profiler: xla needs torch_xla, which is not installed; take another")


def require_widths(model: Any) -> None:
    """Refuse layers of facegen's own models that are wider than any checkpoint may have; small ones they see to.

    Args:
        model: its `class_path` and `init_args`.

    Raises:
        FacegenError: one is wider; the message says which.
    """
    if not model["class_path"].startswith("facegen."):
        return
    for name, given in (model.get("init_args") or {}).items():
        for width in given if isinstance(given, list) else [given]:
            if name in WIDTHS and isinstance(width, int) and width > COUNT.high:
                COUNT.check(width, f"model.init_args.{name}")


def require_nodes(trainer: Trainer) -> None:
    """Require of a training on several machines that they can find each other: else each waits for the others for ever.

    Raises:
        FacegenError: neither a cluster nor the environment tells where the first of them listens.
    """
    if trainer.num_nodes == 1 or not isinstance(
        getattr(trainer.strategy, "cluster_environment", None), LightningEnvironment
    ):
        return
    rank = os.environ.get("NODE_RANK", os.environ.get("GROUP_RANK"))
    wanted = {"MASTER_ADDR": rank != "0", "MASTER_PORT": True, "NODE_RANK": rank is None}  # the first is where it is
    unset = [name for name, needed in wanted.items() if needed and name not in os.environ]
    if unset:
        raise FacegenError(
            f"trainer.num_nodes: {trainer.num_nodes} machines find each other by MASTER_ADDR, MASTER_PORT and "
            f"NODE_RANK, and {unset[0]} is not set; set them, start each by torchrun, SLURM, LSF or MPI, or take 1"
        )


_ACCELERATORS = re.compile(r"invalid accelerator name: .*Available names are: (.*?)\.?$")
_NOT_HERE = re.compile(r"can not run on your system|No supported gpu backend")
_DEVICES = re.compile(r"devices")
_STRATEGY = re.compile(r"invalid strategy name")
_NEEDED = re.compile(r"you must have (\w+) installed")
_NO_LOGGER = re.compile(r"Cannot use `(\w+)` callback with `Trainer` that has no logger")
_NO_CHECKPOINT = re.compile(r"enable_checkpointing=False")
_FEW_BATCHES = re.compile(r"`val_check_interval` \((\d+)\) must be less than or equal to the number of the .*\((\d+)\)")
_TWICE = re.compile(r"more than one stateful callback of type `(\w+)`")
_OF_A_CLASS = re.compile(r"Errors:\s+- (?!Expected|Not a valid)(.*?)(?:\s+- |\s+Given value|$)", re.DOTALL)
_NO_CLASS = re.compile(r"Does not validate against")


def is_about_settings(said: str) -> bool:
    """Whether Lightning says it of settings, in an error that stands for anything."""
    return bool(_TWICE.search(said))


def in_own_words(said: str, trainer: Mapping[str, Any]) -> str:
    """What is told of what Lightning says against a setting.

    Args:
        said: its message.
        trainer: the settings.
    """
    text = " ".join(said.split())
    if found := _ACCELERATORS.search(text):
        names = sorted(name.strip() for name in found[1].split(","))
        return f"trainer.accelerator: {unknown('accelerator', str(trainer.get('accelerator'))[:80], names)}"
    if _NOT_HERE.search(text):
        return f"trainer.accelerator: expected one that this machine has, got {shown(trainer.get('accelerator'))}"
    if _STRATEGY.search(text):
        return f"trainer.strategy: expected one of Lightning's, such as auto or ddp, got {shown(trainer['strategy'])}"
    if found := _NEEDED.search(text):
        return f"trainer.strategy: {found[1]} is needed, which is not installed; install it, or take another"
    if found := _NO_LOGGER.search(text):
        return f"trainer.callbacks: {found[1]} needs a logger; name one by trainer.logger, or leave it out"
    if found := _TWICE.search(text):
        return f"trainer.callbacks: two of {found[1]} do the same; leave one out, or give them other settings"
    if _NO_CHECKPOINT.search(text):
        return "trainer.enable_checkpointing: expected true, as each training leaves a checkpoint; leave it out"
    if found := _FEW_BATCHES.search(text):
        return f"trainer.val_check_interval: expected at most {found[2]}, the batches of an epoch, got {found[1]}"
    if _DEVICES.search(text):
        return f"trainer.devices: expected how many of the accelerator's to take, got {shown(trainer.get('devices'))}"
    # What is said names the setting, in no form of its own; which it is can be looked up among those that were given.
    found = _OF_A_CLASS.search(said)
    named = _named(trainer, found[1] if found else said)
    if named:
        told = "; ".join(f"trainer.{place}: got {shown(value)}" for place, value in named.items())
        return f"{told}, which is refused, alone or beside the others, by what it sets; see the documentation of that"
    if _NO_CLASS.search(text):
        return "a class that the settings name does not take its own; `facegen VERB --help` lists what there is"
    return "Lightning does not take these settings of trainer; leave out what was added last, one after another"


def _named(trainer: Mapping[str, Any], said: str) -> dict[str, Any]:
    """The settings whose names stand in what was said, by their places."""
    words = set(re.findall(r"\w+", said))
    return {place: value for place, value in _given(trainer) if place.rpartition(".")[2] in words}


def _given(settings: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """All settings that are neither tables nor lists, by their place."""
    if isinstance(settings, Mapping):
        for name, value in settings.items():
            yield from _given(value, f"{place}.{name}" if place else str(name))
    elif isinstance(settings, list | tuple):
        for value in settings:
            yield from _given(value, place)
    elif hasattr(settings, "__dict__"):  # the parser's tables
        yield from _given(vars(settings), place)
    elif settings is not None:
        yield place, settings
