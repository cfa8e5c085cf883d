"""Timings, as ratios within one run and shares of what the machine can do; and how truly motion is carried."""

from __future__ import annotations

import platform
from typing import Any

import torch

from facegen import __version__
from facegen.benchmark import parts
from facegen.benchmark.measure import ceilings, say
from facegen.benchmark.parts import Setting

__all__ = ["ANIMATE", "OWN_FACE", "PARTS", "POSE", "START", "STREAM", "STUDIO", "Setting", "bench"]

PARTS = ("decoder", "train", "prepare", "loader")
"""What can be timed, in this order."""
OWN_FACE = "own-face"
"""What needs the shapes of other heads, and is therefore measured only where it is asked for: see
`facegen.benchmark.own_face`."""

ANIMATE, START = "animate", "start"
"""What needs a model and a mesh, and is measured only where it is asked for: see `facegen.benchmark.animate` and
`facegen.benchmark.start`."""
POSE = "pose"
"""What needs a mesh, and is measured only where it is asked for: see `facegen.benchmark.pose`."""
STREAM = "stream"
"""What takes two minutes, however fast the machine is, and is measured only where it is asked for: see
`facegen.benchmark.streaming`."""

STUDIO = "studio"
"""What needs a browser, and is measured only where it is asked for: see `facegen.benchmark.studio`."""


def bench(chosen: list[str], setting: Setting) -> dict[str, Any]:
    """Run parts of the benchmark.

    Args:
        chosen: some of `PARTS`.
        setting: sizes.

    Returns:
        A dictionary that can be written as JSON: `machine`, `ceilings`, and a key for each part.
    """
    torch.manual_seed(0)
    say("ceilings: a large matrix product and a large copy")
    limits = ceilings(setting.device, setting.dtype)
    result: dict[str, Any] = {"machine": _machine(setting), "ceilings": limits}
    for name in chosen:
        part = getattr(parts, name)
        result[name] = part(setting, limits) if name in ("decoder", "train") else part(setting)
    return result


def _machine(setting: Setting) -> dict[str, Any]:
    cuda = setting.device.type == "cuda"
    return {
        "facegen": __version__,
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(setting.device) if cuda else platform.processor() or platform.machine(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "dtype": str(setting.dtype).removeprefix("torch."),
        "vertices": setting.vertices,
    }
