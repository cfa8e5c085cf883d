"""Classes by path, and whose: a file may name those of facegen itself and of modules that the user trusts, no other."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from pathlib import Path
from types import FunctionType

from facegen.errors import CheckpointError, FacegenError

PACKAGE = "facegen"
_trusted: ContextVar[tuple[str, ...] | None] = ContextVar("trusted", default=None)
"""Modules of which the file that is being read may name classes; None where no file is read, so that names come from
the user's own config or code."""
_told: set[str] = set()
"""Modules of the current folder that were spoken of."""


class UntrustedClassError(CheckpointError):
    """A file names a class of a module that the user has not said to trust."""


@contextmanager
def trusting(modules: str | Iterable[str]) -> Iterator[None]:
    """While this runs, names come from a file: classes of these modules alone are imported, beside facegen's own.

    Args:
        modules: names such as `my_models`; one of a package stands for all modules in it.
    """
    before = _trusted.set((modules,) if isinstance(modules, str) else tuple(modules))
    try:
        yield
    finally:
        _trusted.reset(before)


def class_path(kind: type) -> str:
    """The path by which `named_class` finds a class again.

    Raises:
        FacegenError: it is defined inside a function or another class, where no path leads.
    """
    if "." in kind.__qualname__:
        raise FacegenError(
            f"{kind.__name__} is defined inside a function or another class, where a checkpoint cannot name it; put it "
            "at the top of a module"
        )
    return f"{kind.__module__}.{kind.__name__}"


def is_own(path: str) -> bool:
    """Whether a path leads into this package."""
    return path.startswith(f"{PACKAGE}.")


def named_class(path: str, base: type, known: Mapping[str, type]) -> type:
    """The class of a path; its module is imported only where it may be.

    Args:
        path: such as `my_models.MyNetwork`.
        base: what the class must be derived from.
        known: facegen's own classes that may be named here, by their paths.

    Raises:
        UntrustedClassError: a file names it, and its module is none that the user trusts.
        FacegenError: the path is none, leads to nothing, or to something else.
    """
    if path in known:
        return known[path]
    module, _, name = path.rpartition(".")
    if not module or not all(part.isidentifier() for part in path.split(".")):
        raise FacegenError(f"{path!r} is no path of a class; give one such as my_models.MyNetwork")
    if is_own(path):
        raise FacegenError(f"{path} cannot be named here; facegen's own are {', '.join(known) or 'none'}")
    trusted = _trusted.get()
    if trusted is not None and not _covered(module, trusted):
        raise UntrustedClassError(
            f"it names the class {path}, which is not facegen's own; if you trust that module, add --trust {module} "
            f'(in Python trust=("{module}",)), and it is imported'
        )
    found = getattr(_imported(module, path), name, None)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise FacegenError(f"{path}: {module} has no class {name} that is derived from {base.__name__}")
    if trusted is not None and not _covered(found.__module__, trusted):  # what a trusted module has itself imported
        raise UntrustedClassError(f"it names {path}, which is defined in {found.__module__} and not in {module}")
    tell_current_folder(found)
    return found


def typed_part(name: str, what: str) -> object:
    """What the user has named on the command line, as `module:name`; so its module is imported.

    Args:
        name: such as `my_sources:MySource`.
        what: it should be, for messages.

    Raises:
        FacegenError: the name is none, or leads to nothing.
    """
    module, _, part = name.partition(":")
    if not part.isidentifier() or not all(each.isidentifier() for each in module.split(".")):
        raise FacegenError(f"{name!r} names no {what}; give its module and its name, such as my_parts:{part or 'name'}")
    found = getattr(_imported(module, name), part, None)
    if found is None:
        raise FacegenError(f"{name}: {module} has no {part}")
    if isinstance(found, (type, FunctionType)):
        tell_current_folder(found)
    return found


def _covered(module: str, trusted: Iterable[str]) -> bool:
    return any(module == each or module.startswith(f"{each}.") for each in trusted)


def _imported(module: str, path: str) -> object:
    add_current_folder()
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):  # something that the module wants
            raise
        raise FacegenError(
            f"{path}: there is no module {module} in the current folder or among what is installed; run in the folder "
            "that it lies in, or install it"
        ) from error


def add_current_folder() -> None:
    """Let modules be found in the current folder too: last of all, so that nothing there hides what is installed."""
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)


def tell_current_folder(kind: type | FunctionType) -> None:
    """Say, once for each module, that a class or function comes from the current folder."""
    name = kind.__module__
    file = getattr(sys.modules.get(name), "__file__", None)
    if is_own(name) or name in _told or file is None:
        return
    place = Path.cwd().joinpath(*name.split("."))
    if Path(file).resolve() in (place.with_suffix(".py").resolve(), (place / "__init__.py").resolve()):
        _told.add(name)
        print(f"facegen: {kind.__name__} comes from the current folder, {file}", file=sys.stderr)
