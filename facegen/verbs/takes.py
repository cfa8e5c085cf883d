"""Steps of `animate` on a mesh that has ARKit's shapes: a whole take is played, and weights are solved by them."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from facegen.errors import FacegenError
from facegen.exporters.page import SUFFIX as PAGE
from facegen.motion.limits import require_fps
from facegen.standard_streams import say_left_out
from facegen.verbs.alive import take_alive
from facegen.verbs.pages import about_take
from facegen.verbs.shared import chosen, document_of, write_sequence

if TYPE_CHECKING:
    from facegen.mesh.tri_mesh import TriMesh
    from facegen.rigging.weights import ArkitBasis
    from facegen.scene.asset import Asset


def play(options: Namespace) -> None:
    """A recorded take is played by the shapes that the mesh has: no model is asked.

    Raises:
        FacegenError: the mesh has none of ARKit's shapes, or the output cannot be written.
    """
    from facegen.exporters.page import page_of
    from facegen.motion.live_link import Take
    from facegen.rigging.played import take_weights, unplayed
    from facegen.scene.animations import drive
    from facegen.scene.asset import SUFFIXES
    from facegen.scene.drawn import arkit_targets
    from facegen.scene.files import require_writable, write_asset
    from facegen.scene.kept import Kept

    if options.out.suffix.lower() == ".csv":
        raise FacegenError(f"{options.timeline} is a recording of weights already; give --out another suffix")
    if options.model is not None:
        raise FacegenError(
            f"{options.timeline} says when and how much, not what; give --expression NAME with --model, or leave "
            "--model out: then the mesh's own shapes play all of it"
        )
    if options.intensity is not None:
        raise FacegenError("--intensity is for --expression NAME; a take that is played says all weights itself")
    asset = _rigged(options)
    places = arkit_targets(asset)
    kept = options.out.suffix.lower() in (*SUFFIXES, PAGE)
    if kept:
        if options.out.suffix.lower() in SUFFIXES:
            require_writable(asset, options.out)
        given = [f"--{name.replace('_', '-')}" for name in ("tolerance", "per_frame") if name in chosen(options)]
        if given:
            raise FacegenError(f"{', '.join(given)}: a take is played by the file's own shapes, and none is added")
    take = Take.load(options.timeline)
    print(f"{options.timeline.name}: {take}", *take.notes, sep="\n")
    if options.fps is not None:
        require_fps(options.fps, FacegenError)
    times, weights = take_weights(take, options.fps if kept else options.fps or float(take.rate))
    weights = take_alive(take, times, weights, set(places.values()), options)
    missing = unplayed(weights, set(places.values()))
    lost = [f"{', '.join(missing)}, which {options.neutral.name} does not have"] if missing else []
    lost.append("the turns of head and eyes that the recording has; gaze is played by eyeLook*")
    name = options.timeline.stem
    if not kept:
        _write_frames(options, asset, places, weights, options.fps or float(take.rate))
        for reason in lost:
            say_left_out(reason)
        return
    about = Kept.of(asset.tree)
    known = about_take(asset, places, times, weights, options.fps or float(take.rate))
    animation = drive(asset, name, times, {place: weights[shape] for place, shape in places.items()})
    with page_of(options.out) as (out, page):
        size = write_asset(asset, out)
        page.append(replace(known, title=options.out.stem, animation=animation))
    if out != options.out:
        size = options.out.stat().st_size
    for reason in dict.fromkeys([*lost, *asset.notes]):
        say_left_out(reason)
    count = len(set(places.values()))
    print(
        f"{options.out.name}: {len(times)} frames of {count} shapes, animation {animation!r}, {size / 1e6:.1f} MB; "
        f"kept: {about}"
    )


def _write_frames(
    options: Namespace,
    asset: Asset,
    places: dict[tuple[int, int], str],
    weights: dict[str, np.ndarray],
    fps: float,
) -> None:
    """Write what the shapes draw as a sequence."""
    from facegen.mesh.formats.io import read_appearance, read_mesh
    from facegen.rigging.played import PosedFrames
    from facegen.scene.drawn import drawn_targets
    from facegen.sequence.sequence import Sequence

    mesh = read_mesh(options.neutral, asset.document)
    shapes = drawn_targets(asset, places)
    curves = np.stack([weights[name] for name in shapes], axis=1)
    frames = PosedFrames(mesh.vertices, np.stack([shape.astype(np.float32) for shape in shapes.values()]), curves)
    look = read_appearance(options.neutral, mesh, asset.document)
    still = np.zeros((len(curves), 0))
    write_sequence(Sequence(frames, mesh.faces, fps, still, (), mesh.polygons, look), options)


def own_basis(options: Namespace) -> ArkitBasis | None:
    """The shapes of the neutral itself, for a `.csv` or `.vrma` for which no basis is given; None where it has none."""
    from facegen.rigging.weights import ArkitBasis
    from facegen.scene.asset import SUFFIXES
    from facegen.scene.drawn import arkit_targets, drawn_targets

    csv = options.out.suffix.lower() in (".csv", ".vrma") and options.arkit_basis is None
    if not csv or options.neutral.suffix.lower() not in SUFFIXES:
        return None
    asset = _opened(options)
    places = arkit_targets(asset)
    return ArkitBasis.of(drawn_targets(asset, places)) if places else None


def carried_basis(mesh: TriMesh) -> ArkitBasis | None:
    """The shapes that come with facegen, carried onto a face (U, 3) mm whose topology is not theirs; None where it
    is."""
    from facegen.rigging.basis import ShapeBasis
    from facegen.rigging.rig import rig
    from facegen.rigging.weights import ArkitBasis

    basis = ShapeBasis.load()
    if mesh.digest in (basis.template.digest, basis.mesh.digest):
        return None
    return ArkitBasis.of(rig(mesh, basis, units="mm").shapes)


def _opened(options: Namespace) -> Asset:
    """The neutral's whole file, once its surface is read: that refuses what lies anywhere, before it is looked at how
    parts stand there."""
    from facegen.mesh.formats.io import read_mesh
    from facegen.scene.asset import Asset

    opened = document_of(options)
    read_mesh(options.neutral, opened)
    return Asset.open(options.neutral, opened)


def _rigged(options: Namespace) -> Asset:
    from facegen.scene.asset import SUFFIXES
    from facegen.scene.drawn import arkit_targets

    path, what = options.neutral, f"{options.timeline} says when and how much, not what; give --expression NAME with it"
    if path.suffix.lower() not in SUFFIXES:
        raise FacegenError(f"{what}, or a .glb, .gltf or .vrm with ARKit's shapes, which `facegen rig` makes of {path}")
    asset = _opened(options)
    if not arkit_targets(asset):
        raise FacegenError(f"{what}, or a file with ARKit's shapes: {path} has none, `facegen rig` gives it them")
    return asset
