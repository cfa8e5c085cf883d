"""What went wrong in a training, in one line of facegen's."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

from facegen.errors import FacegenError, unknown


def plain_error(error: BaseException) -> BaseException:
    """The user's mistake inside an error that jsonargparse or a worker process has wrapped; others stay as they are."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, FacegenError):
            # A worker's error carries its traceback as text; what was said stands in the last line.
            last = str(cause).strip().splitlines()[-1]
            worker = "DataLoader worker process" in str(cause)
            return FacegenError(last.partition("Error: ")[2] or last) if worker else FacegenError(str(cause))
        cause = cause.__cause__ or cause.__context__
    if found := _UNLOGGED.search(str(error)):
        name = found[1] or found[2]
        logged = dict.fromkeys(each for each in _METRIC.findall(str(error)) if each != name)
        return FacegenError(f"{unknown('metric to monitor', name, logged)}; or log it with self.log({name!r}, ...)")
    if isinstance(error, RuntimeError) and _ALONE.search(str(error)):
        return FacegenError(
            "another process of this training ended; its last lines say why. The same command with --ckpt_path and the "
            "last checkpoint goes on from there"
        )
    if _while_restoring(error):
        return FacegenError(
            "the state of training in the checkpoint does not fit this training, or is damaged; go on with another "
            "checkpoint, or train anew without --ckpt_path"
        )
    if isinstance(error, RuntimeError) and _PRECISION.search(str(error)):
        return FacegenError(
            "this processor does not compute in the precision that is asked for; leave --trainer.precision out, or "
            "take bf16-mixed"
        )
    if isinstance(error, ModuleNotFoundError) and "torch_xla" in str(error):
        return FacegenError("trainer.accelerator: tpu needs torch_xla, which is not installed; take another")
    if isinstance(error, ModuleNotFoundError) and (found := _NEEDED.search(str(error))):
        return FacegenError(
            f"a setting of trainer needs {found[1]}, which is not installed; install it, or leave that setting out"
        )
    return error


def _while_restoring(error: BaseException) -> bool:
    """Whether it is from where Lightning gives a training back what a checkpoint holds, and not from a user's code."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [(Path(frame.filename).name, frame.name.lstrip("_")) for frame in frames]
    restoring = any(file == "checkpoint_connector.py" and name.startswith("re") for file, name in places)
    return restoring and bool({"torch", "pytorch_lightning", "packaging"} & {*Path(frames[-1].filename).parts})


_PRECISION = re.compile(r"mkldnn|primitive descriptor|not implemented for '(Half|BFloat16)'", re.I)
"""What torch says of numbers of a kind that a processor's library has no code for."""
_NEEDED = re.compile(r"Requirement '([\w.-]+)")
"""What Lightning says of a package that a setting needs."""
_UNLOGGED = re.compile(r"stopping conditioned on metric `(.+?)` which is not|monitor='(.+?)'\) could not find")
"""What Lightning says after an epoch where nobody logged what a callback monitors."""
_ALONE = re.compile(r"gloo/|NCCL|Connection (closed|reset) by peer|Broken pipe|DistNetworkError", re.I)
"""What is said where processes compute together and one is gone."""
_METRIC = re.compile(r"[`'](\w+/[\w/]+)[`']")
"""How it quotes the names of metrics."""
