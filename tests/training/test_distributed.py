"""Two processes do what one would do with the doubled batch."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DistributedSampler, SequentialSampler

from facegen.checkpoint import read_raw
from facegen.cli import run
from facegen.data.corpus import COMPONENTS, LANDMARKS, SPLITS, Corpus
from facegen.data.manifest import MANIFEST, read_manifest, write_manifest
from facegen.data.module import ExpressionDataModule
from facegen.data.pca import principal_components
from facegen.data.sampler import SPARE, EpochShuffle, SharedBatches
from facegen.errors import DataError
from facegen.models import SpiralGenerator
from facegen.sequence.sequence import Sequence

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("count", [1, 7, 24, 25])
def test_all_parts_of_a_step_are_the_step_of_one_process(world: int, batch_size: int, count: int) -> None:
    order = EpochShuffle(count, seed=5)
    order.set_epoch(3)
    shares = [SharedBatches(order, batch_size, rank, world) for rank in range(world)]
    whole = list(SharedBatches(order, batch_size * world))
    assert sum(whole, []) == np.random.default_rng([5, 3]).permutation(count).tolist()
    assert {len(list(share)) for share in shares} == {len(share) for share in shares} == {len(whole)}
    for parts, step in zip(zip(*shares, strict=True), whole, strict=True):
        assert all(part == [SPARE] or SPARE not in part for part in parts)
        assert sorted(item for part in parts for item in part if item != SPARE) == sorted(step)


def test_a_resumed_epoch_leaves_out_what_was_done() -> None:
    order, all_of_it = EpochShuffle(9, 1, epoch=2, done=4), EpochShuffle(9, 1)
    for epoch in (2, 3):
        order.set_epoch(epoch)
        all_of_it.set_epoch(epoch)
        assert list(order) == list(all_of_it)[4 if epoch == 2 else 0 :]
        assert len(order) == 9


def test_an_epoch_goes_over_everything_as_often_as_it_is_asked_to() -> None:
    once, thrice, resumed = EpochShuffle(9, 1), EpochShuffle(9, 1, passes=3), EpochShuffle(9, 1, done=13, passes=3)
    order = list(thrice)
    assert order[:9] == list(once) and len(order) == len(thrice) == 27
    orders = [order[start : start + 9] for start in (0, 9, 18)]
    assert all(sorted(each) == list(range(9)) for each in orders) and len(set(map(tuple, orders))) == 3
    assert list(resumed) == order[13:]


def test_a_sampler_that_repeats_is_refused() -> None:
    with pytest.raises(DataError, match="use_distributed_sampler to false"):
        SharedBatches(DistributedSampler(range(3), num_replicas=2, rank=0), 1)


@pytest.fixture(scope="module")
def odd_corpus(corpus_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus split another way: 17 sequences to train, the last one too, 5 to validate and 7 to test."""
    path = tmp_path_factory.mktemp("odd") / "corpus"
    path.mkdir()
    for part in corpus_path.iterdir():
        if part.name not in (MANIFEST, COMPONENTS, LANDMARKS):
            (path / part.name).symlink_to(part)
    manifest, corpus = read_manifest(corpus_path), Corpus(corpus_path)
    entries = list(corpus.entries)
    entries[8] = replace(entries[8], subject="moved")
    del entries[13]
    splits = {"test_subjects": [corpus.subjects[0], "moved"], "val_subjects": [corpus.subjects[2]]}
    write_manifest(path, manifest | splits, entries)
    made = Corpus(path)
    blocks = [made.displacement(i) for i in made.split("train")]
    principal_components(blocks, 16, sum(map(len, blocks))).save(path / COMPONENTS, made.digest)
    assert [len(made.split(name)) for name in SPLITS] == [17, 5, 7]
    assert len({entry.frames for entry in made.entries}) > 2
    return path


MODELS = {
    "generator": ["--model=SpiralGenerator", "--model.channels=[16, 8, 8]", "--model.activation=elu"],
    "some frames": ["--model=BlendshapeGenerator", "--model.latent=16", "--model.stride=3"],
    "performance": [
        "--model=PerformanceGenerator",
        "--model.channels=[16, 8, 8]",
        "--model.style=4",
        "--model.take=4",
        "--model.optimizer=adam",
        "--model.lr=1e-3",
    ],
    "classifier": ["--model=ExpressionClassifier", "--model.components=16", "--model.frames=8"],
}

TESTED = ("generator", "classifier")
"""Of which `test` is compared too."""


@pytest.fixture(scope="module")
def runs(odd_corpus: Path, run_arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The folders of what one process did, with batches of two, and of what two did, with batches of one each.

    The last step of an epoch has one sequence, so that the second process has a spare one.
    """
    folders = SimpleNamespace(one=tmp_path_factory.mktemp("one"), two=tmp_path_factory.mktemp("two"))
    shared = [*run_arguments, f"--data.corpus={odd_corpus}", "--trainer.max_epochs=2"]
    one = [*shared, "--data.batch_size=2"]
    two = [*shared, "--data.batch_size=1", "--trainer.devices=2", "--trainer.strategy=ddp", "--data.workers=1"]
    for arguments in lines(one, folders.one):
        assert run(arguments) == 0
    script = folders.two / "lines"
    script.write_text("\n".join(" ".join(f"'{word}'" for word in words) for words in lines(two, folders.two)))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, str(TESTS / "processes.py"), str(script)]
    try:
        code, folders.printed = finished(command, environment)
    except subprocess.TimeoutExpired:
        # All runs of one start meet at the first one's port. Seldom a process meets the run before there, and waits.
        for name in MODELS:
            shutil.rmtree(folders.two / name, ignore_errors=True)
        code, folders.printed = finished(command, environment)
    assert code == 0, folders.printed
    return folders


def finished(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """The code that a command ends with, and what it prints; nothing of it is left where it takes too long."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, env=environment, start_new_session=True, **pipes) as process:
        try:
            printed, _ = process.communicate(timeout=240)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, printed


def test_a_process_that_is_killed_ends_the_other_in_one_line(
    corpus_path: Path, fit_arguments: list[str], tmp_path: Path
) -> None:
    two = [*fit_arguments, "--trainer.devices=2", "--trainer.strategy=ddp", "--trainer.max_epochs=3"]
    killed = ["--trainer.callbacks=processes.Kill", "--trainer.callbacks.step=3", "--trainer.callbacks.rank=1"]
    words = ["fit", *two, *killed, f"--trainer.logger.save_dir={tmp_path}"]
    script = tmp_path / "lines"
    script.write_text(" ".join(f"'{word}'" for word in words))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    code, printed = finished([sys.executable, str(TESTS / "processes.py"), str(script)], environment)
    assert code == 2 and "Traceback" not in printed, printed
    (line,) = [line for line in printed.splitlines() if line.startswith("facegen: error: ")]
    assert "another process of this training ended" in line


def lines(arguments: list[str], folder: Path) -> list[list[str]]:
    """Train and predict with each model, and test some, each into a folder of its own."""
    result = []
    for name, model in MODELS.items():
        weights = f"--ckpt_path={folder / name / 'fit' / 'run' / 'checkpoints' / 'last.ckpt'}"
        for verb in ("fit", "test", "predict") if name in TESTED else ("fit", "predict"):
            place = f"--trainer.logger.save_dir={folder / name / verb}"
            more = ["--model.lr=1e-2", "--trainer.callbacks=[EpochLine,processes.Float64]", place]
            result.append([verb, *model, *arguments, *more, *([] if verb == "fit" else [weights])])
    return result


def logged(folder: Path) -> list[dict[str, float]]:
    with (folder / "run" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    measured = ("throughput", "memory")  # by a clock and by the system
    return [{name: float(cell) for name, cell in row.items() if cell and not name.startswith(measured)} for row in rows]


@pytest.mark.parametrize("model", MODELS)
def test_the_gradients_are_those_of_the_doubled_batch(model: str, runs: SimpleNamespace) -> None:
    one, two = (read_raw(path / model / "fit" / "run" / "checkpoints" / "last.ckpt") for path in (runs.one, runs.two))
    assert one["global_step"] == two["global_step"] == 2 * 9
    for name, weights in one["state_dict"].items():
        torch.testing.assert_close(two["state_dict"][name], weights, rtol=1e-9, atol=1e-11)
    # Adam's moments are those of the gradients of all steps.
    for number, moments in one["optimizer_states"][0]["state"].items():
        other = two["optimizer_states"][0]["state"][number]
        for name in ("exp_avg", "exp_avg_sq"):
            torch.testing.assert_close(other[name], moments[name], rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(
    ("model", "verb", "names"),
    [
        ("generator", "fit", {"train/loss", "train/error", "val/loss", "val/error", "val/error/happy", "val/still"}),
        ("generator", "test", {"test/loss", "test/error", "test/error/happy", "test/still"}),
        ("some frames", "fit", {"train/loss", "train/error", "val/loss", "val/error"}),
        ("classifier", "fit", {"train/loss", "train/f1", "val/loss", "val/f1", "val/f1/happy"}),
        ("classifier", "test", {"test/loss", "test/f1", "test/f1/happy"}),
    ],
)
def test_losses_and_errors_are_those_of_one_process(
    model: str, verb: str, names: set[str], runs: SimpleNamespace
) -> None:
    one, two = logged(runs.one / model / verb), logged(runs.two / model / verb)
    assert len(one) == len(two)
    assert names <= set().union(*two)
    for expected, row in zip(one, two, strict=True):
        assert row == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_every_prediction_is_written_once(model: str, runs: SimpleNamespace, odd_corpus: Path) -> None:
    def read(path: Path) -> np.ndarray:
        return np.loadtxt(path, delimiter=",", skiprows=1) if path.suffix == ".csv" else Sequence.load(path).vertices

    corpus = Corpus(odd_corpus)
    entries = [corpus.entries[i] for i in corpus.split("test")]
    one, two = (sorted((path / model / "predict/run/predictions").iterdir()) for path in (runs.one, runs.two))
    assert [path.stem for path in two] == sorted(f"{entry.subject}-{entry.expression}" for entry in entries)
    for expected, made in zip(one, two, strict=True):
        np.testing.assert_allclose(read(made), read(expected), atol=2e-6 if model == "classifier" else 1e-4)


def test_only_the_first_process_speaks(runs: SimpleNamespace) -> None:
    for text in ("epoch 1/2: ", "epoch 2/2: ", "what was predicted is in"):
        assert runs.printed.count(text) == len(MODELS)
    assert "sync_dist" not in runs.printed


def test_nothing_but_gradients_is_sent(corpus_path: Path, tmp_path: Path) -> None:
    model = SpiralGenerator(Corpus(corpus_path), channels=[16, 8, 8])
    model.setup("fit")
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    try:
        wrapped = DistributedDataParallel(model)
        assert not wrapped.modules_buffers
        assert wrapped.parameters_to_ignore.isdisjoint(name for name, _ in model.named_parameters())
    finally:
        distributed.destroy_process_group()


def test_one_process_takes_the_plain_batches(corpus_path: Path) -> None:
    loader = ExpressionDataModule(str(corpus_path), batch_size=4, workers=0).test_dataloader()
    assert [batch.item.tolist() for batch in loader] == [
        loader.dataset.indices[i : i + 4] for i in range(0, len(loader.dataset), 4)
    ]
    assert isinstance(loader.batch_sampler.sampler, SequentialSampler)
