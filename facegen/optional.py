"""Import of packages that only some users need."""

from __future__ import annotations

import importlib
from types import ModuleType

from facegen.errors import FacegenError


def require(module: str, extra: str) -> ModuleType:
    """Import `module`, or say which extra of this package brings it.

    Raises:
        FacegenError: the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise FacegenError(
            f"this needs the package {module!r}, which is not installed: pip install 'facegen[{extra}]'"
        ) from error
