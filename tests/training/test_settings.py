"""What the parser and Lightning say of settings, told in other words."""

from __future__ import annotations

import re
from contextlib import nullcontext
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from pytorch_lightning.cli import LightningCLI

from facegen.errors import FacegenError
from facegen.training import parser_words, trainer_settings
from facegen.training.plain_error import plain_error
from facegen.training.run import TrainingCLI

UNION = (
    "Does not validate against any of the Union subtypes\n  Subtypes: [<class 'int'>, <class 'NoneType'>]\n  Errors:\n"
)
TOP = {"save_top_k": -5, "mode": "min"}
GIVEN = "  Given value type: <class 'str'>\n  Given value: x"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "Parser key \"lr\":\n  Expected a <class 'float'>. Got value: x",
            "lr: expected a number, got 'x'",
        ),
        (
            f"Parser key \"trainer.max_epochs\":\n  {UNION}    - Expected a <class 'int'>\n"
            f"    - Expected a <class 'NoneType'>\n{GIVEN}",
            "trainer.max_epochs: expected a whole number, got 'x'",
        ),
        (
            f'Parser key "trainer.logger":\n  {UNION}    - Not a valid subclass of Logger. Got value: 1\n'
            "      Subclass types expect one of:\n      - a class path (str)\n    - Expected a <class 'bool'>\n"
            "  Given value type: <class 'list'>\n  Given value: [1, 2]",
            f"trainer.logger: expected {parser_words.A_CLASS} or true or false, got '[1, 2]'",
        ),
        (
            f"Parser key \"model\":\n  {UNION}    - lr: expected a number, got 'x'; {parser_words.HELP}\n"
            "  Given value: NestedArg(key='lr', val='x')",
            "model.lr: expected a number, got 'x'",
        ),
        (
            f'Parser key "model":\n  {UNION}    - Expected a dot import path string: x\n'
            "  Given value: NestedArg(key='class_path', val='x')",
            f"model.class_path: expected {parser_words.A_CLASS}, got 'x'",
        ),
        (
            f"Parser key \"trainer.deterministic\":\n  {UNION}    - Expected a <class 'bool'>\n"
            f"    - Expected a typing.Literal['warn']\n{GIVEN}",
            "trainer.deterministic: expected true or false or warn, got 'x'",
        ),
        ("Option 'x' is not accepted", "x: there is no such setting"),
        ("the following arguments are required: monitor", "monitor: expected a value, it is missing"),
        ("unrecognized arguments: --data.x=1", "there is no option '--data.x=1'"),
        (
            "Parser key \"trainer\":\nUnable to load config 'x'",
            "trainer: expected settings, or a .yaml file of them, got 'x'",
        ),
    ],
)
def test_what_the_parser_says(said: str, told: str) -> None:
    assert parser_words.in_own_words(said) == f"{told}; {parser_words.HELP}"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("No supported gpu backend found!", "trainer.accelerator: expected one that this machine has, got 'gpu'"),
        ("Invalid strategy name: `strategy='x'`.".lower(), "trainer.strategy: expected one of Lightning's"),
        ("To use the `X`, you must have DeepSpeed installed.", "trainer.strategy: DeepSpeed is needed, which is not"),
        ("`devices` selected with `CPUAccelerator` should be an int > 0.", "trainer.devices: expected how many"),
        (
            f"{UNION}    - Invalid value for save_top_k=-5\n    - Not a valid subclass\nGiven value: mode: min",
            "trainer.callbacks.init_args.save_top_k: got -5, which is refused, alone or beside the others",
        ),
        (
            "Found more than one stateful callback of type `X`.",
            "trainer.callbacks: two of X do the same; leave one out",
        ),
        ("something new", "Lightning does not take these settings of trainer; leave out what was added last"),
    ],
)
def test_what_lightning_says(said: str, told: str) -> None:
    settings = {"accelerator": "gpu", "devices": "x", "strategy": "x", "callbacks": [{"init_args": TOP}]}
    assert re.match(told, trainer_settings.in_own_words(said, settings))


def test_two_callbacks_that_do_the_same_are_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    cli = object.__new__(TrainingCLI)
    cli.config = {"subcommand": "fit", "fit": {"trainer": {}}}
    for said, kind in (("more than one stateful callback of type `X`", FacegenError), ("anything", RuntimeError)):
        monkeypatch.setattr(LightningCLI, "instantiate_classes", Mock(side_effect=RuntimeError(said)))
        with pytest.raises(kind, match="two of X do the same" if kind is FacegenError else said):
            cli.instantiate_classes()


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("limit_train_batches", [0.5, 2.0, None], 2.5),
        ("val_check_interval", [1, 0.25, "00:01:00:00"], 0),
        ("check_val_every_n_epoch", [1, None], 0),
        ("max_time", ["00:12:00:00", None, {"hours": 1}], "x"),
        ("profiler", ["simple", None], "x"),
        ("max_steps", [1, -1, None], 0),
        ("num_nodes", [1, 64], 10**9),
        ("limit_train_batches", [1.0, None], 0.0),
        ("seed_everything", [0, True], 2**32),
    ],
)
def test_settings_are_looked_at_before_lightning_sees_them(name: str, good: list, bad: object) -> None:
    def options(value: object) -> dict:
        return {"trainer": {name: value}, "seed_everything": 0} | ({name: value} if name == "seed_everything" else {})

    for value in good:
        trainer_settings.require_settings(options(value))
    with pytest.raises(FacegenError, match=f"{name}: expected "):
        trainer_settings.require_settings(options(bad))
    if bad == 0 and name in ("max_steps", "limit_train_batches"):
        trainer_settings.require_settings(options(bad), "test")


@pytest.mark.parametrize(
    ("cluster", "told", "unset"),
    [
        (LightningEnvironment, {}, "MASTER_ADDR"),
        (LightningEnvironment, {"NODE_RANK": "0"}, "MASTER_PORT"),
        (LightningEnvironment, {"NODE_RANK": "1", "MASTER_PORT": "1"}, "MASTER_ADDR"),
        (LightningEnvironment, {"MASTER_ADDR": "a", "MASTER_PORT": "1"}, "NODE_RANK"),
        (LightningEnvironment, {"NODE_RANK": "0", "MASTER_PORT": "1"}, None),
        (LightningEnvironment, {"GROUP_RANK": "1", "MASTER_ADDR": "a", "MASTER_PORT": "1"}, None),
        (SLURMEnvironment, {}, None),
    ],
)
def test_machines_have_to_find_each_other(
    cluster: type, told: dict[str, str], unset: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK", "GROUP_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    trainer: Any = SimpleNamespace(num_nodes=2, strategy=SimpleNamespace(cluster_environment=cluster()))
    with nullcontext() if unset is None else pytest.raises(FacegenError, match=f"and {unset} is not set"):
        trainer_settings.require_nodes(trainer)


@pytest.mark.skipif(find_spec("torch_xla") is not None, reason="torch_xla is there")
def test_a_profiler_whose_package_is_missing_is_refused() -> None:
    with pytest.raises(FacegenError, match="xla needs torch_xla, which is not installed"):
        trainer_settings.require_settings({"trainer": {"profiler": "xla"}, "seed_everything": 0})


def test_a_package_that_a_setting_needs_is_named() -> None:
    said = "Requirement 'transformer_engine>=0.11.0' not met. HINT: Try running pip"
    told = "a setting of trainer needs transformer_engine, which is not installed"
    assert str(plain_error(ModuleNotFoundError(said))).startswith(told)
