"""One command: what can be said. What is then done stands in `commands.py`.

Long, because every option of every verb is here and nowhere else.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from facegen import __version__, commands
from facegen.data.recipe import ALIGNMENTS, LABELS, NEUTRALS, PEAKS
from facegen.data.sources import OPTIONS
from facegen.errors import FacegenError
from facegen.export import named_suffixes
from facegen.motion import EASINGS

TRAINING = {
    "fit": "train a model",
    "validate": "errors of a checkpoint on the test subjects, as training reports them",
    "test": "errors of a checkpoint on the test subjects",
    "predict": "write what a checkpoint generates for the test subjects",
}


NO_MEMORY = "not enough memory; take fewer frames, smaller batches or a smaller mesh"


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line and whose help keeps the example's lines."""

    def __init__(self, *args: object, example: str = "", **kwargs: object) -> None:
        epilog = f"example:\n  {example}" if example else None
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

    def error(self, message: str) -> NoReturn:
        raise FacegenError(f"{message}; see `{self.prog} --help`")


def run(arguments: list[str]) -> int:
    """The whole command.

    Args:
        arguments: what stands behind `facegen`.

    Returns:
        0, or 2 after a user's mistake, or 130 after an interruption.
    """
    try:
        if arguments and arguments[0] in TRAINING:
            from facegen.training import run as train

            train(arguments)
            return 0
        options = build_parser().parse_args(arguments)
        options.call(options)
        return 0
    except FacegenError as error:
        return _fail(str(error))
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # A full disk, a folder that may not be written, a file that vanished: the system's own words and the name.
        name = f": {error.filename}" if error.filename else ""
        return _fail(f"{error.strerror or error}{name}")
    except MemoryError:
        return _fail(NO_MEMORY)
    except RuntimeError as error:
        if "can't allocate memory" in str(error) or "out of memory" in str(error):
            return _fail(NO_MEMORY)
        # torch reports a disk that is full while it writes a checkpoint in its own way.
        if "PytorchStreamWriter" not in str(error) and "unexpected pos" not in str(error):
            raise
        return _fail("a checkpoint could not be written; is the disk full?")
    except KeyboardInterrupt:
        print("facegen: interrupted", file=sys.stderr)
        return 130


def _fail(message: str) -> int:
    print(f"facegen: error: {' '.join(message.split())}", file=sys.stderr)
    return 2


def build_parser() -> Parser:
    """The parser of all verbs; those of `TRAINING` are listed here and parsed by Lightning."""
    parser = Parser(
        prog="facegen",
        description="4D facial expressions from one neutral mesh and a motion label.",
        example="facegen demo --out demo",
    )
    parser.add_argument("--version", action="version", version=f"facegen {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True, parser_class=Parser)
    for add in (
        _demo,
        _prepare,
        _training,
        _animate,
        _evaluate,
        _interpolate,
        _register,
        _photo,
        _export,
        _inspect,
        _bench,
    ):
        add(verbs)
    return parser


def _verb(
    verbs: argparse._SubParsersAction,
    name: str,
    call: Callable[[argparse.Namespace], None],
    text: str,
    example: str,
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", example=example)
    parser.set_defaults(call=call)
    return parser


def _training(verbs: argparse._SubParsersAction) -> None:
    for name, text in TRAINING.items():
        verbs.add_parser(name, help=text, add_help=False)


def _demo(verbs: argparse._SubParsersAction) -> None:
    parser = _verb(
        verbs,
        "demo",
        commands.demo,
        "the whole chain on the built-in faces: prepare, train, test, animate",
        "facegen demo --out demo",
    )
    parser.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR", help="folder to make (default: demo)")
    parser.add_argument("--seed", type=int, default=0, help="fixes faces, takes and weights (default: 0)")


def _prepare(verbs: argparse._SubParsersAction) -> None:
    parser = _verb(
        verbs,
        "prepare",
        commands.prepare,
        "turn a source of data into a corpus",
        "facegen prepare ict_facekit --root ICT-FaceKit --subjects 60 --out corpora/ict",
    )
    parser.add_argument("source", metavar="SOURCE", help=", ".join(OPTIONS))
    parser.add_argument("--root", type=Path, metavar="DIR", help="where the dataset lies (all but synthetic)")
    parser.add_argument("--out", type=Path, required=True, metavar="CORPUS", help="directory to make")
    parser.add_argument("--seed", type=int, default=0, help="fixes everything that is drawn (default: 0)")
    parser.add_argument(
        "--test-subjects", nargs="+", metavar="N|NAME", help="how many to draw for testing, or who (default: 15 %%)"
    )
    recorded = parser.add_argument_group("recorded sources (all others)")
    recorded.add_argument(
        "--expressions",
        nargs="+",
        metavar="NAME",
        help="recordings to take, by the dataset's own names",
    )
    recorded.add_argument("--units", metavar="U", help="mm, cm or m, where the files are not as the dataset ships them")
    recorded.add_argument("--layout", type=Path, metavar="FILE.yaml", help="fourdfab: where its frames lie")
    recorded.add_argument("--ranges", type=Path, metavar="FILE", help="coma: lines of `subject expression from to`")
    recorded.add_argument("--mapping", type=Path, metavar="FILE.yaml", help="d3dfacs: expressions by action units")
    acted = parser.add_argument_group("made sources (synthetic, ict_facekit)")
    acted.add_argument("--subjects", type=int, metavar="N", help="people (default: 20)")
    acted.add_argument("--frames", type=int, nargs=2, metavar=("MIN", "MAX"), help="length of takes (default: 45 75)")
    acted.add_argument(
        "--vertices",
        type=int,
        metavar="V",
        help="synthetic: any from 400 (default: 2000); ict_facekit: subdivide up to this many (28431 is the paper's)",
    )
    acted.add_argument("--region", metavar="NAME", help="ict_facekit: narrow, face or head (default: face)")
    acted.add_argument("--blinks", action="store_true", default=None, help="synthetic: people blink now and then")
    recipe = parser.add_argument_group("preparing")
    recipe.add_argument(
        "--fps", type=float, help="made sources: rate of the takes; others: resample to it (default: 12 from 60)"
    )
    for name, known, text in (
        (
            "--neutral",
            NEUTRALS,
            "where there is none: first frame, frame of least motion, what is common to all",
        ),
        ("--align", ALIGNMENTS, "neutrals to the template, and each frame to its neutral by what moves least"),
        ("--label", LABELS, "onset, apex and offset, or how far each frame is from rest"),
    ):
        recipe.add_argument(name, metavar="HOW", help=f"{text}: {', '.join(known)} (default: by source)")
    recipe.add_argument(
        "--peaks", default="cut", metavar="HOW", help=f"several in one recording: {', '.join(PEAKS)} (default: cut)"
    )
    recipe.add_argument(
        "--confidence", type=float, default=0.5, metavar="C", help="least one of phases that are found (default: 0.5)"
    )
    recipe.add_argument("--depth", type=int, default=4, help="coarser levels of the hierarchy (default: 4)")
    recipe.add_argument("--factor", type=float, default=5.0, help="vertices of a level over the next (default: 5)")
    recipe.add_argument(
        "--spiral-length",
        type=int,
        nargs="+",
        metavar="L",
        help="one for all levels, or one for each, finest first (default: mean + 2 sigma of the 1-rings)",
    )
    recipe.add_argument("--dilation", type=int, nargs="+", default=[1], metavar="D", help="likewise (default: 1)")
    recipe.add_argument("--components", type=int, default=64, metavar="K", help="of the PCA (default: 64)")
    recipe.add_argument(
        "--strict", action="store_true", help="stop at the first recording that cannot be used; else it is left out"
    )
    recipe.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes that share the work, 0.3 GB each at the paper's size (default: one for each core, at most 6)",
    )


def _animate(verbs: argparse._SubParsersAction) -> None:
    parser = _verb(
        verbs,
        "animate",
        commands.animate,
        "one neutral and a motion label become a 4D expression",
        "facegen animate neutral.obj --model demo/model.ckpt --expression happy --out smile.glb\n"
        "  facegen animate neutral.obj --model demo/model.ckpt --expression happy --timeline take.csv --out smile.usdc",
    )
    parser.add_argument("neutral", type=Path, metavar="NEUTRAL", help=".obj, .ply, .glb or .gltf of any face")
    _model(parser)
    parser.add_argument("--expression", metavar="NAME", help="one of the model's expressions")
    parser.add_argument(
        "--timeline",
        type=Path,
        metavar="FILE",
        help=".yaml: several expressions, instead of --expression; .csv: a recording of Live Link Face that times it",
    )
    parser.add_argument("--frames", type=int, metavar="N", help="length (default: 100)")
    parser.add_argument("--fps", type=float, metavar="F", help="frames a second (default: the model's corpus's)")
    parser.add_argument("--onset", type=int, metavar="I", help="last frame at rest")
    parser.add_argument("--apex", type=int, nargs=2, metavar=("I", "J"), help="first and last frame at the peak")
    parser.add_argument("--offset", type=int, metavar="I", help="first frame back at rest")
    parser.add_argument("--intensity", type=float, metavar="S", help="height of the label, 0 to 1 (default: 1)")
    parser.add_argument(
        "--ease", metavar="NAME", help=f"shape of rise and fall: {', '.join(EASINGS)} (default: linear)"
    )
    _output(parser)


def _evaluate(verbs: argparse._SubParsersAction) -> None:
    parser = _verb(
        verbs,
        "evaluate",
        commands.evaluate,
        "the paper's tables 2 and 3 and figures 3 to 6, of a corpus's test subjects, as a report",
        "facegen evaluate --corpus corpora/ict --spiral spiral.ckpt --blendshape blendshape.ckpt \\\n"
        "      --classifier classifier.ckpt --out report",
    )
    parser.add_argument(
        "--corpus", type=Path, required=True, metavar="CORPUS", help="what the checkpoints were trained on"
    )
    for name, text in (
        ("--spiral", "of the spiral generator; several, such as of other seeds, count by their mean"),
        ("--blendshape", "of the blendshape generator, the baseline"),
        ("--classifier", "of the expression classifier, without which there is no Table 3"),
        ("--paper-spiral", "of the spiral generator trained by the paper's recipe, for a row of its own"),
        ("--paper-blendshape", "of the baseline trained by the paper's recipe"),
    ):
        parser.add_argument(name, type=Path, nargs="+", default=[], metavar="CKPT", help=text)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to make, or to make anew")
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu or cuda (default: cpu)")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (default: 0)")


def _model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, required=True, metavar="CKPT", help="checkpoint that `facegen fit` wrote")
    parser.add_argument(
        "--units", metavar="U", help="of the mesh: mm, cm or m (default: by its size); what is made is in mm"
    )
    parser.add_argument(
        "--landmarks", type=Path, metavar="FILE", help="points on the mesh, `number x y z` a line (default: found)"
    )


def _output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help=f"by suffix: {' '.join(named_suffixes())}"
    )
    glb = parser.add_argument_group(".glb, .gltf")
    glb.add_argument("--tolerance", type=float, metavar="MM", help="largest error of the compression (default: 0.1)")
    glb.add_argument("--per-frame", action="store_true", help="one morph target for each frame, without compression")
    weights = parser.add_argument_group(".csv, ARKit weights as Live Link Face records them")
    weights.add_argument(
        "--arkit-basis", type=Path, metavar="DIR", help="a mesh for each blendshape, as in ICT-FaceKit's FaceXModel"
    )
    picture = parser.add_argument_group(".mp4, .gif, .png")
    picture.add_argument("--size", type=int, metavar="PIXELS", help="edge of a frame")
    picture.add_argument("--view", metavar="NAME", help="front, three-quarter or side (default: front)")


def _interpolate(verbs: argparse._SubParsersAction) -> None:
    parser = _verb(
        verbs,
        "interpolate",
        commands.interpolate,
        "faces between two expressions' latents (section 5.5 of the paper)",
        "facegen interpolate --model demo/model.ckpt --neutral neutral.obj --from sad --to happy --out walk.png",
    )
    _model(parser)
    parser.add_argument("--neutral", type=Path, required=True, metavar="FILE", help=".obj, .ply, .glb or .gltf")
    parser.add_argument("--from", dest="start", required=True, metavar="NAME", help="expression to begin with")
    parser.add_argument("--to", dest="stop", required=True, metavar="NAME", help="expression to end with")
    parser.add_argument("--steps", type=int, default=7, metavar="N", help="faces, both ends included (default: 7)")
    _output(parser)


def _register(verbs: argparse._SubParsersAction) -> None:
    parser = _verb(
        verbs,
        "register",
        commands.register,
        "the model's template laid onto any face mesh: its topology, that face's shape",
        "facegen register scan.ply --model demo/model.ckpt --out neutral.obj",
    )
    parser.add_argument(
        "neutral", type=Path, metavar="SCAN", help=".obj, .ply, .glb or .gltf of any face, turned anyhow"
    )
    _model(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=".obj or .ply to write")


def _photo(verbs: argparse._SubParsersAction) -> None:
    parser = _verb(
        verbs,
        "photo",
        commands.photo,
        "a neutral of the model's topology from one photograph (section 5.6 of the paper)",
        "facegen photo portrait.jpg --model demo/model.ckpt --out neutral.glb\n"
        "  facegen animate neutral.glb --model demo/model.ckpt --expression happy --out smile.glb",
    )
    parser.add_argument("picture", type=Path, metavar="PICTURE", help=".jpg, .png or .webp of a face from the front")
    parser.add_argument("--model", type=Path, required=True, metavar="CKPT", help="checkpoint that `facegen fit` wrote")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help=".glb with the picture as texture, .ply with colours, or .obj; NAME.report.png beside it shows the fit",
    )
    parser.add_argument("--face", type=int, metavar="N", help="which of several, from 1 (default: the largest, 1)")
    parser.add_argument(
        "--corpus", type=Path, metavar="CORPUS", help="whose training neutrals to use instead of the checkpoint's"
    )
    parser.add_argument("--compare", type=Path, metavar="PICTURE", help="a second one, to hold an expression against")
    parser.add_argument("--expression", metavar="NAME", help="the one to hold against it, into NAME.compare.png")


def _export(verbs: argparse._SubParsersAction) -> None:
    parser = _verb(
        verbs,
        "export",
        commands.export,
        "a sequence becomes a file that other tools open, or a picture",
        "facegen export demo/corpus --subject 003 --expression fear --out fear.mp4\n"
        "  facegen export fear.npz --arkit-basis ICT-FaceKit/FaceXModel --out fear.csv",
    )
    parser.add_argument("sequence", type=Path, metavar="CORPUS|SEQUENCE", help="a corpus, or a .npz sequence")
    parser.add_argument("--subject", metavar="NAME", help="of a corpus (default: its first test subject)")
    parser.add_argument("--expression", metavar="NAME", help="of a corpus (default: that subject's first)")
    parser.add_argument("--take", type=int, default=0, metavar="N", help="which of several, from 0 (default: 0)")
    _output(parser)


def _inspect(verbs: argparse._SubParsersAction) -> None:
    parser = _verb(
        verbs,
        "inspect",
        commands.inspect,
        "what is in a corpus, dataset, mesh, sequence or checkpoint, and whether it is sound",
        "facegen inspect corpora/coma --phases phases.png",
    )
    parser.add_argument("path", type=Path, metavar="CORPUS|ROOT|MESH|SEQUENCE|CKPT")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--phases", type=Path, metavar="FILE.png", help="of a corpus: motion and label, to look at")
    parser.add_argument("--people", type=Path, metavar="FILE.png", help="of a corpus: a dozen people and their apexes")
    parser.add_argument("--source", metavar="NAME", help="of a dataset's folder (default: what matches most)")
    parser.add_argument("--layout", type=Path, metavar="FILE.yaml", help="of a dataset's folder, with fourdfab")


def _bench(verbs: argparse._SubParsersAction) -> None:
    parser = _verb(
        verbs,
        "bench",
        commands.bench,
        "times beside those of the published form, and shares of what the machine can do, as JSON",
        "facegen bench decoder > decoder.json",
    )
    parser.add_argument("part", nargs="?", metavar="PART", help="decoder, train, prepare or loader (default: all)")
    parser.add_argument(
        "--vertices", type=int, default=28431, metavar="V", help="of the template (default: 28431, the paper's)"
    )
    parser.add_argument(
        "--frames", type=int, nargs="+", default=[1, 20, 100], metavar="N", help="to decode (default: 1 20 100)"
    )
    parser.add_argument("--repeats", type=int, default=7, metavar="N", help="rounds that count (default: 7)")
    parser.add_argument(
        "--only-fused", action="store_true", help="leave the published form out, for sizes it cannot do"
    )
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu or cuda (default: cpu)")
    parser.add_argument("--dtype", default="float32", metavar="NAME", help="float32 or bfloat16 (default: float32)")
