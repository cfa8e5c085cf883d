"""Verbs that write, as they are typed, and where the faults of `faults.writing` begin in each of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

WHOLE = "whole"
"""Beside the folder of a case: the corpus that the checkpoint was trained on."""


def _nothing_is_there(out: Path) -> str:
    """What of a place for a file or a folder is there before all of it is."""
    return ", ".join(path.name for path in out.iterdir() if not path.name.startswith("."))


def _runs_are_whole(out: Path) -> str:
    """What of a run's folder is there in half; the folder itself is made before training begins."""
    from facegen import checkpoint
    from facegen.errors import FacegenError
    from facegen.sequence.sequence import Sequence

    for path in out.rglob("*"):
        try:
            if path.suffix == ".ckpt" and not path.name.startswith("."):
                checkpoint.load(path)
            elif path.suffix == ".npz" and not path.name.startswith("."):
                Sequence.load(path)
        except FacegenError as error:
            return str(error)
    return ""


@dataclass(frozen=True)
class Verb:
    """A command that writes.

    Args:
        line: what is typed; the place comes last, or is a folder `out/run` of a training's.
        begins: the function at whose first call faults begin: what is before is done once for all of them.
        in_runs: it writes into the folder of a run, which is there before and holds what others write.
        beside: suffixes of what is written beside the file that was asked for.
        alone: whether a second process that makes the same is refused; files are replaced by the last that is done.
        stub: makes a verb short whose work is looked at elsewhere.
        needs: optional packages without which it is passed over.
        talks: it tells on standard error how its work goes.
        loads: modules that are loaded before, once for all verbs.
    """

    line: str
    begins: tuple[str, ...] = ("facegen.files.aside_of", "facegen.folders.aside_of")
    in_runs: bool = False
    beside: tuple[str, ...] = ()
    alone: bool = False
    stub: Callable[[], None] | None = None
    needs: tuple[str, ...] = ()
    talks: bool = False
    loads: tuple[str, ...] = ()

    def halves(self, out: Path) -> str:
        """What is there in half after a fault."""
        return _runs_are_whole(out) if self.in_runs else _nothing_is_there(out)


def found(name: str) -> tuple[Any, str]:
    """The module or class that holds a function, and its name there."""
    place, attribute = name.rsplit(".", 1)
    try:
        return import_module(place), attribute
    except ImportError:
        module, _, kind = place.rpartition(".")
        return getattr(import_module(module), kind), attribute


def _short_demo() -> None:
    """A demo whose steps write a file each."""
    from facegen import demo, first_look

    def look(folder: Path) -> None:
        for name in first_look.FILES:
            (folder / name).write_bytes(bytes(2000))

    def write(folder: Path, *_: Any) -> dict[str, Any]:
        (folder / "run").mkdir(exist_ok=True)
        (folder / "run" / "config.yaml").write_text(f"save_dir: {folder}\n" + 2000 * "#")
        return {"total": {"generated": 1.0, "not_moving": 2.0}}

    first_look.first_look = look
    demo._prepare, demo._train, demo._animate, demo._draw = (lambda *_: None), write, write, write


EVALUATE: str = f"evaluate --corpus ../{WHOLE} --spiral m.ckpt --out out/r"


def _short_evaluation() -> None:
    """An evaluation that scores once, of a face whose regions nobody looks for, and without figures."""
    from facegen import evaluation
    from facegen.cli import run
    from facegen.errors import MeshError

    def face_regions(_: Any) -> Any:
        raise MeshError("nobody looks")

    real, scores = evaluation.score_rows, []

    def score_rows(*arguments: Any) -> Any:
        scores.extend([] if scores else [real(*arguments)])
        return scores[0]

    def draw(*arguments: Any) -> dict[str, Any]:
        (arguments[-1] / "figure5.png").write_bytes(bytes(2000))
        return {"figure5": {"subjects": []}}

    evaluation.score_rows, evaluation._draw, evaluation.face_regions = score_rows, draw, face_regions
    assert run([*EVALUATE.split()]) == 0
    shutil.rmtree("out/r")


VERBS = {
    "animate .npz": Verb("animate head.obj --model m.ckpt --expression happy --frames 4 --out out/a.npz"),
    "animate .glb": Verb("animate head.glb --model m.ckpt --expression happy --frames 4 --out out/a.glb"),
    "animate .gltf": Verb(
        "animate head.obj --model m.ckpt --expression happy --frames 4 --out out/a.gltf", beside=("bin",)
    ),
    "animate .obj": Verb("animate head.obj --model m.ckpt --expression happy --frames 4 --out out/a.obj", alone=True),
    "animate .html": Verb("animate head.obj --model m.ckpt --expression happy --frames 4 --out out/a.html"),
    "interpolate": Verb(
        "interpolate --neutral head.obj --model m.ckpt --from sad --to happy --steps 2 --out out/a.png"
    ),
    "register": Verb("register open.obj --model m.ckpt --out out/a.obj", needs=("mediapipe", "embreex")),
    "photo": Verb(
        "photo portrait.png --model m.ckpt --out out/a.obj",
        beside=("report",),
        needs=("mediapipe", "embreex", "skimage"),
    ),
    "export .pc2": Verb("export corpus --expression happy --out out/a.pc2"),
    "export .csv": Verb("export moving.npz --arkit-basis basis --out out/a.csv"),
    "export .vrma": Verb("export take.csv --out out/a.vrma"),
    "export .onnx": Verb("export m.ckpt --out out/a.onnx"),
    "inspect": Verb("inspect corpus --people out/a.png"),
    "rig": Verb("rig head.obj --sheet out/a.png --out out/a.glb", beside=("png",)),
    "prepare": Verb("prepare folder --root data --depth 1 --components 2 --workers 1 --out out/c", alone=True),
    "demo": Verb("demo --out out/d", alone=True, stub=_short_demo, talks=True),
    "evaluate": Verb(EVALUATE, alone=True, talks=True, loads=("facegen.evaluation",), stub=_short_evaluation),
    "fit": Verb(
        "fit --config fit.yaml",
        ("facegen.training.run.TrainingCLI.fit",),
        in_runs=True,
        alone=True,
        talks=True,
        loads=("facegen.training.run",),
    ),
    "predict": Verb(
        f"predict --config fit.yaml --data.corpus ../{WHOLE} --ckpt_path m.ckpt",
        ("facegen.training.run.TrainingCLI.predict",),
        in_runs=True,
        talks=True,
        loads=("facegen.training.run",),
    ),
}
"""By what is told apart."""
