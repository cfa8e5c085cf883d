"""Evaluation: a corpus and checkpoints become the paper's tables 2 and 3 and figures 3 to 6, as a report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from facegen import __version__
from facegen.data.corpus import Corpus
from facegen.errors import FacegenError, MeshError, MotionError, unknown
from facegen.evaluation import obedience, tables
from facegen.evaluation.beside import compared, read_report
from facegen.evaluation.diversity import diversity
from facegen.evaluation.error_maps import error_maps
from facegen.evaluation.faces_page import PAGE, faces_page
from facegen.evaluation.figures import error_curves, intensity_curves
from facegen.evaluation.frames_over_labels import frames_over_labels
from facegen.evaluation.harder import harder
from facegen.evaluation.label_mean import LabelMean
from facegen.evaluation.latent_walks import latent_walks
from facegen.evaluation.latex import TABLES, latex_tables
from facegen.evaluation.oracles import oracle_rows
from facegen.evaluation.own_metrics import Metric
from facegen.evaluation.performances import PERFORMANCE, performance_rows, performers
from facegen.evaluation.person_mean import PersonMean
from facegen.evaluation.regions import OTHERS, REGIONS, face_regions
from facegen.evaluation.report import markdown
from facegen.evaluation.rows import GROUND_TRUTH, MODELS, Generator, Judge, Row, generators, references
from facegen.evaluation.scores import mean_phases, score_rows
from facegen.evaluation.speeds import speeds
from facegen.evaluation.take_pictures import styles_of_a_label, takes_of_a_label
from facegen.evaluation.trained import trained
from facegen.folders import new_folder
from facegen.optional import require
from facegen.pictures.figure import STYLES, SUFFIXES, Style
from facegen.remote import Place
from facegen.standard_streams import say_left_out

CLASSIFIER = "classifier"
"""Key of the classifier among the checkpoints; it has no row of its own."""
FIGURES = ("figure3", "figure4", "figure5", "figure6", "intensity")
"""Names of the pictures: the paper's figures, and how intensity is obeyed."""
OF_TAKES = ("takes", "styles")
"""Names of the pictures that a generator of performances has beside them."""
FILES = ("report.md", "report.json", PAGE, *TABLES, *(f"{name}{suffix}" for name in FIGURES for suffix in SUFFIXES))
"""What `evaluate` writes."""
FILES_OF_TAKES = ("diversity.tex", *(f"{name}{suffix}" for name in OF_TAKES for suffix in SUFFIXES))
"""What it writes beside that of takes: a folder with nothing but all these in it may be replaced."""


def evaluate(
    corpus_path: str | Place,
    checkpoints: Mapping[str, Sequence[str | Path]],
    out: str | Path,
    device: str = "cpu",
    style: str = "screen",
    trust: Sequence[str] = (),
    metrics: Mapping[str, Metric] = MappingProxyType({}),
    beside: str | Path | None = None,
    acting_root: str | Path | None = None,
) -> dict[str, Any]:
    """Write `report.md`, `report.json`, the figures and LaTeX tables into a folder.

    One test sequence at a time is in memory. What has no checkpoint is left out, and the report says so.

    Args:
        corpus_path: what the checkpoints were trained on.
        checkpoints: by name, of `MODELS`, `performance` or `classifier`, any number of files, such as of several seeds.
        out: folder to make; an earlier report there is replaced, if it is as it was made.
        device: where the networks compute: `cpu`, `cuda`.
        style: of the figures, one of `facegen.pictures.figure.STYLES`.
        trust: see `facegen.checkpoint.load`.
        metrics: of one's own, by the name that the report has for them; see `facegen.evaluation.own_metrics`.
        beside: an earlier report of the same recordings with other labels, to compare with; see
            `facegen.evaluation.beside`.
        acting_root: of a corpus of made people, the folder that its source needs, for the rows of its oracle.

    Returns:
        What `report.json` holds.

    Raises:
        FacegenError: a checkpoint is of another kind or corpus, the corpus is damaged, the style is unknown, a
            metric gives no finite number, `out` holds other files, or the report beside is none or of other
            recordings.
    """
    if style not in STYLES:
        raise FacegenError(unknown("style", style, STYLES))
    for module in ("embreex", "PIL", "matplotlib"):  # now, and not after the work
        require(module, "render")
    other = None if beside is None else read_report(beside)
    corpus, place = Corpus(corpus_path), torch.device(device)
    paths = {name: [Path(path) for path in files] for name, files in checkpoints.items() if files}
    with new_folder(out, replaced=True) as folder:
        models = generators(corpus, paths, place, trust)
        judge = Judge(paths.get(CLASSIFIER, []), corpus, place, trust)
        acted = performers(corpus, paths.get(PERFORMANCE, []), place, trust)
        oracles, no_oracle = oracle_rows(corpus, acting_root) if acted else ([], None)
        mean = LabelMean.fit(corpus)
        person = PersonMean(corpus, mean) if acted else None
        rows = [
            *references(corpus, mean),
            *(Row(name, found) for name, found in models.items()),
            *([] if person is None else [Row("person_mean", [person.displacement])]),
            *performance_rows(acted),
            *oracles,
            Row(GROUND_TRUTH, [corpus.displacement]),
        ]
        regions, no_regions = _regions(corpus)
        scores = score_rows(corpus, rows, regions, judge, metrics)
        report = {
            "facegen": __version__,
            "style": style,
            "corpus": corpus.facts() | {"provenance": corpus.provenance},
            "test_sequences": len(corpus.split("test")),
            "checkpoints": {name: [str(path) for path in files] for name, files in paths.items()},
            "trained": trained(paths, Path(out)),
            "components": len(corpus.pca.components),
            "left_out": [name for name in (*MODELS, PERFORMANCE, CLASSIFIER) if name not in paths],
            "no_regions": no_regions,
            "no_oracle": no_oracle,
            "person_mean_tie": None if person is None else person.own_tie,
            "table2": tables.table2(corpus, scores),
            "best": tables.best(corpus, scores),
            "comparisons": tables.comparisons(corpus, scores),
            "metrics": tables.own_metrics(corpus, scores, list(metrics)),
            "table3": tables.table3(corpus, scores),
            "figure5": tables.figure5(scores),
            "figure5_phases": dict(zip(obedience.PHASE_MARKS, mean_phases(corpus).tolist(), strict=True)),
            "intensity": obedience.intensity(corpus, models),
            "timing": obedience.timing(corpus, scores),
            "speeds": speeds(scores),
        }
        report["performances"] = {} if not acted else tables.performances(corpus, scores)
        report["diversity"] = diversity(corpus, mean, acted, judge) if acted else {}
        report["harder"] = harder(corpus, acted, judge) if acted and judge.networks else {}
        if other is not None:
            report["beside"] = compared(other, report["corpus"]["label"], report["table2"])
        with STYLES[style].used():
            report["shown"] = _draw(corpus, models, report, STYLES[style], folder)
            if acted:
                report["shown"] |= {
                    "takes": takes_of_a_label(corpus, acted[0], STYLES[style], folder / "takes"),
                    "styles": styles_of_a_label(corpus, acted[0], STYLES[style], folder / "styles"),
                }
        if models:
            row = "spiral" if "spiral" in models else next(iter(models))
            report["page"] = faces_page(corpus, row, models[row][0], folder)
        report["figures"] = [f"{name}.png" for name in report["shown"]]
        report["files"] = [f"{name}{suffix}" for name in report["shown"] for suffix in SUFFIXES]
        for name, text in latex_tables(report).items():
            (folder / name).write_text(text, encoding="utf-8")
            report["files"].append(name)
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
    corpus: Corpus, models: Mapping[str, Sequence[Generator]], report: Mapping[str, Any], style: Style, folder: Path
) -> dict[str, dict[str, Any]]:
    """Draw the figures that there are data for, with the first checkpoint of each row; by name, what they show."""
    people = sorted({corpus.entries[index].subject for index in corpus.split("test")})
    drawn: dict[str, dict[str, Any]] = {"figure5": {"subjects": people}}
    error_curves(corpus, report["figure5"], style, folder / "figure5")
    if models:
        compared = {name: models[name][0] for name in ("blendshape", "spiral") if name in models}
        row = "spiral" if "spiral" in models else next(iter(models))
        first = models[row][0]
        every = {name: each[0] for name, each in models.items()}
        drawn["figure3"] = error_maps(corpus, compared or every, style, folder / "figure3")
        drawn["figure4"] = frames_over_labels(corpus, row, first, style, folder / "figure4")
        try:
            drawn["figure6"] = latent_walks(corpus, row, first, style, folder / "figure6")
        except MotionError as error:  # a network of the user's own need not have latents
            say_left_out(f"figure6: {error}")
        if report["intensity"]:
            intensity_curves(corpus, report["intensity"], style, folder / "intensity")
            drawn["intensity"] = {}
    return {name: drawn[name] for name in FIGURES if name in drawn}
