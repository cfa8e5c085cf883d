"""Valid inputs of every kind, and the commands that read them: what the campaign damages."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from avatars import as_vrm, avatar
from live_link_files import bumps, write_take
from PIL import Image
from shapes import grid

from facegen.data.corpus import COMPONENTS, LANDMARKS, Corpus
from facegen.data.face_landmarks import save_face_landmarks
from facegen.data.manifest import read_manifest, write_manifest
from facegen.data.pca import principal_components
from facegen.exporters import export
from facegen.mesh import TriMesh, write_mesh
from facegen.sequence.sequence import Sequence

PREPARE = (
    "prepare synthetic --subjects 5 --val-subjects 1 --vertices 420 --frames 10 14 --fps 10 --depth 3 --workers 1 --out"
)
FIT = (
    "fit --model=SpiralGenerator --model.channels=[16,8,8] --model.activation=elu --model.lr=1e-2 --data.workers=0 "
    "--trainer.accelerator=cpu --trainer.enable_progress_bar=false --trainer.enable_model_summary=false "
    "--trainer.logger=CSVLogger --trainer.logger.name=null --trainer.logger.version=run --trainer.max_epochs=1"
)
"""How the corpus and the checkpoint are made where no test has made them."""
ANIMATE = "animate {} --model m.ckpt --expression happy --frames 4 --out out/"
SUBJECTS, TAKES, FRAMES = ("ann", "bob", "cleo", "dan"), ("happy", "sad"), 12
WORDS = "smil: happy\nfrown: sad\n"


@dataclass(frozen=True)
class Input:
    """A file that is damaged, and the commands that read it, which run in the folder that holds all inputs.

    Args:
        kind: what the damage is chosen by, and what a failing test is named after.
        path: of the file in the folder.
        commands: as typed; what they write lies in `out`.
        other: further paths that a message may name instead.
    """

    kind: str
    path: str
    commands: tuple[str, ...]
    other: tuple[str, ...] = ()


def _moves(path: str, *outs: str) -> tuple[str, ...]:
    return tuple(ANIMATE.format(path) + out for out in outs)


_CORPUS = ("inspect corpus", "export corpus --expression happy --out out/a.npz", "inspect corpus --motion")
_FOLDER = (
    "inspect data --source folder",
    "prepare folder --root data --depth 1 --components 2 --workers 1 --out out/c",
)
INPUTS = (
    Input("obj", "head.obj", (*["inspect head.obj"] * 4, *_moves("head.obj", "a.npz", "a.glb"))),
    Input("ply", "ascii.ply", (*["inspect ascii.ply"] * 4, *_moves("ascii.ply", "a.npz"))),
    Input("ply", "binary.ply", (*["inspect binary.ply"] * 4, *_moves("binary.ply", "a.npz"))),
    Input("glb", "head.glb", ("inspect head.glb", *_moves("head.glb", "a.glb"))),
    Input("gltf", "head.gltf", ("inspect head.gltf", *_moves("head.gltf", "a.glb"))),
    Input("gltf", "head.bin", ("inspect head.gltf", *_moves("head.gltf", "a.npz")), ("head.gltf",)),
    Input("vrm", "avatar.vrm", ("inspect avatar.vrm", "animate avatar.vrm --timeline take.csv --out out/a.vrm")),
    Input("npz", "moving.npz", ("export moving.npz --out out/a.glb", "inspect moving.npz")),
    Input("npz", "corpus/hierarchy.npz", _CORPUS, ("corpus",)),
    Input("npz", "corpus/components.npz", ("inspect corpus",), ("corpus",)),
    Input("npz", "corpus/landmarks.npz", ("inspect corpus",), ("corpus",)),
    Input("manifest", "corpus/manifest.json", _CORPUS, ("corpus",)),
    Input("chunks", "corpus/frames.zarr/displacement/12-0/zarr.json", _CORPUS[:2], ("corpus",)),
    Input("chunks", "corpus/frames.zarr/displacement/12-0/c/0/0/0", _CORPUS[:2], ("corpus",)),
    Input("chunks", "corpus/frames.zarr/neutral/12-0/c/0/0", _CORPUS[:2], ("corpus",)),
    Input("chunks", "corpus/frames.zarr/zarr.json", _CORPUS[:2], ("corpus",)),
    Input("checkpoint", "m.ckpt", ("inspect m.ckpt", *_moves("head.obj", "a.npz"), "export m.ckpt --out out/m.onnx")),
    Input("timeline", "timeline.yaml", ("animate head.obj --model m.ckpt --timeline timeline.yaml --out out/a.npz",)),
    Input("take", "take.csv", ("export take.csv --out out/a.vrma",)),
    Input("take", "take.csv", ("animate avatar.vrm --timeline take.csv --out out/a.vrm",)),
    Input("take", "take.csv", (f"{ANIMATE.format('head.obj').replace('--frames 4', '--timeline take.csv')}a.npz",)),
    Input("dataset", "data/dataset.yaml", _FOLDER),
    Input("annotations", "data/annotations.csv", _FOLDER),
    Input("frame", "data/ann/happy/3.ply", _FOLDER[1:]),
    Input("frame", "data/neutral/bob.ply", _FOLDER, ("neutral",)),
    Input("layout", "layout.yaml", ("inspect data --source fourdfab --layout layout.yaml",)),
    Input("mapping", "mapping.yaml", ("inspect told --source express4d --mapping mapping.yaml",)),
    Input("config", "fit.yaml", ("fit --config fit.yaml",)),
    Input("material", "head.mtl", _moves("head.obj", "a.glb"), ("head.obj",)),
    Input("picture", "skin.png", _moves("head.obj", "a.glb"), ("head.obj", "head.mtl")),
    Input("picture", "face.png", ("photo face.png --model m.ckpt --out out/a.obj",)),
    Input("landmarks", "points.txt", ("register plate.obj --landmarks points.txt --model m.ckpt --out out/a.obj",)),
    Input("basis", "basis/jawOpen.obj", ("export moving.npz --arkit-basis basis --out out/a.csv",), ("basis",)),
    Input("basis", "basis/neutral.obj", ("export moving.npz --arkit-basis basis --out out/a.csv",), ("basis",)),
)
"""All that is read."""


def write_inputs(folder: Path, corpus: Path, checkpoint: Path) -> None:
    """Fill a folder with every input, whole; the paths are those in `INPUTS`."""
    _write_corpus(folder / "corpus", corpus)
    shutil.copyfile(checkpoint, folder / "m.ckpt")
    held = Corpus(folder / "corpus")
    template, first = held.hierarchy.template, held.split("test")[0]
    head = template.with_vertices(held.neutral(first))
    write_mesh(folder / "binary.ply", head)
    _write_ascii(folder / "ascii.ply", head)
    _write_dressed(folder, head)
    still = Sequence(head.vertices[None], head.faces, 25, np.zeros((1, 0)), ())
    export(still, folder / "head.glb")
    export(still, folder / "head.gltf")
    _name_buffer(folder / "head.gltf", "head.bin")
    made = avatar(head, alone=True)
    made.document.tree["meshes"][0]["extras"]["targetNames"] = ["jawOpen", "eyeBlinkLeft"]
    as_vrm(made, 1).write(folder / "avatar.vrm")
    held.sequence(first).save(folder / "moving.npz")
    write_take(folder / "take.csv", bumps(30, ("JawOpen", 0.1, 0.8))[:40])
    (folder / "timeline.yaml").write_text(
        "frames: 6\nfps: 12\nevents:\n- {expression: happy, onset: 0, apex: [2, 3], offset: 5, intensity: 0.5}\n"
        "- {expression: sad, keys: [[0, 0], [2, 0.5], [5, 0]]}\n"
    )
    _write_data(folder)
    _write_basis(folder / "basis", head)
    Image.fromarray((np.indices((48, 48)).sum(0)[..., None] * [2, 1, 0]).astype(np.uint8)).save(folder / "face.png")
    write_mesh(folder / "open.obj", TriMesh(head.vertices, head.faces[:-1]))
    with suppress(ImportError):
        from skimage.data import astronaut

        Image.fromarray(astronaut()[:260, 100:360]).save(folder / "portrait.png")
    write_mesh(folder / "plate.obj", grid(9, 9, bump=3.0))
    (folder / "points.txt").write_text(
        "# number x y z\n33 2 6 0\n263 6 6 0\n61 3 2 0\n291 5 2 0\n1 4 4 1\n133 3 6 0\n362 5 6 0\n"
    )
    (folder / "fit.yaml").write_text(_config())


def _write_corpus(folder: Path, whole: Path) -> None:
    """A corpus of two expressions of each person, since each file of it is looked at in many cases."""
    held, manifest = Corpus(whole), read_manifest(whole)
    kept = [entry for entry in held.entries if entry.expression in ("happy", "sad")]
    arrays = {entry.array for entry in kept}
    shutil.copytree(whole, folder, ignore=lambda place, names: _others(Path(place), names, arrays))
    (folder / COMPONENTS).unlink()
    (folder / LANDMARKS).unlink()
    write_manifest(folder, manifest, kept)
    made = Corpus(folder)
    blocks = [made.displacement(number) for number in made.split("train")]
    principal_components(blocks, 8, sum(map(len, blocks))).save(folder / COMPONENTS, made.digest)
    save_face_landmarks(folder / LANDMARKS, held.landmarks, made.digest)
    first = made.entries[made.split("test")[0]].array
    assert first == "12-0", f"the sequence that `export` reads is {first}; name its arrays in INPUTS"


def _others(place: Path, names: list[str], arrays: set[str]) -> list[str]:
    return (
        []
        if place.name not in ("displacement", "neutral")
        else [each for each in names if each not in {*arrays, "zarr.json"}]
    )


def _write_ascii(path: Path, mesh: TriMesh) -> None:
    lines = ["ply", "format ascii 1.0", "comment a head", f"element vertex {len(mesh.vertices)}"]
    lines += [f"property float {axis}" for axis in "xyz"] + ["property uchar red", "property uchar green"]
    lines += ["property uchar blue", f"element face {len(mesh.faces)}", "property list uchar int vertex_indices"]
    lines += ["end_header", *(f"{x:.4f} {y:.4f} {z:.4f} 200 150 120" for x, y, z in mesh.vertices)]
    path.write_text("\n".join([*lines, *(f"3 {a} {b} {c}" for a, b, c in mesh.faces), ""]))


def _write_dressed(folder: Path, mesh: TriMesh) -> None:
    Image.new("RGB", (8, 8), (200, 150, 120)).save(folder / "skin.png")
    (folder / "head.mtl").write_text("newmtl skin\nKd 0.5 0.4 0.3\nmap_Kd skin.png\n")
    lines = ["mtllib head.mtl", "usemtl skin", *(f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in mesh.vertices)]
    lines += [f"vt {x / 400 + 0.5:.4f} {y / 400 + 0.5:.4f}" for x, y, _ in mesh.vertices]
    lines += [f"f {a + 1}/{a + 1} {b + 1}/{b + 1} {c + 1}/{c + 1}" for a, b, c in mesh.faces]
    (folder / "head.obj").write_text("\n".join([*lines, ""]))


def _name_buffer(path: Path, name: str) -> None:
    tree = json.loads(path.read_text())
    (path.parent / tree["buffers"][0]["uri"]).rename(path.parent / name)
    tree["buffers"][0]["uri"] = name
    path.write_text(json.dumps(tree, indent=1))


def _write_data(folder: Path) -> None:
    """A small dataset of meshes, as the generic source and, by a layout, 4DFAB's read it; one of texts and weights."""
    plate = grid(6, 6, bump=0.5)
    rest = plate.vertices * 20
    rise = np.interp(np.arange(FRAMES), [1, 4, 7, 10], [0, 1, 1, 0])
    for person, subject in enumerate(SUBJECTS):
        for number, take in enumerate(TAKES):
            place = folder / "data" / subject / take
            place.mkdir(parents=True)
            for frame, strength in enumerate(rise):
                moved = rest * (1 + 0.02 * person)
                moved[7 + 6 * number] += [0, 0, 5 * strength]
                write_mesh(place / f"{frame}.ply", TriMesh(moved, plate.faces))
        (folder / "data" / "neutral").mkdir(exist_ok=True)
        write_mesh(folder / "data" / "neutral" / f"{subject}.ply", TriMesh(rest * (1 + 0.02 * person), plate.faces))
    (folder / "data" / "dataset.yaml").write_text("units: mm\nfps: 25\ntest_subjects: [dan]\nleave_out: [cleo/sad]\n")
    rows = [f"{subject},{take},1,4,7,10" for subject in SUBJECTS for take in TAKES]
    header = "subject,expression,onset,apex_start,apex_end,offset"
    (folder / "data" / "annotations.csv").write_text("\n".join([header, *rows, ""]))
    (folder / "layout.yaml").write_text(
        'patterns: ["{subject}/{expression}/{frame}.ply"]\nexpressions: {happy: happy, sad: sad}\nunits: mm\nfps: 25\n'
        'neutral: ["neutral/{subject}.ply"]\nrest: first\nannotations: annotations.csv\ntest_subjects: [dan]\n'
        "passed_over: [neutral]\n"
    )
    (folder / "mapping.yaml").write_text(WORDS)
    (folder / "told" / "texts").mkdir(parents=True)
    for number, text in enumerate(("a person smiles", "a person frowns", "a smile", "a frown")):
        write_take(folder / "told" / "data" / f"take_{number + 1}.csv", bumps(20, ("MouthSmile", 0.1, 0.6))[:30])
        (folder / "told" / "texts" / f"take_{number + 1}.txt").write_text(f"{text}#words#0.0#0.0\n")


def _write_basis(folder: Path, mesh: TriMesh) -> None:
    folder.mkdir()
    write_mesh(folder / "neutral.obj", mesh)
    for number, name in enumerate(("jawOpen", "mouthSmileLeft", "mouthSmileRight")):
        moved = mesh.vertices.copy()
        moved[number::3, 1] -= 4.0
        write_mesh(folder / f"{name}.obj", mesh.with_vertices(moved))


def _config() -> str:
    return (
        "seed_everything: 0\nmodel:\n  class_path: SpiralGenerator\n  init_args:\n    channels: [16, 8, 8]\n"
        "    activation: elu\n    lr: 0.01\n    weight_decay: 0.0\ndata:\n  corpus: corpus\n  workers: 0\n"
        "  batch_size: 4\ntrainer:\n  accelerator: cpu\n  max_steps: 1\n  enable_progress_bar: false\n"
        "  enable_model_summary: false\n  logger:\n    class_path: CSVLogger\n    init_args:\n      save_dir: out\n"
        "      name: null\n      version: run\n"
    )
