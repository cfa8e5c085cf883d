"""fit, validate, test and predict: Lightning's command line around this package's models and data."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import NoReturn

import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI

from facegen import checkpoint
from facegen.callbacks import ApexSheet, SequenceWriter
from facegen.data.module import ExpressionDataModule
from facegen.errors import FacegenError
from facegen.models.base import ExpressionGenerator

VERBS = {
    "fit": ("Train a model.", "facegen fit --config configs/ict.yaml --data.corpus corpora/ict"),
    "validate": (
        "Errors of a checkpoint on the test subjects, as training reports them.",
        "facegen validate --config configs/ict.yaml --ckpt_path runs/ict/version_0/checkpoints/best.ckpt",
    ),
    "test": (
        "Errors of a checkpoint on the test subjects, and a sheet of one of them, generated above recorded.",
        "facegen test --config configs/ict.yaml --ckpt_path runs/ict/version_0/checkpoints/best.ckpt",
    ),
    "predict": (
        "Write what a checkpoint generates for the test subjects, one .npz sequence each.",
        "facegen predict --config configs/ict.yaml --ckpt_path runs/ict/version_0/checkpoints/best.ckpt",
    ),
}
"""What each verb does, and an example."""


class OneLineParser(LightningArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str, error: Exception | None = None) -> NoReturn:
        reason = " ".join(message.split())
        raise FacegenError(f"{reason}; `facegen VERB --help` lists what there is") from error


class TrainingCLI(LightningCLI):
    """What model and data share is linked here, never written twice."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        # `data` is instantiated before `model`, and what the model needs to know of it is handed over.
        parser.link_arguments("data.corpus", "model.init_args.corpus", apply_on="instantiate")

    def parse_arguments(self, parser: LightningArgumentParser, args: object) -> None:
        super().parse_arguments(parser, args)
        path = self.config[self.config["subcommand"]].get("ckpt_path")
        if path is not None and path not in ("best", "last", "hpc"):
            checkpoint.read_raw(path)


def wandb_offline_unless_logged_in() -> None:
    """Nothing is sent anywhere, nor asked for, unless the user has logged in to Weights & Biases or set a mode."""
    if "WANDB_MODE" not in os.environ and "WANDB_API_KEY" not in os.environ:
        netrc = Path(os.environ.get("NETRC", Path.home() / ".netrc"))
        logged_in = netrc.is_file() and "wandb" in netrc.read_text(encoding="utf-8", errors="replace")
        if not logged_in:
            os.environ["WANDB_MODE"] = "offline"


def run(arguments: list[str]) -> TrainingCLI:
    """Run one of `VERBS`.

    Args:
        arguments: the verb and its options, as on the command line.

    Raises:
        FacegenError: the options, the config, the corpus or the checkpoint cannot be used.
    """
    wandb_offline_unless_logged_in()
    # Determinism without this costs a pass over every new tensor, and finds only reads of memory nobody wrote.
    torch.utils.deterministic.fill_uninitialized_memory = False
    # Both are said by Lightning on every run and ask for nothing that helps here.
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*args parameter is intended to run from within Python.*")
    settings = dict(
        model_class=ExpressionGenerator,
        datamodule_class=ExpressionDataModule,
        subclass_mode_model=True,
        parser_class=OneLineParser,
        parser_kwargs={verb: {"description": f"{text} Example: {example}"} for verb, (text, example) in VERBS.items()},
        auto_configure_optimizers=False,
        seed_everything_default=0,
        save_config_kwargs={"overwrite": True},
        load_from_checkpoint_support=False,
        trainer_defaults={
            "deterministic": True,
            "callbacks": [
                ModelCheckpoint(filename="best", monitor="val/error", save_last=True, enable_version_counter=False),
                ApexSheet(),
                SequenceWriter(),
            ],
        },
    )
    try:
        return TrainingCLI(**settings, args=arguments)
    finally:
        if "wandb" in sys.modules:  # a second run in this process must not go on in the first one's
            sys.modules["wandb"].finish()
