"""What went wrong in a training, in one line of facegen's."""

from __future__ import annotations

import re

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
    return error


_UNLOGGED = re.compile(r"stopping conditioned on metric `(.+?)` which is not|monitor='(.+?)'\) could not find")
"""What Lightning says after an epoch where nobody logged what a callback monitors."""
_ALONE = re.compile(r"gloo/|NCCL|Connection (closed|reset) by peer|Broken pipe|DistNetworkError", re.I)
"""What is said where processes compute together and one is gone."""
_METRIC = re.compile(r"[`'](\w+/[\w/]+)[`']")
"""How it quotes the names of metrics."""
