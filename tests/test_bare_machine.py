"""Without a compiler, cmake and OpenMesh all but a new hierarchy works: the quick start and what goes on from it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from one_face import fields, template

from facegen.mesh import write_mesh
from facegen.mesh.subdivision import subdivide_to

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def said(
    checkpoint_path: Path, corpus_path: Path, neutral_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Where files were made, and what the lines below said."""
    pytest.importorskip("mediapipe")
    pytest.importorskip("embreex")
    folder = tmp_path_factory.mktemp("bare")
    rest, jaw = template(), fields()[-1]
    write_mesh(folder / "own.obj", subdivide_to(rest, 3000)[0])
    (folder / "basis").mkdir()
    write_mesh(folder / "basis/neutral.obj", rest)
    write_mesh(folder / "basis/jawOpen.obj", rest.with_vertices(rest.vertices + jaw))
    from PIL import Image
    from skimage.data import astronaut

    Image.fromarray(astronaut()[:260, 100:360]).save(folder / "me.png")
    lines = [
        f"animate {neutral_path} --model {checkpoint_path} --expression happy --frames 8 --alive --out smile.glb",
        f"animate own.obj --model {checkpoint_path} --expression happy --frames 8 --out own.glb",
        "rig own.obj --arkit-basis basis --out rigged.glb",
        f"photo me.png --model {checkpoint_path} --out me.glb",
        f"export {corpus_path} --expression happy --out recorded.glb",
        f"fit --model=SpiralGenerator --model.channels=[16,8,8] --data.corpus={corpus_path} --data.workers=0"
        " --trainer.accelerator=cpu --trainer.max_epochs=1 --trainer.limit_train_batches=2"
        " --trainer.limit_val_batches=1 --trainer.enable_progress_bar=false --trainer.enable_model_summary=false"
        " --trainer.logger=CSVLogger"
        " --trainer.logger.save_dir=. --trainer.logger.name=null --trainer.logger.version=run",
        "prepare synthetic --vertices 420 --out corpus",
    ]
    (folder / "lines.txt").write_text("\n".join(lines), encoding="utf-8")
    (folder / "no-tools").mkdir()
    done = subprocess.run(
        [sys.executable, ROOT / "tests/bare_machine.py", folder / "lines.txt"],
        cwd=folder,
        env=os.environ | {"PATH": str(folder / "no-tools"), "PYTHONPATH": str(ROOT), "WANDB_MODE": "offline"},
        capture_output=True,
        text=True,
        check=False,
    )
    return folder, done


def test_all_but_preparing_works(said: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = said
    ended = re.findall(r"^exit (\d+) after .* s: (\w+)", done.stdout, re.M)
    wanted = ["animate", "animate", "rig", "photo", "export", "fit"]
    assert ended == [*(("0", verb) for verb in wanted), ("2", "prepare")], done.stderr
    made = ("smile.glb", "own.glb", "rigged.glb", "me.glb", "recorded.glb", "run/checkpoints/last.ckpt")
    assert all((folder / name).is_file() for name in made)
    assert not (folder / "corpus").exists()


def test_what_needs_openmesh_says_the_line_that_installs_it(
    said: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    lines = [line for line in said[1].stderr.splitlines() if "openmesh" in line]
    assert len(lines) == 1
    assert lines[0].endswith("CMAKE_POLICY_VERSION_MINIMUM=3.5 pip install openmesh")
