"""A fuzzer that is guided by coverage, over the readers that are written here: `make fuzz`.

`python -m faults.fuzz SECONDS` shares the time among the readers, each in a process of its own, since one ends where it
finds something. `python -m faults.fuzz READER SECONDS FOLDER` is one of them. What is found lies in the folder as
`crash-*`; put it into `tests/faults/found/`, named after its reader, and `test_found.py` reads it from then on.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HEAVIEST = 4096
"""Bytes of an input at most. Chosen: small files reach all of a reader, and quickly."""
MEMORY, PATIENCE = 4096, 20
"""MB that a process may take in all, and seconds that an input may take."""


def seeds(kind: str, folder: Path) -> None:
    """Small files that are whole, to begin with."""
    from faults import strategies
    from live_link_files import bumps, lines

    square = (
        "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvn 0 0 1\nmtllib a.mtl\ng a\nusemtl b\nf 1/1/1 2/1/1 3/1/1\nf -3 -2 -1\n"
    )
    head = (
        "ply\nformat {} 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nelement face 1\n"
    )
    head += "property list uchar int vertex_indices\nend_header\n"
    body = strategies.POINTS[:3].tobytes() + b"\x03" + bytes([0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0])
    table = "subject,expression,onset,apex_start,apex_end,offset\nann,happy,1,4,7,10\nbob,sad,0,1,2,3\n"
    whole = {
        "obj": [square.encode()],
        "ply": [head.format("ascii").encode() + b"0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n"]
        + [head.format("binary_little_endian").encode() + body],
        "glb": [strategies.packed(strategies.TREE)],
        "yaml": [b"frames: 6\nfps: 12\nevents:\n- {expression: happy, onset: 0, apex: [2, 3], offset: 5}\n"]
        + [b"frames: 6\nevents:\n- {expression: sad, keys: [[0, 0], [2, 0.5], [5, 0]], ease: smooth}\n"],
        "take": ["\n".join(lines(bumps(30, ("JawOpen", 0.1, 0.5))[:3], rate=30)).encode()],
        "annotations": [table.encode()],
    }
    for number, data in enumerate(whole[kind]):
        (folder / f"seed-{number}").write_bytes(data)


def fuzz(kind: str, seconds: int, folder: Path) -> None:
    """Fuzz one reader; does not return."""
    import atheris

    with atheris.instrument_imports(include=["facegen"]):
        from faults.readers import read

    place = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))

    def once(data: bytes) -> None:
        read(kind, data, place)

    corpus = folder / kind
    corpus.mkdir(parents=True, exist_ok=True)
    seeds(kind, corpus)
    options = [f"-max_total_time={seconds}", f"-max_len={HEAVIEST}", f"-rss_limit_mb={MEMORY}", f"-timeout={PATIENCE}"]
    options += [f"-artifact_prefix={folder}/{kind}-", "-print_final_stats=1", "-close_fd_mask=1", "-verbosity=1"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], once)
    atheris.Fuzz()


def main(seconds: int, folder: Path) -> int:
    """All readers in turn; 1 where one of them found something."""
    kinds = ("obj", "ply", "glb", "yaml", "take", "annotations")
    folder.mkdir(parents=True, exist_ok=True)
    for kind in kinds:
        command = [sys.executable, "-m", "faults.fuzz", kind, str(seconds // len(kinds)), str(folder)]
        with (folder / f"{kind}.log").open("w") as log:
            subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)
        text = (folder / f"{kind}.log").read_text(errors="replace")
        executed = [line for line in text.splitlines() if "number_of_executed_units" in line]
        print(f"{kind}: {executed[0].split()[-1] if executed else 'no'} inputs", flush=True)
    found = sorted(path for word in ("crash", "oom", "timeout", "leak") for path in folder.glob(f"*-{word}-*"))
    for path in found:
        print(f"found: {path}; {folder / path.name.partition('-')[0]}.log says what")
    return int(bool(found))


if __name__ == "__main__":
    if len(sys.argv) > 3:
        fuzz(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]).absolute())
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else ".venv/fuzz").absolute()))
