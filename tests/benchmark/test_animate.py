"""What `facegen bench animate` takes; a face takes seconds in each of two processes, and is not timed here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facegen.benchmark import animate as benchmarked
from facegen.benchmark.animate import animate, imports
from facegen.cli import run
from facegen.errors import FacegenError


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("animate", "give --mesh FILE and --model CKPT"),
        (
            "animate --mesh a.obj --model a.ckpt --repeats 0",
            "--repeats: must be a whole number from 1 to 10,000, got '0'",
        ),
        ("animate --mesh a.obj --model a.ckpt --against {empty}", "expected the folder of a checkout"),
        ("start --mesh a.obj", "start needs faces and a model"),
        ("start --mesh a.obj --model a.ckpt", "a.obj"),
        ("pose", "pose needs faces; give --mesh FILE"),
        ("pose --mesh a.obj --repeats 0", "--repeats: must be a whole number from 1 to 10,000, got '0'"),
        ("decoder --mesh a.obj", "--mesh is of animate, start, pose, studio; leave it out for decoder"),
        (
            "--model a.ckpt",
            "--model is of animate, start, pose, studio; leave it out for decoder, train, prepare, loader",
        ),
        (
            "pose --mesh a.obj --against HEAD",
            "--against is of decoder, train, prepare, loader, animate, start; leave it",
        ),
        ("stream --root .", "--root is of own-face; leave it out for stream"),
    ],
)
def test_what_cannot_be_timed_is_refused(
    arguments: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", *arguments.format(empty=tmp_path).split()]) == 2
    assert said in capsys.readouterr().err


def test_a_frame_s_cost_is_told_step_by_step(
    neutral_path: Path, checkpoint_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    asked = ["--mesh", str(neutral_path), "--model", str(checkpoint_path), "--expression", "happy", "--repeats", "1"]
    assert run(["bench", "pose", *asked]) == 0
    found = json.loads(capsys.readouterr().out)[neutral_path.name]
    assert (found["vertices"], found["fitted"]) == (420, False)
    steps = [found[f"{name}_ms"] for name in ("label", "decode", "carry")]
    assert found["frame_ms"] == pytest.approx(sum(steps), abs=0.03)  # of one round, but for rounding
    assert min(found["take_ms"], found["mixed_ms"]) >= 0


CHECKOUT = """import json, sys
from pathlib import Path
import numpy
text = json.dumps({"meshes": [{"primitives": [{"targets": [{}, {}]}]}]}).encode()
Path(sys.argv[-1]).write_bytes(bytes(12) + len(text).to_bytes(4, "little") + b"JSON" + text)
"""


def test_imports_are_told_by_package(tmp_path: Path) -> None:
    (tmp_path / "facegen").mkdir()
    (tmp_path / "facegen" / "__init__.py").touch()
    (tmp_path / "facegen" / "__main__.py").write_text(CHECKOUT)
    mesh, model = tmp_path / "a.obj", tmp_path / "a.ckpt"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmarked, "LEAST_MS", 0.0)
        found = imports(tmp_path, mesh, model, "happy")
        patch.setattr(benchmarked, "LEAST_MS", 1e6)
        assert set(imports(tmp_path, mesh, model, "happy")) == {"others"}  # small ones are told together
    assert {"python", "numpy", "facegen"} <= set(found) and not {"json", "torch", "imported package"} & set(found)
    times = list(found.values())[:-1]
    assert times == sorted(times, reverse=True) and found["numpy"] > 1


def test_a_checkout_in_which_the_command_fails_is_named(tmp_path: Path) -> None:
    (tmp_path / "facegen").mkdir()
    (tmp_path / "facegen" / "__main__.py").write_text("raise SystemExit('no such verb')")
    mesh, model = tmp_path / "a.obj", tmp_path / "a.ckpt"
    with pytest.raises(FacegenError, match="ends with"):
        animate([mesh], model, "happy", tmp_path, 1)
