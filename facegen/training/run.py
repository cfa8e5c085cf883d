"""fit, validate, test and predict: Lightning's command line around this package's models and data."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn

import yaml
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI
from pytorch_lightning.utilities.exceptions import SIGTERMException

from facegen import checkpoint, checkpoint_entry
from facegen.checkpoint_format import MOST_MOVED, diverged, told_nothing
from facegen.classes import add_current_folder, class_path, named_class, tell_current_folder
from facegen.data.manifest import read_manifest
from facegen.data.module import ExpressionDataModule
from facegen.errors import FacegenError, Terminated
from facegen.inputs import set_free
from facegen.models.base import ExpressionModel
from facegen.plain_text import OF_TAGS, require_bounded_yaml
from facegen.readable import require_file
from facegen.remote import place_of
from facegen.training import trainer_settings
from facegen.training.callbacks import PredictionWriter
from facegen.training.homes import name_homes, with_homes
from facegen.training.parser_words import in_own_words
from facegen.training.plain_error import plain_error
from facegen.training.progress_lines import ProgressLines
from facegen.training.run_folder import CONFIG, alone, kept_records, place_named, require_apart, require_names
from facegen.training.run_state import run_state
from facegen.training.tracking import RunRecord, Throughput
from facegen.training.trainer_settings import require_settings, require_widths
from facegen.training.triton_form import TritonForm
from facegen.training.weight_average import WeightAverage as WeightAverage  # configs name it

VERBS = {
    "fit": ("Train a model.", "facegen fit --config configs/ict_spiral.yaml --data.corpus corpora/ict"),
    "validate": (
        "Measure a checkpoint's errors on the validation subjects, as training reports them.",
        "facegen validate --config configs/ict_spiral.yaml --ckpt_path runs/ict_spiral/version_0/checkpoints/last.ckpt",
    ),
    "test": (
        "Measure a checkpoint's errors on the test subjects.",
        "facegen test --config configs/ict_spiral.yaml --ckpt_path runs/ict_spiral/version_0/checkpoints/last.ckpt",
    ),
    "predict": (
        "Write what a checkpoint generates for the test subjects, a .npz a sequence; of a classifier, a .csv.",
        "facegen predict --config configs/ict_spiral.yaml --ckpt_path runs/ict_spiral/version_0/checkpoints/last.ckpt",
    ),
}
"""What each verb does, and an example."""
WITHOUT_CONFIGS = (
    "The folder configs/ is in facegen's source repository and source archive, not in an installed package. Its files "
    "can be copied from there; or name a model, as in `facegen fit --model SpiralGenerator --data.corpus demo/corpus`, "
    "and for another verb the config that training left: runs/.../config.yaml, beside its checkpoints/."
)
"""How the examples are followed where there is no checkout: a wheel holds no configs."""

# Configs that earlier versions saved name classes by the modules in which they lay then.
for _name in ("callbacks", "tracking"):
    sys.modules.setdefault(f"facegen.{_name}", import_module(f"facegen.training.{_name}"))


class OneLineParser(LightningArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        raise FacegenError(in_own_words(message)) from ex


def own_data_module(arguments: list[str]) -> str | None:
    """The path of a data module that `--data` or a config names, there as `class_path` under `data`; None without.

    Without one the settings of facegen's own stand under `data` as they are, and configs stay as short.

    Raises:
        FacegenError: the path leads to no data module.
    """
    found = None
    _require_readable(arguments)
    for place, argument in enumerate(arguments):
        option, given, value = argument.partition("=")
        if not given:
            value = arguments[place + 1] if place + 1 < len(arguments) else ""
        if option == "--data.class_path":
            found = value
        elif option == "--data":
            found = _data_class(value, Path()) or found
        elif option in ("--config", "-c"):
            config = _plain_yaml(Path(value))
            if isinstance(config, dict):
                found = _data_class(config.get("data"), Path(value).parent) or found
    if found is not None and "." in found:  # a bare name is one that the parser knows
        named_class(found, ExpressionDataModule, {class_path(ExpressionDataModule): ExpressionDataModule})
    return found


def _require_readable(arguments: list[str]) -> None:
    """Refuse a pipe or a device in the place of a file, which the parser would wait for, and YAML without bounds."""
    for argument in arguments:
        value = argument.partition("=")[2] or argument
        with suppress(OSError, ValueError):  # no name at all
            if Path(value).exists() and not Path(value).is_dir():
                require_file(value)
                if value.endswith((".yaml", ".yml")):
                    _require_readable_yaml(Path(value))


def _require_readable_yaml(path: Path, depth: int = 0) -> None:
    """Refuse YAML without bounds, also in the files of settings that it names in the place of a table."""
    require_bounded_yaml(path)
    named = _plain_yaml(path)
    for value in named.values() if isinstance(named, dict) and depth < 3 else ():
        if isinstance(value, str) and value.endswith((".yaml", ".yml")) and (file := path.parent / value).exists():
            _require_readable_yaml(require_file(file), depth + 1)


def _data_class(data: object, folder: Path) -> str | None:
    """The class that stands under `data`, which is settings, or a file of them, or a path such as `my_data.Mine`."""
    if isinstance(data, str) and (folder / data).is_file():
        data = _plain_yaml(folder / data)
    if isinstance(data, dict):
        named = data.get("class_path")
        return named if isinstance(named, str) else None
    if not isinstance(data, str) or data.endswith((".yaml", ".yml")):
        return None
    return data if all(part.isidentifier() for part in data.split(".")) else None


def _plain_yaml(path: Path) -> object:
    """What a file holds; None where it cannot be read, which the parser says in its own words."""
    require_bounded_yaml(path)
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OF_TAGS as error:  # which the parser lets through
        raise FacegenError(f"{path} is no YAML; write one `key: value` a line, without tags such as !!int") from error
    except (OSError, RecursionError, yaml.YAMLError):
        return None


class TrainingCLI(LightningCLI):
    """What model and data share is linked here, never written twice."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        # `data` is instantiated before `model`, and what the model needs to know of it is handed over.
        parser.link_arguments("data.corpus", "model.init_args.corpus", apply_on="instantiate")

    def _parse_ckpt_path(self) -> None:
        """Lightning would import and build whatever class a checkpoint names, and take its settings for the user's."""

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, and look at the checkpoint before anything is written."""
        super().parse_arguments(parser, args)
        verb = self.config["subcommand"]
        options = self.config[verb]
        name_homes(options)
        require_settings(options, verb)
        for place, value in options.items():
            if isinstance(value, float) and value != value:
                raise FacegenError(f"{place}: expected a number, found nan; give one, or leave it out")
        require_widths(options["model"])
        if options.get("ckpt_path") is not None:
            content = checkpoint.read_raw(options["ckpt_path"])
            data = options["data"].get("init_args", options["data"])  # the former of a module of the user's own
            checkpoint_entry.require_same(content, {"corpus": read_manifest(place_of(data["corpus"]))["digest"]})
        elif verb != "fit":
            raise FacegenError(f"{verb} needs --ckpt_path, the checkpoint to {verb}")

    def instantiate_classes(self) -> None:
        """Make data, model and trainer; what they refuse in their settings is the user's mistake."""
        try:
            super().instantiate_classes()
        except (ValueError, TypeError, MisconfigurationException, RuntimeError) as error:
            if isinstance(error, RuntimeError) and not trainer_settings.is_about_settings(str(error)):
                raise
            plain = plain_error(error)
            if isinstance(plain, FacegenError):
                raise plain from error
            raise FacegenError(trainer_settings.in_own_words(str(plain), self._settings())) from error
        assert isinstance(self.model, ExpressionModel)
        tell_current_folder(type(self.model))
        tell_current_folder(type(self.datamodule))
        trainer_settings.require_nodes(self.trainer)
        require_names(self.trainer)
        if isinstance(self.datamodule, ExpressionDataModule):
            require_apart(self.trainer, self.datamodule.corpus.path)
        # What cannot be kept, cannot go on or has nobody to validate is refused before anything is written.
        verb = self.config["subcommand"]
        callbacks = self.trainer.callbacks  # pyright: ignore[reportAttributeAccessIssue]  # set, and declared nowhere
        if isinstance(self.datamodule, ExpressionDataModule):
            self.datamodule.require_validation(verb, callbacks if verb == "fit" else ())
        if verb != "fit":
            return
        self.model.require_packable()
        if self.config["fit"].get("ckpt_path") is not None:
            self.model.take_up(checkpoint.read_raw(self.config["fit"]["ckpt_path"]), self.trainer)
            set_free(Path(self.config["fit"]["ckpt_path"]))

    def fit(self, **options: Any) -> None:
        """As the trainer's, in a folder in which no other process trains: they would overwrite each other's files."""
        one = alone(self.trainer, options.get("ckpt_path"))
        with one, self._told(), place_named(self.trainer), kept_records(self.trainer, CONFIG):
            self.trainer.fit(**options)

    def validate(self, **options: Any) -> None:
        """As the trainer's."""
        with place_named(self.trainer), kept_records(self.trainer):
            self.trainer.validate(**options)
        self._require_sound("val", options["ckpt_path"])

    def test(self, **options: Any) -> None:
        """As the trainer's."""
        with place_named(self.trainer), kept_records(self.trainer):
            self.trainer.test(**options)
        self._require_sound("test", options["ckpt_path"])

    def _require_sound(self, stage: str, name: object) -> None:
        """Refuse a checkpoint whose errors on a stage, which have been told, are no numbers or none of faces."""
        found = {name: float(value) for name, value in self.trainer.callback_metrics.items()}
        if not (isfinite(found.get(f"{stage}/loss", 0)) and found.get(f"{stage}/error", 0) <= MOST_MOVED):
            raise diverged(name) if f"{stage}/error" in found else told_nothing(name)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """In here what Lightning finds against a setting, only once it trains, is told as the user's mistake."""
        try:
            yield
        except MisconfigurationException as error:
            raise FacegenError(trainer_settings.in_own_words(str(error), self._settings())) from error
        except ValueError as error:
            if "val_check_interval" not in str(error):
                raise
            raise FacegenError(trainer_settings.in_own_words(str(error), self._settings())) from error

    def _settings(self) -> Any:
        return self.config[self.config["subcommand"]]["trainer"]

    def predict(self, **options: Any) -> None:
        """As the trainer's, without keeping all predictions in memory."""
        options["return_predictions"] = False
        with place_named(self.trainer), kept_records(self.trainer):
            self.trainer.predict(**options)


def run(arguments: list[str]) -> TrainingCLI:
    """Run one of `VERBS`.

    Args:
        arguments: the verb and its options, as on the command line.

    Raises:
        FacegenError: the options, the config, the corpus or the checkpoint cannot be used.
    """
    arguments = with_homes(arguments)
    settings: dict[str, Any] = dict(
        model_class=ExpressionModel,
        datamodule_class=ExpressionDataModule,
        subclass_mode_model=True,
        subclass_mode_data=own_data_module(arguments) is not None,
        parser_class=OneLineParser,
        parser_kwargs={"prog": "facegen"}
        | {
            verb: {"description": f"{text} Example: {example}. {WITHOUT_CONFIGS}"}
            for verb, (text, example) in VERBS.items()
        },
        auto_configure_optimizers=False,
        seed_everything_default=0,
        save_config_callback=RunRecord,
        save_config_kwargs={"save_to_log_dir": False},  # it writes the file itself
        load_from_checkpoint_support=False,
        trainer_defaults={
            "deterministic": True,
            "use_distributed_sampler": False,  # the data module does it, without repeating sequences
            "plugins": [{"class_path": "facegen.training.CheckpointFile"}],
            "callbacks": [
                # The last epoch's, so that nobody chooses it; what chooses by validation is the user's to add.
                ModelCheckpoint(filename="last", enable_version_counter=False, save_on_train_epoch_end=True),
                PredictionWriter(),
                Throughput(),
                ProgressLines(),
                TritonForm(),
            ],
        },
    )
    with run_state():
        add_current_folder()  # where a class of the user's own may lie
        try:
            return TrainingCLI(**settings, args=arguments)
        except SIGTERMException as error:  # after the batch at hand
            raise Terminated(signal.SIGTERM) from error
        except SystemExit as error:
            if isinstance(error.__context__, KeyboardInterrupt):  # Lightning ends the process itself after one
                raise KeyboardInterrupt from error
            raise
        except Exception as error:
            raise plain_error(error) from error
        finally:
            if "wandb" in sys.modules:
                sys.modules["wandb"].finish()  # a second run in this process must not go on in the first one's
                sys.modules["wandb"].teardown()  # an offline run is whole on disk only when W&B's own process has ended
