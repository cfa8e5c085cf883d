"""A page that plays a `.glb`, in one file that asks nothing of any network: the animation, three.js and a player."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

import numpy as np

from facegen.errors import FacegenError
from facegen.files import new_file
from facegen.places import folder_aside

SUFFIX = ".html"
LARGEST = 256 << 20
"""Bytes of the `.glb` at most: browsers hold one text of 512 MB, and base64 is a third longer than what it holds."""
SHOWN_SHARE = 0.1
"""Share of the farthest motion of any point, above which a point is one of the face. Chosen: necks move by less."""
HAIR = 0.2
"""How much further a head goes than what moves of it, as a share of that. Chosen: it shows the crown."""
WEB = Path(__file__).parents[1] / "web"
"""What pages are made of."""
PLAYER = ("player.js", *(f"player_{part}.js" for part in ("face", "moment", "written", "hands")))
"""The player's parts, in their order."""
_BLOCK = 3 << 18
"""Bytes that are written at once, a multiple of three: base64 of such parts can stand in a row."""
_IMPORT = 'import * as THREE from "./three.min.js";\n'
_EXPORT = re.compile(r"export\{([\w$, ]+)\};")


@dataclass(frozen=True)
class About:
    """What a page says of its animation.

    Args:
        title: of the page.
        seen: (V, 3) points that are to be seen, in the file's metres.
        fps: frames a second.
        frames: of the animation; 1 where nothing moves.
        curves: by name, (T,) in [0, 1], what is drawn over time, as the motion label.
        animation: name of the animation in the file that is played.
        turn: (3, 3); `seen @ turn.T` has +y up and +z out of the face.
    """

    title: str
    seen: np.ndarray
    fps: float = 1.0
    frames: int = 1
    curves: dict[str, np.ndarray] | None = None
    animation: str = ""
    turn: np.ndarray = field(default_factory=lambda: np.eye(3))

    def json(self) -> str:
        """As text that can stand in a page: no name can end the element that holds it."""
        curves = [{"name": name, "values": np.round(row, 4).tolist()} for name, row in (self.curves or {}).items()]
        said = {"fps": self.fps, "frames": self.frames, "curves": curves, "animation": self.animation}
        points = self.seen @ self.turn.T
        box = np.stack([points.min(axis=0), points.max(axis=0)])
        said |= {"box": np.round(box, 5).tolist(), "turn": np.round(self.turn, 6).tolist()}
        return json.dumps(said).replace("<", "\\u003c")


@contextmanager
def page_of(path: str | Path) -> Iterator[tuple[Path, list[About]]]:
    """A `.glb` to write, which becomes part of the page `path`; another `path` is itself what is to be written.

    Yields:
        Where to write, and a list that takes what is known of it, once it is known.

    Raises:
        FacegenError: the page cannot be written, or the `.glb` is too large for one.
    """
    path, about = Path(path), []
    if path.suffix.lower() != SUFFIX:
        yield path, about
        return
    with new_file(path) as aside, folder_aside(path) as folder:
        glb = folder / f"{path.stem}.glb"
        yield glb, about
        _write(glb, about[0], aside)


def moved_points(neutral: np.ndarray, moved: np.ndarray, factor: float = 1.0) -> np.ndarray:
    """(2, 3) metres: corners of a box around the points that move, for a page of a whole body to show its face.

    Args:
        neutral: (V, 3) mm.
        moved: (V,) how far each moves at most; where nothing moves, all are taken.
        factor: millimetres in one of the file's, see `facegen.face.Face.factor`.
    """
    far = neutral[moved > SHOWN_SHARE * moved.max(initial=0)]
    seen = far if len(far) else neutral
    low, high = seen.min(axis=0), seen.max(axis=0)
    return np.stack([low, high + HAIR * (high - low)]) / (1000 * factor)


def _write(glb: Path, about: About, aside: Path) -> None:
    size = glb.stat().st_size
    if size > LARGEST:
        raise FacegenError(
            f"a page holds {LARGEST >> 20} MB of animation at most, this makes {size / (1 << 20):.0f}; take .glb, or a "
            "larger --tolerance"
        )
    style, script = (WEB / "player.css").read_text(encoding="utf-8"), _script()
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; img-src blob: data:; "
        "connect-src blob: data:; base-uri 'none'; form-action 'none'"
    )
    words = {"title": html.escape(about.title), "about": about.json(), "policy": policy}
    words |= {"style": style, "script": script}
    parts = (WEB / "player.html").read_text(encoding="utf-8").split("$asset")
    before, after = (Template(part).substitute(words) for part in parts)
    with glb.open("rb") as source, aside.open("w", encoding="utf-8", newline="\n") as page:
        page.write(before)
        while block := source.read(_BLOCK):
            page.write(base64.b64encode(block).decode())
        page.write(after)


def _script() -> str:
    """The player with all of three.js in it, as one module: pages from a disk may import no other."""
    three, *parts = ((WEB / name).read_text(encoding="utf-8") for name in ("three.min.js", *PLAYER))
    player = "\n".join(parts)
    three, found = _EXPORT.subn(_returned, three)
    if found != 1 or _IMPORT not in player:
        raise FacegenError(f"{WEB}: expected three.js as one module and a player that imports it; install facegen anew")
    return f"const THREE = (() => {{\n{three}\n}})();\n{player.replace(_IMPORT, '')}"


def _returned(exported: re.Match) -> str:
    pairs = (each.split(" as ") for each in exported[1].split(","))
    return "return{" + ",".join(f"{name}:{own}" for own, name in pairs) + "};"


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
