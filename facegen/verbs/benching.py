"""The verb that measures facegen itself: bench."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from facegen.data.sources.casting import MOST_VERTICES
from facegen.errors import FacegenError, unknown
from facegen.motion.limits import MOST_FRAMES
from facegen.verbs.numbers import whole
from facegen.verbs.shared import add_verb, require_device

MOST_REPEATS = 10_000
"""Repeats of a measurement at most. Chosen: a thousand times what tells forms apart."""

# Everything else is imported where it is used: a verb that needs no network starts without loading torch.


def add_bench(verbs: argparse._SubParsersAction) -> None:
    parser = add_verb(
        verbs,
        "bench",
        bench,
        "measure speed against the published form and against what the machine can do, or how truly motion is carried "
        "onto other heads, as JSON",
        "facegen bench decoder > decoder.json\n  facegen bench decoder --against HEAD~1 --repeats 5\n"
        "  facegen bench own-face --root ICT-FaceKit > carried.json\n"
        "  facegen bench animate --mesh head.obj --model demo/model.ckpt --against ../facegen-before\n"
        "  facegen bench start --mesh demo/neutral.obj --model demo/model.ckpt",
    )
    parser.add_argument(
        "part",
        nargs="?",
        metavar="PART",
        help="what to measure: decoder, train, prepare or loader (default: these four), or own-face, how truly motion "
        "is carried onto heads for which an artist made the same shapes, or animate, what that verb costs from its "
        "start to the .glb, or start, the same with what each package takes to import, or pose, what one frame costs "
        "from a label to the vertices of a mesh, or stream, how evenly "
        "frames are sent out live, or studio, how soon its page shows what a hand does",
    )
    parser.add_argument(
        "--mesh", type=Path, nargs="+", metavar="FILE", help="of animate, start, pose and studio: faces at rest"
    )
    parser.add_argument("--model", type=Path, metavar="CKPT", help="of animate, start, pose and studio: a checkpoint")
    parser.add_argument(
        "--expression",
        default="surprise",
        metavar="NAME",
        help="of animate and start: what is shown (default: surprise)",
    )
    parser.add_argument(
        "--against",
        metavar="REV",
        help="another facegen, timed by turns with this: a revision that git knows, which is built aside, or the "
        "folder of a checkout; of decoder, train, prepare, loader, animate and start",
    )
    parser.add_argument(
        "--root",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="of own-face: a clone of ICT-FaceKit, whose face is the template, and also a folder with MakeHuman's "
        "base.obj and units/*.target",
    )
    parser.add_argument(
        "--region",
        default="face",
        metavar="NAME",
        help="of own-face: the part of ICT's head that is the template, narrow or face (default: face)",
    )
    parser.add_argument(
        "--vertices",
        type=whole(1, MOST_VERTICES),
        default=28431,
        metavar="V",
        help="size of the template (default: 28431, as in the paper)",
    )
    parser.add_argument(
        "--frames",
        type=whole(1, MOST_FRAMES),
        nargs="+",
        default=[1, 20, 100],
        metavar="N",
        help="how many frames to decode at once, measured one after the other (default: 1 20 100)",
    )
    parser.add_argument(
        "--repeats",
        type=whole(1, MOST_REPEATS),
        default=7,
        metavar="N",
        help="how often to repeat each measurement, not counting warm-up (default: 7)",
    )
    parser.add_argument(
        "--only-fused",
        action="store_true",
        help="leave the published form out, for sizes that are too large for it",
    )
    parser.add_argument("--device", default="cpu", metavar="NAME", help="where to compute: cpu or cuda (default: cpu)")
    parser.add_argument(
        "--dtype",
        default="float32",
        metavar="NAME",
        help="numbers to compute with: float32 or bfloat16 (default: float32)",
    )


def bench(options: Namespace) -> None:
    """Print what was measured as JSON; progress goes to standard error."""
    import json

    from facegen import benchmark

    alone: dict[str, Callable[[Namespace], dict[str, Any]]] = {
        benchmark.OWN_FACE: _own_face,
        benchmark.ANIMATE: _started,
        benchmark.START: _started,
        benchmark.POSE: _pose,
        benchmark.STREAM: _stream,
        benchmark.STUDIO: _studio,
    }
    known, asked = (*benchmark.PARTS, *alone), [options.part] if options.part else benchmark.PARTS
    if asked[0] not in known:
        raise FacegenError(unknown("part", asked[0], known))
    faces = (benchmark.ANIMATE, benchmark.START, benchmark.POSE, benchmark.STUDIO)
    timed = (*benchmark.PARTS, benchmark.ANIMATE, benchmark.START)
    for name, parts in (("mesh", faces), ("model", faces), ("against", timed), ("root", (benchmark.OWN_FACE,))):
        if getattr(options, name) is not None and not set(asked) <= set(parts):
            raise FacegenError(f"--{name} is of {', '.join(parts)}; leave it out for {', '.join(asked)}")
    print(json.dumps(alone.get(options.part, _built_in)(options), indent=1))


def _own_face(options: Namespace) -> dict[str, Any]:
    from facegen.benchmark.own_face import TEMPLATES, own_face

    if options.root is None:
        raise FacegenError("own-face needs heads with shapes; give a clone of ICT-FaceKit as --root")
    if options.region not in TEMPLATES:
        raise FacegenError(unknown("region", options.region, TEMPLATES))
    return own_face(options.root, options.region)


def _started(options: Namespace) -> dict[str, Any]:
    """The verb animate, in processes of its own."""
    from facegen.benchmark.animate import animate
    from facegen.benchmark.revision import checkout
    from facegen.benchmark.start import start

    if options.mesh is None or options.model is None:
        raise FacegenError(f"{options.part} needs faces and a model; give --mesh FILE and --model CKPT")
    part = start if options.part == "start" else animate
    with nullcontext() if options.against is None else checkout(options.against) as against:
        return part(options.mesh, options.model, options.expression, against, options.repeats)


def _pose(options: Namespace) -> dict[str, Any]:
    from facegen.benchmark.pose import pose

    if options.mesh is None:
        raise FacegenError("pose needs faces; give --mesh FILE")
    return pose(options.mesh, options.model, options.expression, options.repeats)


def _stream(options: Namespace) -> dict[str, Any]:
    from facegen.benchmark.streaming import streaming

    return streaming()


def _studio(options: Namespace) -> dict[str, Any]:
    from facegen.benchmark.studio import studio

    if (options.mesh is None) != (options.model is None):
        raise FacegenError("studio needs a face and its model, or neither; give --mesh FILE and --model CKPT")
    mesh = None if options.mesh is None else options.mesh[0]
    return studio(mesh, options.model, options.vertices)


def _built_in(options: Namespace) -> dict[str, Any]:
    """What is timed on built-in faces, in this process or by turns with another revision's."""
    import torch

    from facegen import benchmark
    from facegen.benchmark.revision import by_revision, checkout

    numbers = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if options.dtype not in numbers:
        raise FacegenError(unknown("dtype", options.dtype, numbers))
    require_device(options.device)
    chosen: list[str] = [options.part] if options.part else list(benchmark.PARTS)
    if options.against is not None:
        sizes = ["--vertices", str(options.vertices), "--frames", *map(str, options.frames), "--only-fused"]
        sizes += ["--repeats", "3", "--device", options.device, "--dtype", options.dtype]
        with checkout(options.against) as tree:
            return by_revision(chosen, sizes, tree, options.repeats)
    setting = benchmark.Setting(
        options.vertices,
        options.frames,
        options.repeats,
        not options.only_fused,
        torch.device(options.device),
        numbers[options.dtype],
    )
    return benchmark.bench(chosen, setting)
