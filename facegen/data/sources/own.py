"""A source of the user's own, named by its module and class: `my_sources:MySource`."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Mapping
from typing import Any

from facegen.classes import typed_part
from facegen.data.sources.source import Source
from facegen.errors import DataError, FacegenError

NEEDED = ("template", "expressions", "test_subjects", "keys")
"""Attributes of a `Source` that have no default."""


def is_own(name: str) -> bool:
    """Whether a source's name is that of a class of the user's own."""
    return ":" in name


def own_class(name: str) -> type[Source]:
    """The class of a name such as `my_sources:MySource`; its module is imported, since the user has named it.

    Raises:
        FacegenError: it is not there, or is no whole source.
    """
    found = typed_part(name, "source")
    if not (isinstance(found, type) and issubclass(found, Source)):
        raise FacegenError(f"{name} is no source; derive it from facegen.data.sources.source.Source")
    if missing := sorted(getattr(found, "__abstractmethods__", ())):
        raise FacegenError(f"{name} has no method {missing[0]}, which every source needs")
    return found


def open_own(name: str, options: Mapping[str, Any], seed: int) -> Source:
    """Make a source of the user's own.

    Args:
        name: see `own_class`.
        options: those that were given, by the names of its constructor's arguments.
        seed: handed over where the constructor has an argument for it.

    Raises:
        FacegenError: its constructor takes no such option, needs another, or refuses; or it leaves an attribute unset.
    """
    kind = own_class(name)
    arguments = inspect.signature(kind).parameters
    takes_all = any(each.kind is each.VAR_KEYWORD for each in arguments.values())
    for option in options:
        if option not in arguments and not takes_all:
            raise FacegenError(f"the source {name} takes no {_typed(option)}")
    given = dict(options) | ({"seed": seed} if "seed" in arguments or takes_all else {})
    for argument in arguments.values():
        wanted = argument.default is argument.empty and argument.kind not in (
            argument.VAR_KEYWORD,
            argument.VAR_POSITIONAL,
        )
        if wanted and argument.name not in given:
            raise FacegenError(
                f"the source {name} needs {_typed(argument.name)}; give it, or a default in its constructor"
            )
    source = kind(**given)
    for attribute in NEEDED:
        if not hasattr(source, attribute):
            raise DataError(f"the source {name} does not say its {attribute}; set it in its constructor")
    return source


def require_portable(source: Source, name: str) -> None:
    """Require that a source can go to other processes.

    Raises:
        DataError: it holds something that cannot.
    """
    try:
        pickle.dumps(source)
    except Exception as error:  # whatever it holds may say no in a way of its own
        raise DataError(
            f"the source {name} cannot go to other processes ; keep paths in it, not open files, or give --workers 1"
        ) from error


def _typed(option: str) -> str:
    return f"--{option.replace('_', '-')}"
