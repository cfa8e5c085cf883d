"""From sources to corpora: what is stored is what was there, split by subject, the same for the same seed."""

from __future__ import annotations

import filecmp
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from facegen.cli import run
from facegen.data.conform import quantise, stillest
from facegen.data.corpus import COMPONENTS, SPLITS, Corpus
from facegen.data.prepare import prepare
from facegen.data.recipe import Recipe
from facegen.data.resampling import resample
from facegen.data.sources import open_source
from facegen.data.sources.acting import ActedSource, Casting
from facegen.data.sources.source import Key, Recording
from facegen.data.sources.synthetic import SyntheticSource
from facegen.errors import DataError
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.motion.face_phases import apex_share
from facegen.motion.intensity import APEX_FLOOR, deformation, intensities
from facegen.motion.label import EXPRESSIONS, Phases

SMALL = {"subjects": 3, "vertices": 400, "frames": (8, 10), "seed": 5}


@pytest.fixture(scope="module")
def source() -> SyntheticSource:
    return open_source("synthetic", SMALL)


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_stored_frames_are_the_source_s_to_a_hundredth_of_a_mm(corpus_path: Path) -> None:
    corpus = Corpus(corpus_path)
    options = {"subjects": 4, "vertices": 420, "frames": (10, 14), "fps": 10, "seed": 0}
    source = open_source("synthetic", options)
    for index in (0, 9, 23):
        entry = corpus.entries[index]
        recording = source.read(Key(entry.subject, entry.expression, entry.expression))
        stored = corpus.sequence(index).vertices
        assert np.abs(stored - recording.vertices).max() < 0.01
        error = np.abs(corpus.displacement(index) - (recording.vertices - recording.neutral)).max()
        assert error <= entry.scale / 2 + 1e-5  # and float32's own rounding at a hundred mm
        assert corpus.stored(index).shape == (420, 3, entry.frames)
        assert entry.phases == (
            recording.phases.onset, recording.phases.apex_start, recording.phases.apex_end, recording.phases.offset,
        )  # fmt: skip
    assert corpus.verify() == []


def test_intensities_are_eq_6_over_the_training_subjects(corpus_path: Path) -> None:
    corpus = Corpus(corpus_path)
    train = np.array([corpus.split_of(entry.subject) == "train" for entry in corpus.entries])
    m = np.array([deformation(corpus.displacement(i)) for i in range(len(corpus.entries))])
    column = np.array([corpus.expressions.index(entry.expression) for entry in corpus.entries])
    wanted = intensities(m, column, train)
    np.testing.assert_allclose([entry.intensity for entry in corpus.entries], wanted, atol=1e-3)


def test_a_label_is_as_high_as_its_intensity_over_the_floor(corpus_path: Path) -> None:
    corpus = Corpus(corpus_path)
    weakest, strongest = (
        choose(corpus.split("train"), key=lambda i: corpus.entries[i].intensity) for choose in (min, max)
    )
    assert corpus.entries[weakest].intensity < 0.3 and corpus.entries[strongest].intensity == 1
    for floor in (corpus.floor, 0.0, 0.5):
        corpus.floor = floor
        for index in (weakest, strongest):
            height = floor + (1 - floor) * corpus.entries[index].intensity
            assert corpus.intensity(index) == pytest.approx(height)
            assert corpus.motion(index).max() == pytest.approx(height)
    assert Corpus(corpus_path).floor == APEX_FLOOR == 0.2


def test_components_are_those_of_the_training_displacements(corpus_path: Path) -> None:
    corpus = Corpus(corpus_path)
    frames = np.concatenate([corpus.displacement(i).reshape(-1, 3 * 420) for i in corpus.split("train")], dtype=float)
    mean = frames.mean(axis=0)
    _, length, rows = np.linalg.svd(frames - mean, full_matrices=False)
    variance = length**2 / len(frames)
    np.testing.assert_allclose(corpus.pca.mean.ravel(), mean, atol=1e-5)
    assert corpus.pca.components.shape == (64, 420, 3)
    assert corpus.pca.total == pytest.approx(variance.sum(), rel=1e-5)
    np.testing.assert_allclose(corpus.pca.variance, variance[:64], atol=1e-5 * variance[0])
    turned = np.abs((corpus.pca.components[:5].reshape(5, -1) * rows[:5]).sum(axis=1))
    np.testing.assert_allclose(turned, 1, atol=1e-4)


def test_components_of_another_corpus_are_refused(corpus_path: Path, tmp_path: Path, source: SyntheticSource) -> None:
    prepare(source, "synthetic", tmp_path / "c", Recipe(depth=2, components=3))
    assert Corpus(tmp_path / "c").pca.components.shape == (3, 400, 3)
    (tmp_path / "c" / COMPONENTS).write_bytes((corpus_path / COMPONENTS).read_bytes())
    with pytest.raises(DataError, match=r"components.npz: .*\(of another corpus\); prepare the corpus again"):
        Corpus(tmp_path / "c").pca  # noqa: B018 (reading it is what fails)


def test_no_subject_is_in_two_splits(corpus_path: Path) -> None:
    corpus = Corpus(corpus_path)
    splits = [{corpus.entries[i].subject for i in corpus.split(name)} for name in SPLITS]
    assert list(map(len, splits)) == [3, 1, 1]
    assert set.union(*splits) == set(corpus.subjects)
    assert splits[1:] == [set(corpus.val_subjects), set(corpus.test_subjects)]
    with pytest.raises(DataError, match="unknown split 'validation'; known are: train, val, test"):
        corpus.split("validation")


def test_a_corpus_of_a_version_without_validation_subjects_has_none(corpus_path: Path, old_corpus: Path) -> None:
    new, old = Corpus(corpus_path), Corpus(old_corpus)
    assert old.val_subjects == () and old.split("val") == []
    assert old.split("train") == sorted(new.split("train") + new.split("val"))
    assert old.split("test") == new.split("test")


def test_the_displacement_scale_is_that_of_the_training_subjects(corpus_path: Path) -> None:
    corpus = Corpus(corpus_path)
    square = np.concatenate([corpus.displacement(i).ravel() ** 2 for i in corpus.split("train")]).mean()
    assert corpus.displacement_scale == pytest.approx(np.sqrt(square), rel=1e-3)


def test_the_same_seed_gives_the_same_corpus_byte_for_byte(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        prepare(open_source("synthetic", SMALL | {"seed": seed}), "synthetic", tmp_path / name, Recipe(depth=2))
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    _, different, errors = filecmp.cmpfiles(tmp_path / "a", tmp_path / "b", tree(tmp_path / "a"), shallow=False)
    assert (different, errors) == ([], [])
    digests = [Corpus(tmp_path / name).digest for name in "abc"]
    assert digests[0] == digests[1] != digests[2]


def test_a_larger_cast_begins_with_the_same_people(source: SyntheticSource) -> None:
    more = open_source("synthetic", SMALL | {"subjects": 5})
    key = Key("001", "happy", "happy")
    np.testing.assert_array_equal(source.read(key).vertices, more.read(key).vertices)


def test_every_actor_has_a_style_and_comes_back_to_rest(source: SyntheticSource) -> None:
    for expression in EXPRESSIONS:
        takes = [source.read(Key(subject, expression, expression)) for subject in source.subjects]
        for take in takes:
            moved = np.abs(take.vertices - take.neutral).max(axis=(1, 2))
            assert not moved[: take.phases.onset + 1].any()
            assert not moved[take.phases.offset :].any()
            assert moved[take.phases.apex_start] == pytest.approx(moved.max(), rel=1e-6)
            assert moved.max() > 1
        shapes = [take.vertices[take.phases.apex_start] - take.neutral for take in takes]
        unit = [shape / np.linalg.norm(shape) for shape in shapes]
        assert all(float((unit[0] * other).sum()) < 0.999 for other in unit[1:])


def test_the_six_expressions_differ(source: SyntheticSource) -> None:
    takes = [source.read(Key("000", name, name)) for name in EXPRESSIONS]
    unit = [shape / np.linalg.norm(shape) for shape in (t.vertices[t.phases.apex_start] - t.neutral for t in takes)]
    cosine = np.array([[float((a * b).sum()) for a in unit] for b in unit])
    assert cosine[~np.eye(6, dtype=bool)].max() < 0.9


def test_casting_refuses_what_cannot_be_cast() -> None:
    for settings, message in (
        ({"subjects": 1}, "at least one subject to train"),
        ({"subjects": 3, "test_subjects": 3}, "3 of them to test"),
        ({"subjects": 3, "frames": (4, 9)}, "at least 8 frames"),
        ({"subjects": 3, "fps": 0}, "fps must be a positive number"),
        ({"subjects": 3, "val_subjects": 2}, "3 subjects, 1 of them to test and 2 to validate"),
    ):
        with pytest.raises(DataError, match=message):
            Casting(**settings)
    assert Casting(180).held_out == 27  # the paper's split


class Broken(ActedSource):
    """A source of which one recording has a hole."""

    def __init__(self, source: SyntheticSource, key: Key) -> None:
        super().__init__(source.casting)
        self.inner, self.bad, self.template = source, key, source.template

    def person(self, generator: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        return self.inner.person(generator)

    def read(self, key: Key) -> Recording:
        recording = super().read(key)
        if key == self.bad:
            recording.vertices[3, 7] = np.nan
        return recording


def test_a_broken_recording_stops_or_is_left_out_by_name(source: SyntheticSource, tmp_path: Path) -> None:
    broken = Broken(source, Key("001", "fear", "fear"))
    with pytest.raises(DataError, match="001/fear: frame 3: NaN or infinite.*without --strict"):
        prepare(broken, "broken", tmp_path / "c", Recipe(depth=2, strict=True))
    assert not list(tmp_path.iterdir())
    prepare(broken, "broken", tmp_path / "c", Recipe(depth=2))
    corpus = Corpus(tmp_path / "c")
    assert len(corpus.entries) == 17
    assert corpus.left_out_lines() == ["001/fear: frame 3: NaN or infinite vertices"]


def test_damage_is_found(tmp_path: Path, source: SyntheticSource) -> None:
    path = tmp_path / "c"
    prepare(source, "synthetic", path, Recipe(depth=2))
    manifest = (path / "manifest.json").read_text()
    (path / "manifest.json").write_text(manifest.replace('"fps": 25.0', '"fps": 30.0'))
    with pytest.raises(DataError, match="was changed after it was written"):
        Corpus(path)
    (path / "manifest.json").write_text(manifest[:100])
    with pytest.raises(DataError, match="cannot be read"):
        Corpus(path)
    (path / "manifest.json").unlink()
    with pytest.raises(DataError, match="not a corpus, it has no manifest.json"):
        Corpus(path)
    (path / "manifest.json").write_text(manifest)
    chunk = next(
        file
        for file in (path / "frames.zarr" / "displacement" / "4-0").rglob("*")
        if file.parent.name != "4-0" and file.is_file()
    )
    data = bytearray(chunk.read_bytes())
    data[100] ^= 255
    chunk.write_bytes(data)
    wrong = Corpus(path).verify()
    assert len(wrong) == 1
    assert "000/fear" in wrong[0]
    with pytest.raises(DataError, match="frames of 000/fear are not those that were written"):
        Corpus(path).displacement(4)
    chunk.unlink()  # which Zarr reads as zeros
    with pytest.raises(DataError, match="displacement/4-0: its numbers are missing"):
        Corpus(path).displacement(4)
    chunk.write_bytes(data[:50])
    assert len(Corpus(path).verify()) == 1
    (path / "components.npz").unlink()
    broken, missing = Corpus(path).verify()
    assert "cannot be read" in broken
    assert "components.npz: no such file; prepare the corpus again" in missing
    other = MeshHierarchy.build(source.template, depth=3)
    other.save(path / "hierarchy.npz")
    with pytest.raises(DataError, match=r"hierarchy.npz is not the one"):
        Corpus(path)


def test_a_corpus_that_goes_away_is_not_called_damaged(tmp_path: Path, source: SyntheticSource) -> None:
    path = tmp_path / "corpus"
    prepare(source, "synthetic", path)
    corpus = Corpus(path)
    for known in range(2):  # before anything was read, and after
        path.rename(tmp_path / "elsewhere")
        with pytest.raises(DataError, match="corpus: the corpus went away while it was read; put it back, and run"):
            corpus.displacement(known)
        (tmp_path / "elsewhere").rename(path)
        assert corpus.displacement(0).any()


def test_resampling_keeps_time() -> None:
    line = np.arange(11.0)[:, None, None] * np.ones((1, 2, 3))
    moved, phases = resample(line, Phases(2, 4, 6, 10), 10, 25)
    assert len(moved) == 26
    np.testing.assert_allclose(moved[:, 0, 0], np.arange(26) * 0.4)
    assert phases == Phases(5, 10, 15, 25)
    halved, _ = resample(line, Phases(2, 4, 6, 10), 10, 5)
    np.testing.assert_allclose(halved[:, 0, 0], [0, 2, 4, 6, 8, 10])
    halved, phases = resample(line, Phases(2, 5, 7, 9), 10, 5)  # the first frame of the apex is kept
    np.testing.assert_allclose(halved[:, 0, 0], [1, 3, 5, 7, 9])
    assert phases == Phases(0, 2, 3, 4)
    thinned, phases = resample(line, Phases(0, 7, 7, 10), 60, 12)
    np.testing.assert_allclose(thinned[:, 0, 0], [2, 7])


def test_rounding_stays_under_a_hundredth_of_a_mm_or_is_refused() -> None:
    for largest in (0.0, 1e-3, 40.0, 655.0):
        moved = np.linspace(-largest, largest / 3, 7 * 11 * 3, dtype=np.float32).reshape(7, 11, 3)
        stored, scale = quantise(moved)
        assert (stored.dtype, stored.shape) == (np.int16, (11, 3, 7))
        assert scale / 2 < 0.01
        assert np.abs(stored.transpose(2, 0, 1) * np.float64(scale) - moved).max() <= scale / 2
    for largest in (700.0, np.inf):
        with pytest.raises(DataError, match="away from the neutral, at most 655 mm"):
            quantise(np.full((2, 1, 3), largest, dtype=np.float32))


def test_the_frame_of_least_motion() -> None:
    x = np.array([0, 3, 4, 4.1, 4.1, 5, 9])[:, None, None] * np.ones((1, 2, 3))
    assert stillest(x) in (3, 4)


def test_ict_facekit_as_it_is(ict_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    arguments = (
        f"prepare ict_facekit --root {ict_root} --subjects 3 --region narrow --frames 8 9 --out {tmp_path / 'c'}"
    )
    assert run(arguments.split()) == 0
    capsys.readouterr()
    assert run(["inspect", str(tmp_path / "c"), "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert (seen["vertices"], seen["sequences"]) == (6706, 18)
    corpus = Corpus(tmp_path / "c")
    neutrals = [corpus.neutral(i) for i in (0, 6, 12)]
    for neutral in neutrals:
        assert 120 < np.ptp(neutral, axis=0).max() < 300  # a face, in mm
    assert np.linalg.norm(neutrals[0] - neutrals[1], axis=1).mean() > 1
    surprise = corpus.displacement(corpus.find("000", "surprise"))
    assert np.abs(surprise).max() > 5
    assert surprise[:, :, 1].min() < -5  # the jaw drops


@pytest.mark.parametrize(
    ("region", "vertices", "wished"), [("face", 9409, None), ("head", 11248, None), ("narrow", 9000, 9000)]
)
def test_regions_and_subdivision_of_ict_facekit(ict_root: Path, region: str, vertices: int, wished: int | None) -> None:
    from facegen.data.sources.ict_facekit import ICTFaceKitSource

    source = ICTFaceKitSource(Casting(2), ict_root, region, wished)
    assert len(source.template.vertices) == vertices
    recording = source.read(Key("000", "happy", "happy"))
    assert recording.vertices.shape[1:] == (vertices, 3)
    nose = source.template.vertices[source.reference]
    assert nose[2] > np.quantile(source.template.vertices[:, 2], 0.99)
    assert abs(nose[0]) < 1


def test_ict_facekit_refuses_what_it_is_not(ict_root: Path, tmp_path: Path) -> None:
    from facegen.data.sources.ict_facekit import ICTFaceKitSource

    with pytest.raises(DataError, match="unknown region 'torso'; known are: narrow, face, head"):
        ICTFaceKitSource(Casting(2), ict_root, "torso")
    with pytest.raises(DataError, match="6706 vertices already; 100 are fewer"):
        ICTFaceKitSource(Casting(2), ict_root, "narrow", 100)
    (tmp_path / "FaceXModel").mkdir()
    generic = (ict_root / "FaceXModel" / "generic_neutral_mesh.obj").read_bytes()
    (tmp_path / "FaceXModel" / "generic_neutral_mesh.obj").write_bytes(generic)
    with pytest.raises(DataError, match="no identity modes"):
        ICTFaceKitSource(Casting(2), tmp_path, "narrow")


@pytest.mark.parametrize("frames", [3, 4, 5, 60])
def test_a_frame_s_share_of_the_apex_is_one_there_and_blind_to_what_points_elsewhere(frames: int) -> None:
    random = np.random.default_rng(frames)
    shape, other = random.normal(0, 1, (2, 50, 3))
    other -= shape * np.vdot(other, shape) / np.vdot(shape, shape)
    level = 1 - np.abs(np.linspace(-1, 1, frames))
    moved = level[:, None, None] * shape + np.sin(np.arange(frames))[:, None, None] * 0.1 * other
    share = apex_share(moved.astype(np.float32), 60)
    np.testing.assert_allclose(share / share.max(), level / level.max(), atol=0.02)


def test_files_of_sequences_have_a_name_each(tmp_path: Path) -> None:
    shown = [("a", "b-c"), ("a-b", "c"), ("d", "c"), ("d", "c"), ("d", "b-c"), ("d", "c")]
    entries = [SimpleNamespace(subject=who, expression=what, array=f"{i}-0") for i, (who, what) in enumerate(shown)]
    names = Corpus.file_names.func(SimpleNamespace(entries=entries))  # pyright: ignore[reportAttributeAccessIssue]
    assert names == ("a-b-c-0-0", "a-b-c-1-0", "d-c", "d-c-1", "d-b-c", "d-c-2")


def test_a_file_of_a_sequence_has_a_name_that_fits_on_a_disk(tmp_path: Path) -> None:
    entries = [SimpleNamespace(subject="ä" * 200, expression=what, array="0-0") for what in ("happy", "sad")]
    names = Corpus.file_names.func(SimpleNamespace(entries=entries))  # pyright: ignore[reportAttributeAccessIssue]
    for name in names:
        (tmp_path / f"{name}.npz").touch()
    assert len(list(tmp_path.iterdir())) == 2
