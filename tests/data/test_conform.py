"""One recording as a corpus holds it: what is kept of it, and by which words the others are refused."""

import numpy as np
import pytest

from facegen.data.conform import MOVING_SHARE, conform
from facegen.data.recipe import Recipe
from facegen.data.sources.source import Recording
from facegen.errors import DataError
from facegen.motion.label import Phases

PHASES = Phases(1, 4, 5, 8)
HEIGHT = np.array([0, 0, 0.5, 2, 4, 4, 2, 0.2, 0, 0])  # mm, by frame


def template() -> np.ndarray:
    return np.random.default_rng(0).uniform(-80, 80, (40, 3))


def recording(phases: Phases | None = PHASES, neutral: np.ndarray | None = None) -> Recording:
    """All vertices move to +z by `HEIGHT`."""
    vertices = template() + HEIGHT[:, None, None] * [0.0, 0.0, 1.0]
    return Recording(vertices, neutral, phases, 10.0)


def test_with_phases_the_whole_recording_is_kept_relative_to_its_first_frame() -> None:
    neutral, evolved, dropped = conform(recording(), template(), Recipe())
    assert not dropped and len(evolved) == 1
    np.testing.assert_array_equal(neutral, template().astype(np.float32))
    assert (evolved[0].first, evolved[0].phases, evolved[0].explained, evolved[0].envelope) == (0, PHASES, None, None)
    np.testing.assert_allclose(evolved[0].displacement[:, :, 2], np.tile(HEIGHT, (40, 1)).T, atol=2e-5)
    np.testing.assert_allclose(evolved[0].displacement[:, :, :2], 0, atol=2e-5)


def test_an_amplitude_is_a_label_from_0_to_1_and_says_where_motion_begins_and_ends() -> None:
    _, (evolved,), _ = conform(recording(None), template(), Recipe(label="amplitude"))
    np.testing.assert_allclose(evolved.envelope, HEIGHT / 4, atol=1e-5)
    # 0.5 of 4 mm counts as motion, 0.2 of 4 mm does not; the onset is the frame before, the offset the one after.
    assert 0.2 / 4 < MOVING_SHARE < 0.5 / 4
    assert evolved.phases == Phases(1, 4, 4, 7)


def test_a_face_that_never_moves_has_no_amplitude() -> None:
    still = Recording(np.repeat(template()[None], 5, axis=0), None, None, 10.0)
    with pytest.raises(DataError, match="nothing moves"):
        conform(still, template(), Recipe(label="amplitude"))


def test_a_common_neutral_is_what_the_source_gives_or_is_asked_for() -> None:
    common = template() + [0.0, 0.0, 1.0]
    neutral, (evolved,), _ = conform(recording(), template(), Recipe(neutral="common"), common)
    np.testing.assert_array_equal(neutral, common.astype(np.float32))
    np.testing.assert_allclose(evolved.displacement[0, :, 2], -1, atol=2e-5)
    with pytest.raises(DataError, match="give --neutral first or still"):
        conform(recording(), template(), Recipe(neutral="common"))


def test_a_recording_s_own_neutral_comes_before_every_recipe() -> None:
    own = template() + [0.0, 0.5, 0.0]
    neutral, _, _ = conform(recording(neutral=own), template(), Recipe(neutral="common"))
    np.testing.assert_array_equal(neutral, own.astype(np.float32))


def test_alignment_brings_a_subject_onto_the_template() -> None:
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    moved = recording().vertices @ turn.T + [5.0, 6.0, 7.0]
    neutral, (evolved,), _ = conform(Recording(moved, None, PHASES, 10.0), template(), Recipe(align="subject"))
    np.testing.assert_allclose(neutral, template(), atol=1e-4)
    np.testing.assert_allclose(evolved.displacement[:, :, 2], np.tile(HEIGHT, (40, 1)).T, atol=1e-4)


def test_too_few_frames_at_the_wanted_rate_are_refused_with_their_number() -> None:
    with pytest.raises(DataError, match="frames 0 to 9 are 2 frames at 2 frames a second; at least 3 are needed"):
        conform(recording(), template(), Recipe(fps=2.0))


@pytest.mark.parametrize(
    ("value", "reason"), [(np.nan, "frame 3: NaN or infinite"), (7.0, "frame 3: all vertices are at one place")]
)
def test_a_broken_frame_is_named(value: float, reason: str) -> None:
    broken = recording()
    broken.vertices[3] = value
    with pytest.raises(DataError, match=reason):
        conform(broken, template(), Recipe())


def test_a_curve_is_the_label_of_the_evolution_that_phases_found() -> None:
    sagging = np.array([0, 0, 0, 2, 4, 3.5, 3, 2.5, 2.0, 2.0])
    vertices = template() + sagging[:, None, None] * [0.0, 0.0, 1.0]
    _, (evolved,), _ = conform(Recording(vertices, None, PHASES, 10.0), template(), Recipe(label="curve"))
    assert (evolved.phases, evolved.curves) == (PHASES, None)
    np.testing.assert_allclose(evolved.envelope, sagging / 4, atol=0.05)
    _, (halved,), _ = conform(Recording(vertices, None, PHASES, 10.0), template(), Recipe(label="curve", fps=5.0))
    np.testing.assert_allclose(halved.envelope, evolved.envelope[::2], atol=1e-6)  # the apex is among them


def test_what_a_source_knows_of_curves_is_resampled_with_the_frames() -> None:
    curves = {"smile": HEIGHT / 4, "jaw": np.linspace(0, 0.9, 10)}
    known = Recording(recording().vertices, None, PHASES, 10.0, curves)
    _, (evolved,), _ = conform(known, template(), Recipe(label="curve", fps=5.0))
    assert evolved.envelope is None and evolved.curves is not None
    np.testing.assert_allclose(evolved.curves["smile"], HEIGHT[::2] / 4)
    np.testing.assert_allclose(evolved.curves["jaw"], np.linspace(0, 0.9, 10)[::2])
    np.testing.assert_allclose(evolved.displacement[:, :, 2], np.tile(HEIGHT[::2], (40, 1)).T, atol=2e-5)
    _, (by_phases,), _ = conform(known, template(), Recipe())
    assert (by_phases.envelope, by_phases.curves) == (None, None)
