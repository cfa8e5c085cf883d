"""The paper's figures 3 to 6, and one for the intensity, of whatever was evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facegen.animation import interpolate
from facegen.data.corpus import Corpus
from facegen.evaluation.rows import TITLES, Generator
from facegen.evaluation.scores import POSITIONS, mean_phases
from facegen.files import new_file
from facegen.motion.label import Phases, motion_label
from facegen.optional import require
from facegen.pictures.render import Camera, render

PICTURE_EDGE = 240
"""Edge of one face's picture, pixels."""
DPI = 120
"""Pixels in an inch of a figure."""
MOMENTS = ("onset", "apex", "offset")
"""What `_moments` gives the middles of."""
TOP_OF_SCALE = 0.995
"""Share of all errors that the colours of Figure 3 tell apart; the largest of a few vertices would take all of it."""
FACES_IN_FIGURE3 = 4
"""Expressions that Figure 3 shows, at three moments each; chosen, so that a row fits a page."""
FRAMES_IN_FIGURE4 = 100
"""Length of the labels in Figure 4, frames; chosen. A longer one costs more memory and shows the same faces."""
COLORS = {
    "still": "#999999",
    "label_mean": "#009E73",
    "pca_projection": "#56B4E9",
    "paper_blendshape": "#D55E00",
    "paper_spiral": "#0072B2",
    "blendshape": "#D55E00",
    "spiral": "#0072B2",
}
"""Colour of each row: Okabe and Ito's, which the colour-blind can tell apart. The paper's recipes have their model's,
dashed."""


def error_maps(corpus: Corpus, makers: Mapping[str, Callable[[int], np.ndarray]], path: Path) -> None:
    """Figure 3: errors as colours on the recorded face, one scale for all, below the recorded face itself.

    Of the subject whose labels are strongest it shows the four expressions that move most, in the middle of the onset,
    the apex and the offset.

    Args:
        corpus: whose test subject is shown.
        makers: by row, from the index of a sequence to displacements (T, V, 3), mm.
        path: `.png` to write.
    """
    shown = sorted(_of_subject(corpus), key=lambda index: -corpus.entries[index].deformation)[:FACES_IN_FIGURE3]
    faces = corpus.hierarchy.template.faces
    poses: list[np.ndarray] = []
    errors: dict[str, list[np.ndarray]] = {name: [] for name in makers}
    for index in shown:
        neutral, recorded = corpus.neutral(index), corpus.displacement(index)
        frames = [round(frame) for frame in _moments(corpus.phases(index))]
        poses += [neutral + recorded[frame] for frame in frames]
        for name, make in makers.items():
            apart = np.linalg.norm(make(index)[frames] - recorded[frames], axis=-1)
            errors[name] += list(apart)
    top = float(np.quantile(np.concatenate([np.concatenate(maps) for maps in errors.values()]), TOP_OF_SCALE))
    camera = Camera.framing(np.stack(poses))
    colormap = require("matplotlib", "render").colormaps["turbo"]
    rows = {"recorded": [render(pose, faces, camera, size=PICTURE_EDGE) for pose in poses]}
    for name, maps in errors.items():
        colors = [colormap(np.clip(apart / top, 0, 1))[:, :3] for apart in maps]
        rows[TITLES[name]] = [
            render(pose, faces, camera, size=PICTURE_EDGE, colors=color)
            for pose, color in zip(poses, colors, strict=True)
        ]
    columns = [f"{corpus.entries[index].expression}, {moment}" for index in shown for moment in MOMENTS]
    figure = _grid(rows, columns)
    scale = require("matplotlib.cm", "render").ScalarMappable(cmap=colormap)
    scale.set_clim(0, top)
    bar = figure.axes[0].inset_axes((1.01, 0.1, 0.006, 0.55))
    figure.colorbar(scale, cax=bar).set_label("error, mm")
    _save(figure, path)


def frames_over_labels(corpus: Corpus, generator: Generator, path: Path) -> None:
    """Figure 4: what is made of each expression's label at full intensity, over that label, on a test subject."""
    frames, index = FRAMES_IN_FIGURE4, _of_subject(corpus)[0]
    phases = Phases(*np.rint(mean_phases(corpus) * (frames - 1)).astype(int).tolist())
    rising, _, falling = map(round, _moments(phases))
    chosen = [0, rising, phases.apex_start, phases.apex_end, falling, frames - 1]
    neutral, faces = corpus.neutral(index), corpus.hierarchy.template.faces
    made = {
        name: neutral + generator.make(motion_label(frames, name, phases, 1.0, corpus.expressions), neutral)[chosen]
        for name in corpus.expressions
    }
    camera = Camera.framing(np.concatenate(list(made.values())))
    figure = _figure(PICTURE_EDGE * len(chosen) / DPI + 1, len(made) * (PICTURE_EDGE / DPI + 0.55))
    rows = figure.add_gridspec(2 * len(made), 1, height_ratios=[PICTURE_EDGE, 0.4 * DPI] * len(made), hspace=0.08)
    for i, (name, poses) in enumerate(made.items()):
        pictures = figure.add_subplot(rows[2 * i])
        strip = np.concatenate([render(pose, faces, camera, size=PICTURE_EDGE) for pose in poses], axis=1)
        pictures.imshow(strip, aspect="auto")
        pictures.set_axis_off()
        pictures.text(-0.1 * DPI, PICTURE_EDGE / 2, name, ha="right", va="center", fontsize=11)
        label = figure.add_subplot(rows[2 * i + 1])
        label.plot(phases.envelope(frames), color="#0072B2")
        # The faces stand evenly, the moments do not: a line leads from each face to its place on the label.
        for place, frame in enumerate(chosen):
            at = (place + 0.5) / len(chosen) * (frames - 1)
            label.plot([at, frame], [1.35, phases.envelope(frames)[frame]], color="#999999", lw=0.7, clip_on=False)
        label.set(xlim=(0, frames - 1), ylim=(-0.1, 1.35), yticks=[0, 1], xticks=[])
        label.spines[["top", "right"]].set_visible(False)
        label.tick_params(labelsize=8)
    _save(figure, path)


def error_curves(corpus: Corpus, curves: Mapping[str, Sequence[float]], path: Path) -> None:
    """Figure 5: the mean L1 error along the evolution of an expression, its phases marked."""
    figure = _figure(9, 4.5)
    axes = figure.add_subplot()
    marks = mean_phases(corpus)
    at = np.linspace(0, 100, POSITIONS)
    top = max((max(curve) for name, curve in curves.items() if name != "still"), default=max(curves["still"]))
    for name, curve in curves.items():
        style = "--" if name.startswith("paper") else ":" if name in ("still", "pca_projection") else "-"
        axes.plot(at, curve, style, color=COLORS[name], label=TITLES[name], lw=1.8)
    bounds = [0, *(100 * marks), 100]
    for begin, end, name in zip(bounds, bounds[1:], ("neutral", "onset", "apex", "offset", "neutral"), strict=False):
        axes.axvspan(begin, end, color="#000000", alpha=0.05 if name in ("onset", "offset") else 0, lw=0)
        axes.text((begin + end) / 2, 1.02, name, ha="center", transform=axes.get_xaxis_transform(), fontsize=9)
    # Not moving would press all others to the ground.
    axes.set(xlim=(0, 100), ylim=(0, 1.25 * top), xlabel="evolution of the expression, %", ylabel="mean L1 error, mm")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def latent_walks(corpus: Corpus, generator: Generator, path: Path, steps: int = 7) -> None:
    """Figure 6: from the apex of each expression to that of the next through the latent space (section 5.5)."""
    index = _of_subject(corpus)[0]
    model, names = generator.model, corpus.expressions
    model.network.to("cpu")
    neutral = model.hierarchy.template.with_vertices(corpus.neutral(index).astype(np.float64))
    pairs = zip(names, [*names[1:], names[0]], strict=True)
    walks = {f"{start} to {stop}": interpolate(model, neutral, start, stop, steps) for start, stop in pairs}
    model.network.to(generator.device)
    camera = Camera.framing(np.concatenate([walk.vertices for walk in walks.values()]))
    rows = {
        name: [render(pose, walk.faces, camera, size=PICTURE_EDGE) for pose in walk.vertices]
        for name, walk in walks.items()
    }
    _save(_grid(rows, [f"{share:.2f}" for share in np.linspace(0, 1, steps)]), path)


def intensity_curves(found: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """The deformation that is made against the one that an intensity asks for, by expression."""
    names = list(next(iter(found.values())))
    figure = _figure(2.4 * len(names) + 0.6, 3)
    for i, name in enumerate(names):
        axes = figure.add_subplot(1, len(names), i + 1)
        for row, values in found.items():
            style = "--" if row.startswith("paper") else "-"
            label = TITLES[row] if i == 0 else None
            axes.plot(values[name]["intensity"], values[name]["made_mm"], style, color=COLORS[row], label=label)
        asked = next(iter(found.values()))[name]
        axes.plot(asked["intensity"], asked["asked_mm"], "k:", label="asked" if i == 0 else None)
        axes.set(title=name, xlabel="intensity", ylim=(0, None))
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    figure.axes[0].set_ylabel("mean deformation, mm")
    figure.legend(loc="lower center", ncols=len(found) + 1, frameon=False, fontsize=9)
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    _save(figure, path)


def _moments(phases: Phases) -> tuple[float, float, float]:
    """The middle of onset, apex and offset, frames."""
    marks = (phases.onset, phases.apex_start, phases.apex_end, phases.offset)
    onset, apex, offset = ((begin + end) / 2 for begin, end in zip(marks, marks[1:], strict=False))
    return onset, apex, offset


def _of_subject(corpus: Corpus) -> list[int]:
    """The sequences of the test subject that is shown."""
    subject = corpus.shown_subject()
    return [index for index in corpus.split("test") if corpus.entries[index].subject == subject]


def _figure(width: float, height: float) -> Any:
    # Not through pyplot, which keeps figures and may want a display.
    return require("matplotlib.figure", "render").Figure(figsize=(width, height), dpi=DPI)


def _grid(rows: Mapping[str, Sequence[np.ndarray]], columns: Sequence[str]) -> Any:
    """Pictures in rows with names to their left and above."""
    figure = _figure(PICTURE_EDGE * len(columns) / DPI, PICTURE_EDGE * len(rows) / DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(np.concatenate([np.concatenate(row, axis=1) for row in rows.values()]), aspect="auto")
    axes.set_axis_off()
    for i, name in enumerate(columns):
        axes.text((i + 0.5) * PICTURE_EDGE, -0.1 * DPI, name, ha="center", fontsize=10)
    for i, name in enumerate(rows):
        axes.text(-0.1 * DPI, (i + 0.5) * PICTURE_EDGE, name.replace(", ", ",\n"), ha="right", va="center", fontsize=10)
    return figure


def _save(figure: Any, path: Path) -> None:
    with new_file(path) as aside:
        figure.savefig(aside, bbox_inches="tight", facecolor="white")
