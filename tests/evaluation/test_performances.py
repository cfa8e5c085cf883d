"""Rows and tables of a generator of performances, on people with several takes of an expression."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.errors import FacegenError
from facegen.evaluation import FILES, FILES_OF_TAKES
from facegen.evaluation.diversity import Looking, Take, _spreads
from facegen.evaluation.label_mean import LabelMean
from facegen.evaluation.oracles import MOST_LONGER, Oracle, oracle_rows
from facegen.evaluation.performances import Performer, performers
from facegen.evaluation.person_mean import PersonMean
from facegen.evaluation.references import references_of
from facegen.evaluation.take_range import corpus_ranges, ranges_of
from facegen.folders import RECORD
from facegen.motion.label import EXPRESSIONS

STYLES = [f"performance_style_{count}" for count in (1, 3, 5)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Five people, one of whom tests, with two takes of each expression."""
    path = tmp_path_factory.mktemp("acted") / "corpus"
    people = "--subjects 5 --test-subjects 1 --val-subjects 0 --acting recorded --takes-per-expression 2 --seed 1"
    size = "--vertices 420 --fps 10 --frames 12 16 --depth 3 --components 24 --workers 1"
    assert run(["prepare", "synthetic", *people.split(), *size.split(), "--out", str(path)]) == 0
    return Corpus(path)


@pytest.fixture(scope="module")
def trained_on(corpus: Corpus, run_arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A checkpoint of performances, and one of the classifier, that have seen the corpus once."""
    more = ["--trainer.max_epochs=1", "--data.passes=1", f"--data.corpus={corpus.path}"]
    found = {}
    for name, model in {
        "performance": ["--model=PerformanceGenerator", "--model.channels=[8, 8, 8]", "--model.latent=8"],
        "classifier": ["--model=ExpressionClassifier", "--model.components=8"],
    }.items():
        folder = tmp_path_factory.mktemp(name)
        assert run(["fit", *run_arguments, *model, *more, f"--trainer.logger.save_dir={folder}"]) == 0
        found[name] = folder / "run" / "checkpoints" / "last.ckpt"
    return found


@pytest.fixture(scope="module")
def report_folder(corpus: Corpus, trained_on: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report, of oracles that are hardly searched for."""
    out = tmp_path_factory.mktemp("told") / "report"
    given = [part for name, path in trained_on.items() for part in (f"--{name}", str(path))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("facegen.evaluation.oracles.FRESH", 10)
        assert run(["evaluate", "--corpus", str(corpus.path), *given, "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def report(report_folder: Path) -> dict:
    return json.loads((report_folder / "report.json").read_text())


def test_references_are_others_first_of_other_expressions(corpus: Corpus) -> None:
    entries = corpus.entries
    for index in corpus.split("test"):
        every = references_of(corpus, index)
        assert sorted([*every, index]) == corpus.split("test")  # one person, whose takes are the references
        shown = [entries[i].expression for i in every]
        assert set(shown[:5]) == set(shown[5:10]) == set(EXPRESSIONS) - {entries[index].expression}
        assert shown[10:] == [entries[index].expression]
        assert references_of(corpus, index, 3) == every[:3]
    first, second = (corpus.find(corpus.test_subjects[0], "sad", take) for take in (0, 1))
    assert references_of(corpus, first, 5) == references_of(corpus, second, 5)  # which are found once for both
    assert len({tuple(references_of(corpus, index, 1)) for index in corpus.split("test")}) > 3


def test_rows_stand_in_the_tables(report: dict, report_folder: Path) -> None:
    rows = ["person_mean", "performance_mean", "performance_best", *STYLES, "oracle_style", "oracle_take"]
    assert list(report["table2"]) == ["still", "label_mean", "pca_projection", *rows]
    total = {name: values["total"]["mean_mm"] for name, values in report["table2"].items()}
    assert total["oracle_take"] < total["oracle_style"] < total["still"]
    assert total["person_mean"] < total["still"]
    assert set(report["performances"]["performance_style_5"]) == {
        "label_mean", "person_mean", "performance_mean", "oracle_style",
    }  # fmt: skip
    times = report["performances"]["performance_best"]["oracle_style"]["times"]
    assert times == pytest.approx(total["performance_best"] / total["oracle_style"])
    best = set(report["best"].values())
    assert not best & {"oracle_take", "oracle_style", "performance_best"}
    text = (report_folder / "report.md").read_text()
    for title in ("performance (best of 10 takes)", "performance (style from 1 take)", "oracle (true style and take)"):
        assert f"- **{title}**:" in text
    wanted = {
        *FILES_OF_TAKES,
        *(name for name in FILES if not name.startswith(("faces", "figure3", "figure4", "figure6", "inte"))),
    }
    assert {path.name for path in report_folder.iterdir()} == wanted | {RECORD}


def test_takes_are_told_beside_recordings(report: dict, report_folder: Path, corpus: Corpus) -> None:
    found = report["diversity"]["by_expression"]
    assert list(found) == [*EXPRESSIONS, "total"]
    for name in EXPRESSIONS:
        cell = found[name]
        assert cell["takes"] == 4
        assert cell["within_recorded_mm"] > 0
        assert (cell["between_mm"], cell["coverage"], cell["frechet"]) == (
            None,
            None,
            None,
        )  # of one person's two takes
    assert found["total"]["within_mm"] == pytest.approx(np.mean([found[name]["within_mm"] for name in EXPRESSIONS]))
    assert report["harder"]["f1"]["recordings"][0] == pytest.approx(report["table3"]["ground_truth"]["total"]["f1"])
    assert [case["kind"] for case in report["harder"]["cases"]] == ["weak"] * 4 + ["mixed"] * 3
    text = (report_folder / "report.md").read_text()
    for part in ("## How diverse are the takes", "(takes.png)", "(styles.png)", "| takes |", "30 |"):
        assert part in text
    assert "within, mm" in (report_folder / "diversity.tex").read_text()


def test_recordings_as_takes_have_the_recordings_own_spread(corpus: Corpus) -> None:
    looking = Looking(corpus, LabelMean.fit(corpus), lambda made: [0])
    index = corpus.split("test")[0]
    recorded = corpus.displacement(index)
    take, mean = looking.at(index, recorded), looking.at(index, looking.mean.displacement(corpus, index))
    assert np.abs(mean.course).max() == 0  # the label's part is taken off
    assert np.abs(take.course).max() > 0.1
    assert take.named == [0]
    np.testing.assert_allclose(take.seen[: len(corpus.pca.components)] * np.sqrt(corpus.pca.variance[0]),
                               corpus.pca.project(recorded)[0], atol=1e-4)  # fmt: skip


def taken(who: str, height: float) -> Take:
    """A take that is known by one number."""
    course, shape = np.zeros((2, 1, 3)), np.array([height])
    course[..., 0] = height
    return Take(who, "sad", course, shape, shape, [0], 0.0, 1.0, np.zeros(3), np.zeros(8))


def test_spreads_are_of_the_takes_that_they_say() -> None:
    real = [taken(*each) for each in (("a", 0), ("a", 2), ("b", 3), ("b", 7))]
    own = [taken(*each) for each in (("a", 0), ("a", 1), ("b", 9), ("b", 9))]
    other = [taken(*each) for each in (("a", 0), ("a", 0), ("b", 5), ("b", 7))]
    found = _spreads(real, own, other)
    assert (found["within_mm"], found["within_recorded_mm"]) == (0.5, 3)
    assert (found["between_mm"], found["between_recorded_mm"]) == (6, (3 + 7 + 1 + 5) / 4)
    # Halves by person: variances are 2 and 8 of recordings, 0 and 2 of takes.
    assert found["frechet_recorded"] == pytest.approx(np.sqrt(4**2 + 2 + 8 - 2 * 4))
    crossed = np.sqrt(5**2 + 8), np.sqrt(5**2 + 2 + 2 - 2 * 2)
    assert found["frechet"] == pytest.approx(np.mean(crossed))


def test_ranges_by_hand(corpus: Corpus) -> None:
    neutral = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    moved = np.zeros((3, 3, 3), np.float32)
    moved[1, 1] = [0, 3, 4]  # 5 mm, there and back in a frame each
    np.testing.assert_allclose(ranges_of(moved, neutral, np.array([[0, 1, 2]]), 10.0), [5, 50, 0])
    moved[1, 1] = [-3, 0, 0]  # over the other side
    np.testing.assert_allclose(ranges_of(moved, neutral, np.array([[0, 1, 2]]), 10.0), [3, 30, 1])
    found = corpus_ranges(corpus)
    every = np.stack([found[name] for name in EXPRESSIONS]).max(axis=0)
    np.testing.assert_array_equal(found["total"], every)


def test_the_oracle_is_the_acting_itself(corpus: Corpus, tmp_path: Path) -> None:
    oracle, index = Oracle(corpus), corpus.split("test")[3]
    recorded, made = corpus.displacement(index), oracle.of_take(index)
    flutter = np.abs(made - recorded).mean() / np.abs(recorded).mean()
    assert 1e-3 < flutter < 0.25
    np.testing.assert_array_equal(oracle.of_style(index), oracle.of_style(index))
    entry = corpus.entries[index]
    if 0 < entry.intensity < 1:
        assert np.abs(oracle.of_style(index)).mean() == pytest.approx(entry.deformation, rel=0.25)
    corpus_ = Corpus(corpus.path)
    corpus_.provenance = corpus.provenance | {"source": "coma"}
    assert oracle_rows(corpus_, None) == ([], "the people of the source coma are not made, so nobody knows their style")
    corpus_.provenance = corpus.provenance | {"source": "ict_facekit"}
    assert "--acting-root" in str(oracle_rows(corpus_, None)[1])
    # Just over the bounds, so that nobody waits where they do not hold.
    longer = MOST_LONGER * max(entry.frames for entry in corpus.entries) + 1
    larger = MOST_LONGER * len(corpus.hierarchy.template.vertices) + 1
    for said, why in (
        (5, "expected a table of seed, subjects, frames"),
        (corpus.provenance["options"] | {"subjects": "x"}, "acting.subjects: expected a whole number from 1 to 65536"),
        (corpus.provenance["options"] | {"frames": [12, longer]}, "act for far longer than any of its takes is"),
        (corpus.provenance["options"] | {"vertices": larger}, "far more vertices than they have"),
    ):
        corpus_.provenance = corpus.provenance | {"options": said}
        assert why in str(oracle_rows(corpus_, None)[1])
    corpus_.provenance = corpus.provenance
    corpus_.displacement = lambda index: corpus.displacement(index) + np.float32(0.1)  # type: ignore[method-assign]
    with pytest.raises(FacegenError, match="makes other takes here"):
        Oracle(corpus_)


def test_the_label_mean_of_a_person_follows_them(corpus: Corpus) -> None:
    mean = LabelMean.fit(corpus)
    index = corpus.split("test")[0]
    others = references_of(corpus, index)
    assert PersonMean(corpus, mean).own_tie == 30  # nobody validates
    pushed = {i: mean.displacement(corpus, i) + np.float32(3) for i in [index, *others]}
    corpus.displacement = pushed.__getitem__  # type: ignore[method-assign]
    try:
        apex = corpus.phases(index).apex_start
        away = [PersonMean(corpus, mean, own_tie).displacement(index) - pushed[index] for own_tie in (1e-6, 1e9)]
    finally:
        del corpus.displacement
    # All of it is a habit of theirs, which is taken over, or held to be chance.
    np.testing.assert_allclose(away[0][apex], 0, atol=0.1)
    np.testing.assert_allclose(away[1], -3, atol=1e-3)


def test_the_best_take_is_the_nearest(corpus: Corpus, trained_on: dict[str, Path]) -> None:
    (performer,) = performers(corpus, [trained_on["performance"]], torch.device("cpu"))
    index = corpus.split("test")[0]
    label = performer.corpus.motion(index), corpus.neutral(index)
    recorded = corpus.displacement(index)
    takes = [performer.performed(*label, performer.style_drawn(seed), seed) for seed in range(10)]
    errors = [np.linalg.norm(take - recorded, axis=-1).mean() for take in takes]
    np.testing.assert_array_equal(performer.best(index), takes[int(np.argmin(errors))])
    assert len(np.unique(np.round(errors, 9))) > 5
    assert isinstance(performer, Performer)
