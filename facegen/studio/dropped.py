"""A mesh file or a photograph becomes a stage, in a process of its own that can be stopped.

`python -m facegen.studio.dropped FILE CKPT FOLDER [MODULE ...]` does it; a line that begins with `stage:` says how far
it is, and a mistake is told as the command line tells it. What cannot be read is refused before a model is loaded.
"""

from __future__ import annotations

import sys
from pathlib import Path

from facegen.errors import FacegenError
from facegen.studio.names import FROM_PHOTO, MISTAKE, PICTURES, STAGE


def run(arguments: list[str]) -> int:
    """What the module does when it is run; gives its exit code."""
    path, model, folder, *trust = arguments
    try:
        _stage(Path(path), Path(model), Path(folder), trust)
        return 0
    except FacegenError as error:
        print(f"{MISTAKE}{' '.join(str(error).split())}", file=sys.stderr)
    except MemoryError:
        print(f"{MISTAKE}not enough memory for a mesh of this size; take a smaller one", file=sys.stderr)
    return 2


def _stage(path: Path, model_path: Path, folder: Path, trust: list[str]) -> None:
    photograph = path.suffix.lower() in PICTURES
    if photograph:
        from facegen.photo.picture import read_picture

        read_picture(path)
    else:
        from facegen.mesh.formats.io import read_mesh

        _say("reading the mesh")
        read_mesh(path)
    from facegen import checkpoint
    from facegen.studio.staging import stage

    model = checkpoint.load(model_path, trust=trust)
    if photograph:
        from facegen.photo.fit import told
        from facegen.photo.neutral import identity_of, photographed
        from facegen.photo.picture import read_photos

        _say("looking for a face in the photograph")
        shots = read_photos([path], None)
        identity = identity_of(model, None, model_path.name)
        path = folder / FROM_PHOTO
        print(told(photographed(model, identity, shots, path)[0], model.expressions))
    stage(path, model, folder, _say).save(folder)


def _say(text: str) -> None:
    print(f"{STAGE}{text}", flush=True)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
