"""Evaluation: a corpus and checkpoints become the paper's tables 2 and 3 and figures 3 to 6, as a report."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from facegen import __version__
from facegen.data.corpus import Corpus
from facegen.errors import MeshError, MotionError
from facegen.evaluation import figures, obedience, tables
from facegen.evaluation.regions import OTHERS, REGIONS, face_regions
from facegen.evaluation.report import markdown
from facegen.evaluation.rows import GROUND_TRUTH, MODELS, Generator, Judge, Row, generators, references
from facegen.evaluation.scores import mean_phases, score_rows
from facegen.files import new_folder
from facegen.optional import require

CLASSIFIER = "classifier"
"""Key of the classifier among the checkpoints; it has no row of its own."""
FIGURES = tuple(f"{name}.png" for name in ("figure3", "figure4", "figure5", "figure6", "intensity"))
"""Names of the pictures: the paper's figures, and how intensity is obeyed."""
FILES = ("report.md", "report.json", *FIGURES)
"""What `evaluate` writes: a folder with nothing else in it may be replaced."""


def evaluate(
    corpus_path: str | Path,
    checkpoints: Mapping[str, Sequence[str | Path]],
    out: str | Path,
    device: str = "cpu",
    seed: int = 0,
    trust: Sequence[str] = (),
) -> dict[str, Any]:
    """Write `report.md`, `report.json` and the figures into a folder.

    One test sequence at a time is in memory. What has no checkpoint is left out, and the report says so.

    Args:
        corpus_path: what the checkpoints were trained on.
        checkpoints: by name, of `MODELS` or `classifier`, any number of files, such as of several seeds.
        out: folder to make; an earlier report there is replaced.
        device: where the networks compute: `cpu`, `cuda`.
        seed: of the bootstrap.
        trust: see `facegen.checkpoint.load`.

    Returns:
        What `report.json` holds.

    Raises:
        FacegenError: a checkpoint is of another kind or corpus, the corpus is damaged, or `out` holds other files.
    """
    for module in ("embreex", "PIL", "matplotlib"):  # now, and not after the work
        require(module, "render")
    corpus, place = Corpus(corpus_path), torch.device(device)
    paths = {name: [Path(path) for path in files] for name, files in checkpoints.items() if files}
    with new_folder(out, FILES) as folder:
        models = generators(corpus, paths, place, trust)
        judge = Judge(paths.get(CLASSIFIER, []), corpus, place, trust)
        rows = [
            *references(corpus),
            *(Row(name, found) for name, found in models.items()),
            Row(GROUND_TRUTH, [corpus.displacement]),
        ]
        regions, no_regions = _regions(corpus)
        scores = score_rows(corpus, rows, regions, judge)
        report = {
            "facegen": __version__,
            "seed": seed,
            "corpus": corpus.facts() | {"provenance": corpus.provenance},
            "test_sequences": len(corpus.split("test")),
            "checkpoints": {name: [str(path) for path in files] for name, files in paths.items()},
            "left_out": [name for name in (*MODELS, CLASSIFIER) if name not in paths],
            "no_regions": no_regions,
            "table2": tables.table2(corpus, scores, np.random.default_rng(seed)),
            "comparisons": tables.comparisons(corpus, scores, np.random.default_rng(seed)),
            "table3": tables.table3(corpus, scores),
            "figure5": tables.figure5(scores),
            "figure5_phases": dict(zip(obedience.PHASE_MARKS, mean_phases(corpus).tolist(), strict=True)),
            "intensity": obedience.intensity(corpus, models),
            "timing": obedience.timing(corpus, scores),
        }
        report["figures"] = _draw(corpus, models, report, folder)
        (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        (folder / "report.md").write_text(markdown(report), encoding="utf-8")
    return report


def _regions(corpus: Corpus) -> tuple[np.ndarray, str | None]:
    """The region of each vertex; where the template is no whole face, all are `OTHERS`, and why."""
    template = corpus.hierarchy.template
    try:
        return face_regions(template), None
    except MeshError as error:
        return np.full(len(template.vertices), REGIONS.index(OTHERS)), str(error)


def _draw(
    corpus: Corpus, models: Mapping[str, Sequence[Generator]], report: Mapping[str, Any], folder: Path
) -> list[str]:
    """Draw the figures that there are data for, with the first checkpoint of each row; names of the files."""
    figures.error_curves(corpus, report["figure5"], folder / "figure5.png")
    if models:
        compared = {name: models[name][0] for name in ("blendshape", "spiral") if name in models}
        first = models.get("spiral", next(iter(models.values())))[0]
        figures.error_maps(corpus, compared or {name: each[0] for name, each in models.items()}, folder / "figure3.png")
        figures.frames_over_labels(corpus, first, folder / "figure4.png")
        try:
            figures.latent_walks(corpus, first, folder / "figure6.png")
        except MotionError as error:  # a network of the user's own need not have latents
            print(f"facegen: left out: figure6.png: {error}", file=sys.stderr)
        figures.intensity_curves(report["intensity"], folder / "intensity.png")
    return [name for name in FIGURES if (folder / name).is_file()]
