"""Fixtures of more than one room."""

import os
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from facegen import progress
from facegen.cli import run

pytest_plugins = ["moving_sheet"]

# Of no example is a time promised; on a machine that does other work each may take long.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def _the_same_numbers_every_time() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _no_lines_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said on standard error must not depend on how busy the machine is."""
    monkeypatch.setattr(progress, "LINE_PERIOD", 1e9)  # seconds


@pytest.fixture(autouse=True)
def _one_process_for_each_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run beside each other; `data/test_processes.py` holds that more processes write the same bytes."""
    monkeypatch.setattr("facegen.data.processes.usable_cores", lambda: 1)


@pytest.fixture(scope="session")
def ict_root() -> Path:
    """The folder of the ICT FaceKit; tests on its faces skip where it is not there."""
    default = Path(__file__).parents[1] / "../shared/data/ICT-FaceKit"
    root = Path(os.environ.get("ICT_FACEKIT", default)).resolve()
    if not (root / "FaceXModel").is_dir():
        pytest.skip(f"no ICT FaceKit in {root}; name its folder in ICT_FACEKIT")
    return root


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small clone of ICT-FaceKit, see `ict_clone`."""
    from ict_clone import write_ict_clone

    return write_ict_clone(tmp_path_factory.mktemp("ict") / "ICT-FaceKit")


@pytest.fixture(scope="session")
def live_link_root() -> Path:
    """The folder of four takes of Live Link Face; tests on them skip where it is not there."""
    default = Path(__file__).parents[1] / "../shared/data/LiveLink"
    root = Path(os.environ.get("LIVE_LINK", default)).resolve()
    if not (root / "rom-a.csv").is_file():
        pytest.skip(f"no takes of Live Link Face in {root}; name their folder in LIVE_LINK")
    return root


@pytest.fixture(scope="session")
def corpus_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small corpus of the built-in faces, made by the command: 5 subjects, of whom one validates and one tests."""
    return _prepared(tmp_path_factory.mktemp("data") / "corpus")


@pytest.fixture(scope="session")
def takes_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with two takes of each expression."""
    return _prepared(tmp_path_factory.mktemp("takes") / "corpus", "--takes-per-expression", "2")


def _prepared(path: Path, *more: str) -> Path:
    size = "--subjects 5 --val-subjects 1 --vertices 420 --frames 10 14 --fps 10 --depth 3 --workers 1"
    assert run(["prepare", "synthetic", *size.split(), *more, "--out", str(path)]) == 0
    return path


@pytest.fixture(scope="session")
def old_corpus(corpus_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small corpus as a version before validation subjects would have split it: they train."""
    from facegen.data.corpus import COMPONENTS, LANDMARKS
    from facegen.data.manifest import Entry, read_manifest, write_manifest

    path = tmp_path_factory.mktemp("old") / "corpus"
    shutil.copytree(corpus_path, path, ignore=shutil.ignore_patterns(COMPONENTS, LANDMARKS))  # of another digest
    manifest = {name: value for name, value in read_manifest(corpus_path).items() if name != "val_subjects"}
    entries = [Entry.parse(values) for values in manifest.pop("sequences")]
    write_manifest(path, manifest, entries)
    return path


@pytest.fixture(scope="session")
def run_arguments(corpus_path: Path) -> list[str]:
    """Options of a training run of seconds; the verb, the model, the folder and the epochs are still to be given."""
    return [
        f"--data.corpus={corpus_path}",
        "--data.workers=0",
        "--trainer.accelerator=cpu",
        "--trainer.enable_progress_bar=false",
        "--trainer.enable_model_summary=false",
        "--trainer.logger=CSVLogger",
        "--trainer.logger.name=null",
        "--trainer.logger.version=run",
    ]


@pytest.fixture(scope="session")
def fit_arguments(run_arguments: list[str]) -> list[str]:
    """Options of a training run of the spiral generator; the verb, the folder and the epochs are still to be given."""
    model = ["--model=SpiralGenerator", "--model.channels=[16, 8, 8]", "--model.activation=elu", "--model.lr=1e-2"]
    return [*model, *run_arguments]


@pytest.fixture(scope="session")
def run_folder(fit_arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training run of seconds, made by the command."""
    folder = tmp_path_factory.mktemp("fit")
    arguments = [*fit_arguments, f"--trainer.logger.save_dir={folder}", "--trainer.max_epochs=30"]
    assert run(["fit", *arguments]) == 0
    return folder / "run"


@pytest.fixture(scope="session")
def checkpoint_path(run_folder: Path) -> Path:
    """A trained checkpoint."""
    return run_folder / "checkpoints" / "last.ckpt"


@pytest.fixture(scope="session")
def neutral_path(corpus_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test subject's neutral as .obj."""
    from facegen.data.corpus import Corpus
    from facegen.mesh import write_mesh

    corpus = Corpus(corpus_path)
    path = tmp_path_factory.mktemp("mesh") / "neutral.obj"
    write_mesh(path, corpus.hierarchy.template.with_vertices(corpus.neutral(corpus.split("test")[0])))
    return path


def _trained(run_arguments: list[str], folder: Path, *more: str) -> Path:
    assert run(["fit", *run_arguments, f"--trainer.logger.save_dir={folder}", *more]) == 0
    return folder / "run" / "checkpoints" / "last.ckpt"


@pytest.fixture(scope="session")
def blendshape_path(run_arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained checkpoint of the baseline."""
    more = ["--model=BlendshapeGenerator", "--model.latent=16", "--model.lr=1e-2", "--trainer.max_epochs=10"]
    return _trained(run_arguments, tmp_path_factory.mktemp("blendshape"), *more)


@pytest.fixture(scope="session")
def performance_path(takes_path: Path, run_arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of the generator of performances, trained for a moment."""
    more = ["--model=PerformanceGenerator", "--model.channels=[16, 8, 8]", "--model.style=8", "--model.take=8"]
    more += [f"--data.corpus={takes_path}", "--trainer.max_epochs=4"]
    return _trained(run_arguments, tmp_path_factory.mktemp("performance"), *more)


@pytest.fixture(scope="session")
def gains_path(fit_arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained checkpoint whose vertices have gains of their own, as the demo's has."""
    more = ["--model.per_vertex=true", "--model.bidirectional=true", "--trainer.max_epochs=1"]
    return _trained(fit_arguments, tmp_path_factory.mktemp("gains"), *more)


@pytest.fixture(scope="session")
def classifier_path(run_arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained checkpoint of the classifier."""
    more = ["--model=ExpressionClassifier", "--model.components=16", "--trainer.max_epochs=13"]
    return _trained(run_arguments, tmp_path_factory.mktemp("classifier"), *more)


@pytest.fixture(scope="session")
def report_path(
    corpus_path: Path,
    checkpoint_path: Path,
    blendshape_path: Path,
    classifier_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The report of one checkpoint of each model, made by the command."""
    path = tmp_path_factory.mktemp("evaluated") / "report"
    arguments = ["--corpus", corpus_path, "--spiral", checkpoint_path, "--blendshape", blendshape_path]
    arguments += ["--classifier", classifier_path, "--out", path]
    assert run(["evaluate", *map(str, arguments)]) == 0
    return path
