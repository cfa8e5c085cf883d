"""Settings on the command line that make no sense, for every verb that takes them."""

from __future__ import annotations

import random

NEVER = ("nan", "-1", "x", "", "9" * 5000, "1e300", "-inf", "1,5", "0x10")
"""What no number of any verb may be."""
SELDOM = (*NEVER, "0", "1", "2", "inf", "4294967296", "1e-300", "7.5", "99999999999999999999")
"""What some may be; a verb that takes one of them is quick."""
_ANIMATE = "animate head.obj --model m.ckpt --out out/a.npz"
_HAPPY = f"{_ANIMATE} --expression happy"
_PREPARE = "prepare synthetic --out out/c"
_TAKE = "animate avatar.vrm --timeline take.csv --out out/a.glb"
NUMBERS: dict[str, tuple[str, ...]] = {
    _HAPPY: ("--frames", "--fps", "--onset", "--offset", "--intensity", "--seed", "--takes"),
    f"{_HAPPY} --alive": ("--seed", "--fps"),
    f"{_HAPPY.replace('a.npz', 'a.glb')} --frames 4": ("--tolerance", "--fps"),
    f"{_HAPPY.replace('a.npz', 'a.png')} --frames 4": ("--size", "--intensity"),
    _TAKE: ("--fps", "--intensity"),
    "interpolate --neutral head.obj --model m.ckpt --from sad --to happy --out out/a.npz": ("--steps",),
    "export corpus --out out/a.npz": ("--take",),
    "export moving.npz --out out/a.glb": ("--tolerance",),
    "export take.csv --out out/a.vrma": ("--fps",),
    "photo face.png --model m.ckpt --out out/a.obj": ("--face",),
}
"""Commands that are quick whatever number they take, and the options that take one."""
LONG: dict[str, tuple[str, ...]] = {
    _PREPARE: (
        *("--seed", "--subjects", "--vertices", "--fps", "--confidence", "--depth", "--factor", "--spiral-length"),
        *("--dilation", "--components", "--workers", "--takes-per-expression", "--test-subjects", "--val-subjects"),
    ),
    "prepare folder --root data --out out/c": ("--fps", "--depth", "--confidence", "--workers"),
    "demo --out out/d": ("--seed",),
    "stream take.csv --to vmc://127.0.0.1:9": ("--fps",),
    "studio head.obj --no-browser": ("--port",),
    "fit --config fit.yaml": (
        *("--model.lr", "--model.latent", "--data.batch_size", "--data.workers", "--trainer.max_epochs"),
        "--seed_everything",
    ),
}
"""Commands that take long or do not end where a number is right."""
NAMES: dict[str, tuple[str, ...]] = {
    _HAPPY: ("--units", "--ease", "--landmarks", "--groups", "--model"),
    _ANIMATE: ("--expression", "--timeline", "--style"),
    "interpolate --neutral head.obj --model m.ckpt --out out/a.npz --from happy": ("--to",),
    "export corpus --out out/a.glb": ("--subject", "--expression"),
    "export moving.npz --out out/a.csv": ("--arkit-basis",),
    "inspect corpus": ("--source", "--people", "--groups"),
    "inspect data": ("--source", "--layout", "--mapping"),
    "prepare": ("--source",),
    "prepare folder --out out/c": ("--root", "--align"),
    "prepare coma --root data --out out/c": ("--ranges", "--units"),
    "prepare live_link --root data --out out/c": ("--basis", "--head"),
    "prepare synthetic --out out/c": ("--acting", "--peaks"),
    "stream take.csv": ("--to",),
    "studio --no-browser --token 0123456789abcdef": ("--host",),
    "rig plate.obj --out out/a.glb": ("--arkit-basis", "--units", "--landmarks"),
    "register plate.obj --model m.ckpt --out out/a.obj": ("--units", "--landmarks"),
    "evaluate --corpus corpus --spiral m.ckpt --out out/r": ("--device", "--style", "--metric", "--classifier"),
    "evaluate --out out/r --spiral m.ckpt": ("--corpus",),
    "bench": ("--out", "nothing"),
    "validate --config fit.yaml": ("--ckpt_path",),
    "test --config fit.yaml": ("--ckpt_path", "--data.corpus"),
    "predict --config fit.yaml": ("--ckpt_path", "--model"),
    "fit --config fit.yaml": ("--model", "--data.corpus", "--trainer.accelerator", "--config"),
}
"""Options that take a name, a place or an address."""
WORDS = (
    "",
    "x",
    "nowhere",
    "head.obj/x",
    ".",
    "/",
    "a\nb",
    "é" * 300,
    "-",
    "*",
    "[",
    "${oc.env:HOME}",
    "\x1b[2J",
    "1e3",
)
"""What none of them is."""
PLACES = (
    "",
    ".",
    "/",
    "nowhere/a.npz",
    "out",
    "head.obj/a.npz",
    "/dev/null",
    f"out/{'x' * 300}.npz",
    "out/a.what",
    "a",
)
PLACES += ("/dev/full", "out/a\n.docx", "corpus", "/proc/a.npz")
"""Where nothing can be written, or not of any format."""
WRITING = (
    *(_HAPPY.partition(" --out")[0] + " --expression happy", "export moving.npz", "register plate.obj --model m.ckpt"),
    *("rig plate.obj", "photo face.png --model m.ckpt", "prepare synthetic --vertices 400", "export m.ckpt"),
    "interpolate --neutral head.obj --model m.ckpt --from sad --to happy",
    "evaluate --corpus corpus --spiral m.ckpt",
)
"""Verbs that write, without where."""


def setting(rng: random.Random) -> tuple[list[str], str]:
    """A command with one setting that makes no sense, and what its message has to name."""
    kind = rng.choice(("number", "number", "long", "name", "place"))
    if kind == "place":
        return [*rng.choice(WRITING).split(), "--out", rng.choice(PLACES)], "--out"
    table, values = {"number": (NUMBERS, SELDOM), "long": (LONG, NEVER), "name": (NAMES, WORDS)}[kind]
    command, options = rng.choice(list(table.items()))
    option = rng.choice(options)
    return [*command.split(), option, rng.choice(values)], option
