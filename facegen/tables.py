"""What stands in every file that facegen reads back, a table for each; see `facegen.schema`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from facegen.schema import ANYTHING, Array, Flag, Kind, ListOf, MapOf, Maybe, Number, OneOf, Plain, Table, Text

FPS = Number(0.01, 10_000)
"""Frames a second. Chosen: high-speed cameras record a tenth of the latter, time-lapses ten times the former."""
SHARE = Number(0, 1)
_UNSEEN = r"\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
NAME = Text(rf"[^{_UNSEEN}/\\]{{1,200}}", "a name of at most 200 signs that can be shown, none of them / or \\")
"""Of a person or an expression: it may stand in a file's name, in a table and in a picture."""
NEW_NAME = Text(
    rf"(?!(?i:con|prn|aux|nul|com\d|lpt\d) *(\.|$))(?![. ])[^{_UNSEEN}/\\<>:\"|?*]{{1,200}}(?<![. ])",
    'a name that every system takes for a file: at most 200 signs that can be shown, none of them / \\ < > : " | ? *, '
    "no dot or space at its ends, and not CON, NUL or the like",
)
"""The same, of what is prepared today: corpora are carried to other systems, and files named after who is in them."""
TITLE = Text(f"[^{_UNSEEN}]{{1,1000}}", "a name of at most 1,000 signs that can be shown")
"""What a dataset calls a recording."""
NAMES = ListOf(NAME, apart=True)
DIGEST = Text("[0-9a-f]{64}", "a digest of 64 hexadecimal digits")
SAID = Text(f"[^{_UNSEEN}]*", "a line of signs that can be shown")
THOUSANDTHS = Text(r"(1000|\d{1,3})( (1000|\d{1,3}))*", "whole numbers from 0 to 1000 with spaces between them")
"""A curve in thousandths, see `facegen.data.manifest.thousandths`."""
MOST_FRAMES = 10_000_000
"""Frames of one recording at most: more than a day of them. Chosen, so that numbers of frames stay numbers."""
FRAME = Number(0, MOST_FRAMES, whole=True)
FARTHEST = 1e6
"""mm; no coordinate is further from the origin. Chosen: a kilometre."""
MOST_NUMBERS = 1e18
"""Coordinates of one recording at most. Chosen far above what a disk holds, so that sums of them stay numbers."""
COUNT = Number(1, 65_536, whole=True)
"""A width of a layer, or a number of people. Chosen far above any that is used."""

ENTRY = Table(
    {
        "subject": NAME,
        "expression": NAME,
        "recording": TITLE,
        "first": FRAME,
        "frames": Number(1, MOST_FRAMES, whole=True),
        "phases": ListOf(FRAME, 4, 4),
        "confidence": Maybe(SHARE),
        "envelope": Maybe(ListOf(SHARE)),
        "deformation": Number(0, FARTHEST),
        "intensity": SHARE,
        "array": Text("[0-9]{1,9}-[0-9]{1,9}", "a place and a number, such as 12-0"),
        "scale": Number(0, 1, above=True),
        "sha256": DIGEST,
    },
    {"explained": Maybe(Number(-FARTHEST, 1)), "others": Maybe(MapOf(THOUSANDTHS)), "level": Maybe(SHARE)},
)
"""One sequence of a corpus, see `facegen.data.manifest.Entry`."""
CORPUS = Table(
    {
        "units": OneOf(("mm",)),
        "expressions": ListOf(NAME, 1, apart=True),
        "fps": FPS,
        "test_subjects": NAMES,
        "displacement_scale": Number(0, FARTHEST),
        "hierarchy": DIGEST,
        "digest": DIGEST,
        "left_out": ListOf(Table({"subject": SAID, "recording": SAID, "reason": SAID}, more=True)),
        "provenance": Table(
            {"source": NAME, "recipe": Table(optional={"label": NAME, "align": NAME}, more=True)}, more=True
        ),
        "sequences": ListOf(ENTRY, 1),
    },
    {"val_subjects": NAMES},
    more=True,
)
"""`manifest.json` of a corpus."""
WRITTEN = Table(
    {
        "entries": ListOf(ENTRY, 1),
        "dropped": ListOf(SAID),
        "fps": FPS,
        "squares": Number(0, MOST_NUMBERS * FARTHEST**2),
        "numbers": Number(0, MOST_NUMBERS, whole=True),
    }
)
"""What the journal of an unfinished corpus says of one recording, see `facegen.data.writing.Written`."""

REPORT = Table(
    {
        "table2": MapOf(MapOf(Table({"mean_mm": Number(0, FARTHEST)}, more=True))),
        "corpus": Table(
            {"provenance": Table({"recipe": Table(optional={"label": NAME}, more=True)}, more=True)}, more=True
        ),
    },
    more=True,
)
"""What is read of an earlier report beside which another is made, see `facegen.evaluation.beside`."""
ACTING = Table(
    {"seed": Number(0, whole=True), "subjects": COUNT, "frames": ListOf(FRAME, 2, 2)},
    {
        "vertices": Maybe(Number(1, whole=True)),
        "fps": FPS,
        "acting": NAME,
        "takes_per_expression": COUNT,
        "blinks": Flag(),
        "region": NAME,
        **dict.fromkeys(("test_subjects", "val_subjects"), Maybe(Number(0, whole=True))),
    },
    more=True,
)
"""What a corpus says of how its people were made, see `facegen.evaluation.oracles`."""

TIMELINE = Table({"frames": Number(0, MOST_FRAMES, whole=True)}, {"fps": Maybe(FPS)}, more=True)
"""A timeline; what its events may say is looked at where they become a label."""
UNIT = OneOf(("mm", "cm", "m"))
DATASET = Table(
    optional={
        "units": UNIT,
        "fps": FPS,
        **dict.fromkeys(("expressions", "test_subjects", "val_subjects"), ListOf(Text())),
        "leave_out": Maybe(ListOf(Text())),
    }
)
"""`dataset.yaml` in a dataset's folder."""
LAYOUT = Table(
    optional={
        **dict.fromkeys(("patterns", "neutral", "test_subjects", "val_subjects", "passed_over"), ListOf(Text())),
        "expressions": MapOf(Text()),
        "units": UNIT,
        "fps": FPS,
        **dict.fromkeys(("rest", "annotations"), Text()),
    }
)
"""How a dataset is laid out, see `facegen.data.sources.layout.Layout`."""
OWN_SETTINGS = Table(
    optional={
        **dict.fromkeys(("latent", "people", "style", "take", "components", "frames"), COUNT),
        **dict.fromkeys(("channels", "hidden"), ListOf(COUNT, 1, 32)),
        **dict.fromkeys(("bidirectional", "per_vertex", "fused"), Flag()),
        "activation": Text(),
        "scale": Number(0, FARTHEST),
        "usual": Maybe(Number(0, COUNT.high, whole=True)),
    },
    more=True,
)
"""Arguments of facegen's own networks."""
EPOCH = Number(0, 1e9, whole=True)
CHECKPOINT = Table(
    {
        "kind": Text(),
        "model": Maybe(Text()),
        "init_args": MapOf(Plain()),
        "network": Text(),
        "settings": MapOf(Plain()),
        "hierarchy": MapOf(ANYTHING),
        "expressions": ListOf(NAME, 1, apart=True),
        "fps": FPS,
        "floor": SHARE,
        "corpus": Text(),
    },
    {
        "displacement_scale": Number(0, FARTHEST),
        "units": OneOf(("mm",)),
        "hierarchy_digest": Text(),
        "identity": MapOf(ANYTHING),
        "landmarks": MapOf(ANYTHING),
    },
    more=True,
)
"""facegen's entry of a checkpoint, see `facegen.checkpoint_entry.pack`; what is in its tables of arrays is looked at
where these are put together."""


TRAINING = Table(
    optional={
        "pytorch-lightning_version": Text(r"[0-9]+(\.[0-9]+)+\S{0,40}", "a version"),
        "state_dict": MapOf(ANYTHING),
        **dict.fromkeys(("epoch", "global_step"), EPOCH),
        **dict.fromkeys(("optimizer_states", "lr_schedulers"), ListOf(MapOf(ANYTHING))),
        **dict.fromkeys(("current_model_state", "averaging_state"), MapOf(ANYTHING)),
        "loops": MapOf(MapOf(ANYTHING)),
        "callbacks": MapOf(MapOf(ANYTHING)),
    },
    more=True,
)
"""What Lightning writes of a training into its checkpoint; what is in its tables is its own."""


def hierarchy_table(arrays: Mapping[str, np.ndarray]) -> Table:
    """The table that a hierarchy's arrays have to fit, as `facegen.mesh.hierarchy.MeshHierarchy.arrays` gives them.

    Args:
        arrays: by name; lengths that may be any are taken from them.
    """
    depth = sum(name.startswith("keep") for name in arrays)
    sizes = [len(arrays[name]) if name in arrays else 0 for name in ("vertices", *map("keep{}".format, range(depth)))]
    needed: dict[str, Kind] = {
        "vertices": Array("f", (sizes[0], 3), -FARTHEST, FARTHEST),
        "reference": Array("iu", (1,), 0, sizes[0] - 1),
    }
    for level, size in enumerate(sizes):
        needed[f"faces{level}"] = Array("iu", (None, 3), 0, size - 1)
        needed[f"spiral{level}"] = Array("int64", (size, None), -1, size - 1)
    for step, (fine, coarse) in enumerate(pairwise(sizes)):
        needed[f"keep{step}"] = Array("iu", (coarse,), 0, fine - 1)
        needed[f"upsample{step}_values"] = Array("f", (None,), -1e3, 1e3)
        needed[f"upsample{step}_columns"] = Array("iu", (None,), 0, coarse - 1)
        needed[f"upsample{step}_rows"] = Array("iu", (fine + 1,), 0, fine * coarse)
    optional: dict[str, Kind] = {
        "polygons": Array("iu", (None, None), -1, sizes[0] - 1),
        "factor": Array("f", (1,), 1, FARTHEST),
        "dilations": Array("iu", (depth + 1,), 1, 65_536),
    }
    return Table(needed, optional)
