"""Prints the table of docs/formats.md: what arrives of each format in each tool, asked of the tools themselves.

A sheet as tall as a face, with two materials and texture coordinates, moves two ways at once; both are furthest away
after 1.2 s. It is written to each format as the command does without options, and opened in each tool as that opens.

`python tests/exporters/elsewhere/table.py` prints the table, and exits with 1 where docs/formats.md holds another; with
`--write` it puts it there. `make blender` gets Blender, `make` three.js and the validator; where one is missing that is
said and nothing is compared.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

from facegen.exporters import FOLDERS, export
from facegen.mesh.appearance import Appearance
from facegen.mesh.material import Material
from facegen.sequence.sequence import Sequence

HERE = Path(__file__).parent
DOCS = HERE.parents[2] / "docs" / "formats.md"
BEGIN, END = "<!-- printed by `make elsewhere` -->\n", "<!-- end of what `make elsewhere` prints -->\n"
MODULES = Path(sys.prefix) / "elsewhere"
BLENDER = Path(sys.prefix) / "blender" / "bin" / "python"

FPS, FRAMES, PEAK, LEFT = 12.5, 26, 15, 0.3
"""The frame of the peak is shown after 1.2 s, the last one after 2 s, with a share `LEFT` of the motion."""
HEIGHT = 0.25
"""Metres."""
SECONDS = np.arange(0, 7.51, 0.025)
"""When tools are asked; the peak is among them."""
OVER = 5.5
"""Seconds after which the motion is over even where it plays at less than half its speed."""
OPTIONS: list[tuple[str, dict]] = [(each, {}) for each in (".glb", ".gltf", ".usdc", ".usda", ".usdz", ".abc")]
OPTIONS += [(suffix, options) for suffix in (".pc2", ".mdd") for options in ({}, {"scene_fps": 24})]
OPTIONS += [(".obj", {}), (".ply", {})]
HEAD = ("format", "tool", "speed", "height", "up", "names", "materials", "morph targets", "loop")
MANY = 4
"""More names than these are counted."""
NOTHING = ("–",) * 7


def face() -> Sequence:
    """A sheet 250 mm tall that narrows upwards, so that its up can be told from its positions, skin below lips."""
    x, y = np.meshgrid(np.linspace(-1, 1, 9), np.linspace(0, 1, 13))
    rest = np.stack([x * (80 - 30 * y), 250 * y - 125, 40 * (1 - x**2)], axis=-1).reshape(-1, 3)
    corner = (np.arange(12)[:, None] * 9 + np.arange(8)).ravel()
    quads = np.stack([corner, corner + 1, corner + 10, corner + 9], axis=1)
    faces = quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    share = np.interp(np.arange(FRAMES), [0, PEAK, FRAMES - 1], [0, 1, LEFT])
    away = np.zeros((2, *rest.shape))
    away[0, :, 2], away[1, :, 0] = 8 * x.ravel() ** 2, 5 * np.sin(3 * y.ravel())
    both = np.stack([share, share**2], axis=1)
    both[-1] = LEFT
    posed = rest + np.tensordot(both, away, axes=1)
    uv = np.stack([(x.ravel() + 1) / 2, y.ravel()], axis=1)
    used = np.repeat(rest[quads][:, :, 1].mean(axis=1) > 0, 2).astype(int)
    look = Appearance(uv, faces, (Material("skin"), Material("lips", (0.8, 0.1, 0.1))), used, None)
    return Sequence(posed, faces, FPS, both, ("smile", "surprise"), quads, look)


def asked(command: list, folder: Path) -> dict:
    """What a script of this folder has written as JSON; OUT in the command stands for the file that it writes."""
    out = folder / "found.json"
    out.unlink(missing_ok=True)
    words = [str(out) if word == "OUT" else str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode or not out.exists():
        raise SystemExit(f"{' '.join(words[:3])} failed:\n{done.stdout}{done.stderr}")
    return json.loads(out.read_text())


def arrived(found: dict, up: str) -> tuple[str, ...]:
    """The cells of what a tool shows; `up` is the axis that it has for up."""
    if "refused" in found:
        return NOTHING
    poses, seconds = np.array(found["poses"]), SECONDS
    rest = poses[0]
    axis = int(np.ptp(rest, axis=0).argmax())
    along, sides = rest[:, axis], np.delete(rest, axis, axis=1)
    high, low = along > along.max() - 1e-3 * np.ptp(along), along < along.min() + 1e-3 * np.ptp(along)
    narrow = np.ptp(sides[high], axis=0).max() < np.ptp(sides[low], axis=0).max()
    shown_up = ("+" if narrow else "-") + "xyz"[axis]
    metres = found["metres"]
    height = f"{np.ptp(along) * metres:.3g} m" if metres else f"{np.ptp(along):.3g}, no unit"
    unnamed, uv = found.get("unnamed", 0), found["uv"]
    materials = listed(found["materials"]) if found["materials"] else f"{unnamed} without a name" if unnamed else ""
    moved = np.abs(poses - rest).max(axis=(1, 2))
    return (
        speed(moved, seconds, found.get("rate", "")),
        height,
        shown_up if shown_up == up else f"{shown_up}: lies",
        listed(found["names"]),
        ", ".join(filter(None, (materials, "UV" if uv else ""))) or "–",
        listed(found["morphs"]),
        loop(moved, seconds, found.get("range", "")),
    )


def speed(moved: np.ndarray, seconds: np.ndarray, rate: str) -> str:
    """How the second at which the motion is furthest away compares with the right one."""
    if moved.max() < 1e-6:
        return "still"
    peak, wanted = seconds[int((moved > 0.99 * moved.max()).argmax())], PEAK / FPS
    told = "right" if abs(peak - wanted) < 0.03 else f"{peak:.3g} s for {wanted:.3g} s"
    return f"{rate}: {told}" if rate else told


def loop(moved: np.ndarray, seconds: np.ndarray, scene: str) -> str:
    """What is shown after the last frame."""
    if moved.max() < 1e-6:
        return "–"
    past = moved[seconds > OVER] / moved.max()
    if np.ptp(past) > 0.01:
        return "repeats"
    return ("holds the end" if abs(past[-1] - LEFT) < 0.02 else "goes back to the start") + scene


def listed(names: list[str]) -> str:
    if len(names) > MANY:
        return f"`{names[0]}` and {len(names) - 1} more"
    return ", ".join(f"`{name}`" for name in sorted(names)) or "–"


def validated(path: Path) -> tuple[str, tuple[str, ...]]:
    """The validator with what it complains of, and the cells: it plays nothing, and counts without names."""
    if path.suffix not in (".glb", ".gltf"):
        return "Khronos validator", NOTHING
    done = subprocess.run(["node", HERE / "validate.mjs", MODULES, path], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    issues, info = report["issues"], report["info"]
    tool = f"Khronos validator: {issues['numErrors']} errors, {issues['numWarnings']} warnings"
    morphs = "there are some" if info["hasMorphTargets"] else "–"
    moving = f"{info['animationCount']} animation"
    return tool, (moving, "–", "–", "–", f"{info['materialCount']} without a name", morphs, "–")


def rows(folder: Path) -> list[tuple[str, dict[str, tuple[str, ...]]]]:
    """For each format its name and by tool the cells; tools that are not there are left out."""
    sequence, table = face(), []
    export(sequence, folder / "mesh.obj")
    export(sequence, folder / "mesh.ply")
    # Point caches move a mesh that is there; of an .obj three.js makes vertices for each corner, which they do not fit.
    mesh, indexed = folder / "mesh.obj" / "frame_0000.obj", folder / "mesh.ply" / "frame_0000.ply"
    times = [f"{second:.3f}" for second in SECONDS]
    for number, (suffix, options) in enumerate(OPTIONS):
        written = folder / f"{number}{suffix}"
        export(sequence, written, **options)
        path = written / f"frame_0000{suffix}" if suffix in FOLDERS else written
        cells = {}
        if BLENDER.exists():
            command = [BLENDER, HERE / "arrives_in_blender.py", path, mesh, "OUT", *times]
            cells["Blender"] = arrived(asked(command, folder), "+z")
        if node_is_there():
            command = ["node", HERE / "arrives_in_three.mjs", MODULES, path, indexed, "OUT", *times]
            cells["three.js"] = arrived(asked(command, folder), "+y")
            tool, counted = validated(path)
            cells[tool] = counted
        for tool, script in (("usd-core", "arrives_in_usd.py"), ("trimesh", "arrives_in_trimesh.py")):
            cells[tool] = arrived(asked([sys.executable, HERE / script, path, "OUT", *times], folder), "+y")
        name = f"`{suffix}/`" if suffix in FOLDERS else f"`{suffix}`"
        name += "".join(f" with `--{option.replace('_', '-')} {value}`" for option, value in options.items())
        table.append((name, cells))
    return table


def merged(pairs: list[tuple[str, object]]) -> list[tuple[str, object]]:
    """Names that have the same beside them, joined, in the order of the first of each."""
    joined: list[tuple[str, object]] = []
    for name, value in pairs:
        at = next((number for number, (_, other) in enumerate(joined) if other == value), None)
        if at is None:
            joined.append((name, value))
        else:
            joined[at] = (f"{joined[at][0]}, {name}", value)
    return joined


def markdown(table: list[tuple[str, dict[str, tuple[str, ...]]]]) -> str:
    lines = [HEAD, ("---",) * len(HEAD)]
    for name, cells in merged(table):
        lines += [(name, tools, *values) for tools, values in merged(list(cells.items()))]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def versions() -> str:
    """The versions of the tools, as their packages say them."""
    told = []
    if BLENDER.exists():
        script = "from importlib.metadata import version; print(version('bpy'))"
        done = subprocess.run([BLENDER, "-c", script], capture_output=True, text=True, check=True)
        told.append(f"Blender {done.stdout.strip()}")
    for name, package in (("three.js", "three"), ("Khronos validator", "gltf-validator")):
        described = MODULES / "node_modules" / package / "package.json"
        if described.exists():
            told.append(f"{name} {json.loads(described.read_text())['version']}")
    told += [f"{package} {version(package)}" for package in ("usd-core", "trimesh")]
    return ", ".join(told)


def node_is_there() -> bool:
    return bool(shutil.which("node")) and (MODULES / "node_modules").is_dir()


def missing() -> list[str]:
    """The tools that are not there, each with what gets it."""
    names = [] if BLENDER.exists() else ["Blender (`make blender` gets it)"]
    if not node_is_there():
        names.append("three.js and the Khronos validator (`make` gets them where there is npm)")
    return names


def printed() -> str:
    """The versions and the table."""
    with tempfile.TemporaryDirectory() as folder:
        return f"{versions()}:\n\n{markdown(rows(Path(folder)))}"


def in_docs() -> str:
    """What stands between the marks of docs/formats.md."""
    return DOCS.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]


def main() -> int:
    table, absent = printed(), missing()
    print(table, end="")
    if absent:
        print(f"missing: {', '.join(absent)}; docs/formats.md is not compared", file=sys.stderr)
        return 0
    if table == in_docs():
        return 0
    if sys.argv[1:] == ["--write"]:
        whole = DOCS.read_text(encoding="utf-8")
        DOCS.write_text(whole.replace(BEGIN + in_docs() + END, BEGIN + table + END), encoding="utf-8")
        return 0
    print("docs/formats.md holds another table; --write puts this one there", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
