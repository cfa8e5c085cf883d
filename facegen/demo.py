"""What the model that comes with facegen makes; then the whole chain on the built-in faces."""

from __future__ import annotations

import json
import logging
import shutil
import sys
import time
from pathlib import Path

import numpy as np

from facegen import first_look
from facegen.folders import RECORD, new_folder, require_new_folder
from facegen.mesh.decimation import require_openmesh
from facegen.motion.label import EXPRESSIONS
from facegen.optional import require

EXPRESSION_FILES = tuple(f"{name}{suffix}" for name in EXPRESSIONS for suffix in (".glb", ".mp4"))
"""A mesh and a clip of each expression."""
FIRST = "first"
"""Folder of what the model that comes with facegen makes, which is there before the training begins."""
REPORT = "demo.json"
"""File of the errors, which is written last."""
MADE = (FIRST, "corpus", "run", "model.ckpt", "neutral.obj", "sheet.png", "faces.html", REPORT, *EXPRESSION_FILES)
"""What a demo leaves behind, beside the record of it."""

# Sizes, chosen together so that the demo takes minutes on two cores and its faces still move smoothly.
SUBJECTS, VERTICES = 24, 2500
"""People, and vertices of each."""
TAKE_FRAMES = (24, 36)
"""Shortest and longest take."""
CLIP_FRAMES = 36
"""Length of each animation that is made."""
EPOCHS, CHANNELS = 48, (64, 64, 32, 16)
"""Passes over the training takes, and features of the decoder, coarsest level first."""
RECIPE = [
    "--model=SpiralGenerator",
    f"--model.channels={list(CHANNELS)}",
    "--model.activation=elu",
    "--model.normalise=true",
    "--model.bidirectional=true",
    "--model.per_vertex=true",
    "--model.optimizer=muon",
    "--model.stride=4",
    "--model.lr=6e-3",
    "--model.decay=0.91",
    "--model.weight_decay=0",
    "--data.batch_size=4",
    "--data.workers=0",
    "--data.rest=80",  # the takes are short, and an animated face may be at rest for long
    f"--trainer.max_epochs={EPOCHS}",
    "--trainer.accelerator=cpu",
    "--trainer.check_val_every_n_epoch=4",
    "--trainer.enable_progress_bar=false",
    "--trainer.enable_model_summary=false",
    "--trainer.callbacks=EpochLine",
    "--trainer.logger=CSVLogger",
    "--trainer.logger.name=null",
    "--trainer.logger.version=run",
]
"""The options of `facegen fit`: the study's spiral model, smaller and trained for less long."""


def demo(out: str | Path, seed: int = 0, first: bool = False) -> None:
    """Fill `out` with a first look at the model that comes with facegen, and with a corpus, a checkpoint trained on it,
    its errors, and six expressions as pictures and files.

    Args:
        out: folder to make; an earlier demo there is replaced, if it is as it was made.
        seed: fixes everything that is drawn.
        first: only the first look; where `out` has nothing but one, it is kept.

    Raises:
        FacegenError: `out` holds something that no demo made, or cannot be written.
    """
    for module in ("embreex", "PIL", "imageio_ffmpeg"):  # now, and not after the training
        require(module, "video")
    start, out = time.monotonic(), Path(out)
    require_new_folder(out, replaced=True)
    whole = not first and (out / REPORT).exists()  # an earlier demo, which stays until there is another
    if first or not (whole or _has_first_look(out)):
        _first_look(out)
    if first:
        return
    require_openmesh()
    with new_folder(out, replaced=True) as folder:
        if whole:
            _show(folder)
        else:
            shutil.copytree(out / FIRST, folder / FIRST)
        _say(f"1/4 making {SUBJECTS} built-in faces of {VERTICES:,} vertices that act six expressions")
        _prepare(folder / "corpus", seed)
        _say("2/4 training; errors in mm, on subjects trained on (train) and on others (val)")
        errors = _train(folder, seed)
        _say("3/4 animating a subject never seen in training, at full intensity")
        sequences = _animate(folder)
        _say("4/4 drawing")
        _draw(folder, sequences)
        report = {
            "test_error_mm": errors,
            "seed": seed,
            "epochs": EPOCHS,
            "seconds": round(time.monotonic() - start, 1),
        }
        (folder / REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        # They name the folder in which all was made, before it was renamed.
        for name in ("config.yaml", "hparams.yaml"):
            file = folder / "run" / name
            if file.exists():
                file.write_text(file.read_text(encoding="utf-8").replace(str(folder), str(out)), encoding="utf-8")
    _report(out, errors, report["seconds"])


def _has_first_look(out: Path) -> bool:
    """Whether a folder has a first look and nothing else."""
    held = {path.name for path in out.iterdir()} - {RECORD} if out.is_dir() else set()
    return held == {FIRST} and {path.name for path in (out / FIRST).iterdir()} == set(first_look.FILES)


def _show(folder: Path) -> None:
    """Make the first look in a folder of its own."""
    _say("the model that comes with facegen, on the head that comes with it")
    (folder / FIRST).mkdir()
    first_look.first_look(folder / FIRST)


def _first_look(out: Path) -> None:
    start = time.monotonic()
    with new_folder(out, replaced=True) as folder:  # a place that is refused has nothing said before
        _show(folder)
    names = ", ".join(str(out / FIRST / name) for name in first_look.FILES)
    _say(f"{time.monotonic() - start:.0f} seconds: {names}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _prepare(corpus: Path, seed: int) -> None:
    from facegen.data.prepare import prepare
    from facegen.data.sources import open_source

    options = {"subjects": SUBJECTS, "vertices": VERTICES, "frames": TAKE_FRAMES, "fps": 12.5, "seed": seed}
    prepare(open_source("synthetic", options), "synthetic", corpus)


def _train(folder: Path, seed: int) -> dict[str, dict[str, float]]:
    """Mean per-vertex error on test subjects in mm, generated and not moving, by expression and in total."""
    from facegen.training.run import run

    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)  # the epochs' lines say what there is to see
    common = [f"--seed_everything={seed}", *RECIPE, f"--trainer.default_root_dir={folder}"]
    common += [f"--trainer.logger.save_dir={folder}", f"--data.corpus={folder / 'corpus'}"]
    run(["fit", *common])
    shutil.move(folder / "run" / "checkpoints" / "last.ckpt", folder / "model.ckpt")
    tested = run(["test", *common, "--trainer.logger=false", "--verbose=false", f"--ckpt_path={folder / 'model.ckpt'}"])
    logged = {name: float(value) for name, value in tested.trainer.callback_metrics.items()}
    names = ("", *(f"/{name}" for name in tested.datamodule.corpus.expressions))
    return {
        (name[1:] or "total"): {"generated": logged[f"test/error{name}"], "not_moving": logged[f"test/still{name}"]}
        for name in names
    }


def _animate(folder: Path) -> dict:
    from facegen import checkpoint
    from facegen.animation import animate
    from facegen.data.corpus import Corpus
    from facegen.exporters import export
    from facegen.mesh import write_mesh
    from facegen.motion.label import Phases, motion_label

    model, corpus = checkpoint.load(folder / "model.ckpt"), Corpus(folder / "corpus")
    index = corpus.split("test")[0]
    neutral = corpus.hierarchy.template.with_vertices(corpus.neutral(index).astype(np.float64))
    write_mesh(folder / "neutral.obj", neutral)
    sequences = {}
    for name in model.expressions:
        motion = motion_label(CLIP_FRAMES, name, Phases.spread(CLIP_FRAMES), 1.0, model.expressions)
        sequences[name] = animate(model, neutral, motion, model.fps)
        export(sequences[name], folder / f"{name}.glb")
    return sequences


def _draw(folder: Path, sequences: dict) -> None:
    from facegen.exporters import export
    from facegen.pictures.apex_sheet import apex_sheet
    from facegen.sequence.joined import joined

    for name, sequence in sequences.items():
        export(sequence, folder / f"{name}.mp4", size=384)
    export(joined(sequences.values()), folder / "faces.html")
    apex_sheet({"generated": sequences}, folder / "sheet.png", size=320)


def _report(out: Path, errors: dict[str, dict[str, float]], seconds: float) -> None:
    print(f"\n{'error on test subjects, mm':<28}{'generated':>10}{'not moving':>12}")
    for name, row in errors.items():
        print(f"  {name:<26}{row['generated']:>10.3f}{row['not_moving']:>12.3f}")
    names = [name for name in errors if name != "total"]
    print(f"\n{seconds:.0f} seconds. Open {out / 'faces.html'} in a browser, look at {out / 'sheet.png'},")
    print(f"play {out}/{{{','.join(names)}}}.mp4, open {out}/*.glb in Blender or any glTF viewer, or make your own:")
    print(f"  facegen animate {out / 'neutral.obj'} --model {out / 'model.ckpt'} --expression happy --out smile.glb")
