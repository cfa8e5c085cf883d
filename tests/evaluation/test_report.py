"""The report's sentences and its tables for LaTeX, of numbers that a test writes down."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from skimage.color import rgb2lab

from facegen.evaluation.about import FAR_SHORTER, STUDY_STEPS
from facegen.evaluation.error_maps import ERROR_COLORS
from facegen.evaluation.latex import escaped, latex_tables
from facegen.evaluation.report import markdown
from facegen.evaluation.rows import MODELS, TITLES
from facegen.optional import require

ROOT = Path(__file__).parents[2]
ODD, CHANCE = "50_% & more", "so the difference may be chance"


def cell(mean: float, people: int) -> dict[str, Any]:
    return {
        "mean_mm": mean,
        "interval_mm": [0.9 * mean, 1.1 * mean] if people >= 5 else None,
        "people": people,
        "max_mm": 9.0,
        "regions": {"rest": mean},
    }


def made_report(people: int = 6, steps: int = 20_000, comparisons: dict[str, Any] | None = None) -> dict[str, Any]:
    """What `evaluate` gives of two rows and two expressions, without figures."""
    rows = ("label_mean", "paper_spiral", "spiral")
    facts = {
        "path": "runs/last.ckpt", "from_report": "../runs/last.ckpt", "network": "facegen.nn.SpiralNetwork",
        "epochs": 12,
        "steps": steps, "takes_a_step": 4, "seed": None, "optimizer": "muon", "lr": 6e-3, "decay": 0.93,
        "weight_decay": 0.0, "settings": {"channels": [64, 32], "per_vertex": True},
    }  # fmt: skip
    scores = {"precision": 1.0, "recall": 0.5, "f1": 2 / 3}
    return {
        "facegen": "0.1.0",
        "corpus": {
            "test_subjects": people,
            "train_subjects": 9,
            "val_subjects": 2 if people > 5 else 0,
            "vertices": 1234,
            "digest": "0" * 64,
            "source": "made",
        },
        "test_sequences": 2 * people,
        "components": 64,
        "trained": {"spiral": [facts]},
        "left_out": ["blendshape"],
        "no_regions": None,
        "table2": {
            name: {ODD: cell(0.5, people), "total": cell(0.25, people) | {"by_checkpoint_mm": [0.25]}} for name in rows
        },
        "best": {ODD: None, "total": "spiral" if people >= 5 else None},
        "comparisons": comparisons or {},
        "table3": {name: {ODD: scores, "total": scores, "confusion": [[3]]} for name in (*rows, "ground_truth")},
        "intensity": {},
        "timing": {},
        "shown": {},
    }


@pytest.mark.parametrize(
    ("share", "interval", "words"),
    [
        (0.135, [0.1, 0.16], "13.5 % less than {} (95 % interval: 10.0 % less to 16.0 % less)"),
        (-0.135, [-0.2, -0.05], "13.5 % more than {} (95 % interval: 20.0 % more to 5.0 % more)"),
        (0.02, [-0.2, 0.1], "2.0 % less than {} (95 % interval: 20.0 % more to 10.0 % less), {CHANCE}"),
        (-0.0001, None, "as much as {}"),
        (-14.0, None, "1400.0 % more than {}"),
    ],
)
def test_a_comparison_is_a_sentence_for_any_sign(share: float, interval: list[float] | None, words: str) -> None:
    found = {"label_mean": {"smaller_by": share, "interval": interval, "people": 6}}
    assert f"- *Spiral* errs {words.format('*label mean*', CHANCE=CHANCE)}.\n" in markdown(
        made_report(comparisons=found)
    )


def test_the_page_does_not_take_classes_of_others_for_the_paper_s() -> None:
    report = made_report()
    assert "**spiral**: the paper's model" in markdown(report)
    (facts,) = report["trained"]["spiral"]
    facts |= {"model": "my_models.Warped", "settings": {"strength": 2.0, "stride": 5, "convolution": "my_layers.Conv"}}
    page = markdown(report)
    assert "**spiral**: `my_models.Warped` and `my_layers.Conv`, not facegen's own, in the place of" in page
    assert "strength 2, stride 5" in page


def test_the_page_says_of_how_many_people_its_intervals_are() -> None:
    many, few, one = (markdown(made_report(people)) for people in (18, 3, 1))
    assert "like the 18 test subjects: a t interval with 17 degrees of freedom" in many
    assert "0.225 to 0.275" in many and "**0.250**" in many and "Bold: this row" in many
    assert "No interval is given: with 3 test subjects it would say little, and it takes at least 5." in few
    assert "0.225" not in few and "**0.250**" not in few and "Bold" not in few
    assert "\n18 test subjects never seen in training (9 trained on, 2 validated on), 36 test sequences" in many
    assert (
        "\n1 test subject never seen in training (9 trained on), 2 test sequences" in one
        and "with 1 test subject it" in one
    )


def test_the_page_explains_its_rows_and_how_they_were_trained() -> None:
    text = markdown(made_report())
    for name in ("label_mean", "paper_spiral", "spiral", "ground_truth"):
        assert f"\n- **{TITLES[name]}**: " in text
    assert "- Left out, since no checkpoint was given: blendshape.\n" in text
    assert "| spiral | `runs/last.ckpt` | 12 | 20,000 | 4 | - |" in text
    assert "- spiral: optimizer muon, lr 0.006, decay 0.93, weight_decay 0, channels [64, 32], per_vertex true." in text
    assert "far less long" not in text
    assert "- spiral: 156 steps; the study's 9,900." in markdown(made_report(steps=156))
    assert "- spiral: 1 step; the study's 9,900." in markdown(made_report(steps=1))


def test_the_study_s_steps_are_those_of_its_configs() -> None:
    assert set(STUDY_STEPS) == {*MODELS, "classifier"} and 0 < FAR_SHORTER < 1
    takes = 102 * 6
    for name, steps in STUDY_STEPS.items():
        config = (ROOT / "configs" / f"{name if name.startswith('paper') else f'ict_{name}'}.yaml").read_text()
        block = re.search(r"^data: (\S+)", config, re.M)
        data = (ROOT / "configs" / block[1]).read_text() if block else config
        (epochs,), a_step = re.findall(r"max_epochs: (\d+)", config), re.findall(r"batch_size: (\d+)", data) or ["1"]
        assert int(epochs) * takes / int(a_step[0]) == pytest.approx(steps, rel=0.15)


def test_tables_for_latex_are_whole() -> None:
    tables = latex_tables(made_report())
    assert set(tables) == {"table2.tex", "table3.tex"}
    for text in tables.values():
        begun, ended = (re.findall(rf"\\{word}{{(\w+\*?)}}", text) for word in ("begin", "end"))
        assert begun == ended[::-1] == ["table*", "tabular"]
        plain = re.sub(r"\\[{}&%_]", "", text)
        assert plain.count("{") == plain.count("}")
        columns = len(re.search(r"{tabular}{(\w+)}", text)[1])  # pyright: ignore[reportOptionalSubscript]
        for line in re.findall(r"^(.+) \\\\$", plain, re.M):
            spans = sum(int(count) - 1 for count in re.findall(r"\\multicolumn{(\d+)}", line))
            assert line.count("&") + 1 + spans == columns
        assert r"50\_\% \& more" in text
    assert r"\textbf{0.250}" in tables["table2.tex"] and "0.225--0.275" in tables["table2.tex"]
    assert "in mm on 6 test subjects (12 sequences)" in tables["table2.tex"]
    few = latex_tables(made_report(3) | {"table3": {}})
    assert set(few) == {"table2.tex"}
    assert "textbf" not in few["table2.tex"] and "interval" not in few["table2.tex"]


def test_what_tex_reads_as_something_else_is_escaped() -> None:
    assert escaped(r"a_b 5% {x} ~^\ $#&") == (
        r"a\_b 5\% \{x\} \textasciitilde{}\textasciicircum{}\textbackslash{} \$\#\&"
    )


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs pdflatex with booktabs")
def test_tables_compile(tmp_path: Path) -> None:
    for name, text in latex_tables(made_report()).items():
        (tmp_path / name).write_text(text)
    page = r"\documentclass{article}\usepackage{booktabs}\begin{document}\input{table2}\input{table3}\end{document}"
    (tmp_path / "page.tex").write_text(page)
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


def test_colours_of_errors_only_darken() -> None:
    colors = require("matplotlib", "render").colormaps[ERROR_COLORS](range(256))[:, :3]
    lightness = rgb2lab(colors[None])[0, :, 0]
    assert (lightness[1:] < lightness[:-1]).all()
    assert lightness[0] - lightness[-1] > 60
