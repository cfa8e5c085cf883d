"""Files: written aside, then renamed, so that a name that was asked for never holds half of one; YAML, checked."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

from facegen.errors import FacegenError, unknown
from facegen.inputs import is_read
from facegen.places import (
    CONTENT_NAMED,
    aside_of,
    onto_disk,
    real_place,
    require_parent,
    require_writable,
    sweep,
    told_as,
)
from facegen.plain_text import read_plain_yaml
from facegen.schema import ANYTHING, Kind, WrongValueError

UNWRITTEN = "it could not be written; is the disk full, or gone? Make room, or name another place"
"""What is said where a library could not write, in whose words it does not stand."""


def plain_name(name: str) -> str:
    """A name in which neither the case of letters nor how accents are encoded matters."""
    return unicodedata.normalize("NFC", name).casefold()


def require_new_file(path: str | Path) -> Path:
    """Look before long work whether `new_file` could be entered; the path again.

    Raises:
        FacegenError: see `new_file`.
    """
    path = _require_place(path)
    require_writable(path.parent, path)
    return path


def _require_place(path: str | Path) -> Path:
    """The same, but that nothing is made to see whether that can be done."""
    path = real_place(path)
    if path.is_dir():
        raise FacegenError(f"cannot write {path}: a folder of that name is there")
    if is_read(path) and not CONTENT_NAMED.search(path.name):
        raise FacegenError(f"cannot write {path}: it is what this command has read; name another place")
    require_parent(path)
    return path


@contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """A path beside `path` to write to; on the disk, it is renamed to `path` at the end, and removed after an error.

    What processes that have died left aside in the same folder is removed first.

    Args:
        path: the wished name.

    Raises:
        FacegenError: the folder is missing or not writable, or `path` is a folder, a link, a device or a pipe,
            or a file that this command has read.
    """
    path = _require_place(path)
    aside = aside_of(path)
    sweep(path.parent)
    try:
        with told_as(path, aside):
            yield aside
        if not path.parent.is_dir():
            raise FacegenError(f"{path.parent} went away while {path.name} was written; make that folder and try again")
        with told_as(path, aside):
            onto_disk(aside)  # before the name is known, should the machine stop
            os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def read_yaml(path: str | Path, schema: type, table: Kind = ANYTHING) -> dict[str, Any]:
    """The fields of a dataclass from a YAML file, checked against its types.

    Args:
        path: of the file.
        schema: the dataclass.
        table: which values its fields may have, see `facegen.tables`.

    Raises:
        FacegenError: the file is missing, is no plain YAML, or has unknown, missing or wrongly typed keys.
    """
    path = Path(path)
    content, written = read_plain_yaml(path)
    content = {} if content is None else {content: None} if isinstance(content, str) else content
    if not isinstance(content, dict | list):
        raise FacegenError(f"{path} is no YAML; write one `key: value` a line, as text in UTF-8")
    try:
        content, items = _apart(content, schema)
        found = vars(_filled(content, schema, written=written)) | items
        table.check(found, "")
        return found
    except (ValueError, WrongValueError) as error:
        raise FacegenError(f"{path}: {error}") from error


def _apart(content: Any, schema: type) -> tuple[Any, dict[str, list[Any]]]:
    """The content without the items of its lists of tables, and by field those items, each as its dataclass. One by
    one: to look at thousands of them closely takes long, and most are as their dataclass has them."""
    items = {}
    for key, value in content.items() if isinstance(content, dict) else ():
        item = next(iter(get_args(_kinds(schema).get(key))), None) if isinstance(key, str) else None
        if isinstance(item, type) and is_dataclass(item) and isinstance(value, list):
            items[key] = [
                _exact(each, item) or _filled(each, item, f"{key}[{number}].") for number, each in enumerate(value)
            ]
    return (content | dict.fromkeys(items, []) if items else content), items


_kinds = cache(get_type_hints)
"""The types of a dataclass's fields, by their names."""
_STRANGE = object()
"""Stands for a value that is perhaps not of a field's type."""


def _exact(content: Any, schema: type) -> Any:
    """A dataclass of a table of its fields; None where one is missing, unknown, or perhaps of another type."""
    kinds = _kinds(schema)
    if not isinstance(content, dict) or not all(isinstance(key, str) and key in kinds for key in content):
        return None
    values = {key: _taken(value, kinds[key]) for key, value in content.items()}
    needed = (each.name for each in fields(schema) if each.default is MISSING and each.default_factory is MISSING)
    sound = _STRANGE not in values.values() and all(name in values for name in needed)
    return schema(**values) if sound else None


def _taken(value: Any, kind: Any) -> Any:
    """A value as a field of a type has it, numbers in quotes as numbers too; `_STRANGE` where that is not sure."""
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    if kind is Any:
        return value
    if kind in (list[int], list[int] | None) and type(value) is list:
        found = [_taken(each, int) for each in value]
        return _STRANGE if _STRANGE in found else found
    if value is None:
        return None if NoneType in kinds else _STRANGE
    if value == "???":  # which stands for a missing one
        return _STRANGE
    with suppress(ValueError, OverflowError):
        for number in (float, int):
            if number in kinds and type(value) in (number, int, str):
                return number(value)
    return str(value) if str in kinds and isinstance(value, str | float | int) else _STRANGE


_HELD = "\0held "
"""How the name begins that stands for a value of any kind while the others are checked. No YAML has such a text."""


def _filled(given: Any, schema: type, place: str = "", written: Any = None) -> Any:
    """The dataclass `schema` with what a file has given; `place` is where in the file it stands, and `written` see
    `_keep_names`.

    Raises:
        ValueError: it does not fit; the message says where.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    kinds = _kinds(schema)
    if not isinstance(given, dict):
        where, known = place.rstrip(".") or "the file", ", ".join(kinds)
        raise ValueError(f"{where}: expected keys and values, of {known}; got {str(given)[:80]!r}")
    # Names in the place of fields that take any value: checking thousands of them takes long.
    held = {key: value for key, value in given.items() if kinds.get(key) is Any and value is not None}
    try:
        table: Any = OmegaConf.create(given | {key: f"{_HELD}{key}" for key in held})
        _keep_names(table, written, schema)
        filled = OmegaConf.structured(schema)
        for key, value in table.items():
            if key not in kinds:
                raise ValueError(unknown("key", f"{place}{key}", kinds))
            of_tables = is_dataclass(next(iter(get_args(kinds[key])), None))
            words = "a list, an item a line" if of_tables else _KINDS.get(kinds[key])
            try:
                inner = value.values() if OmegaConf.is_dict(value) else value if OmegaConf.is_list(value) else ()
                if any(OmegaConf.is_config(each) for each in inner):  # which lists of numbers would take
                    raise ValueError
                filled = OmegaConf.merge(filled, {key: value})
            except (OmegaConfBaseException, ValueError, OverflowError) as error:
                expected = words or f"a value of {kinds[key]}"
                raise ValueError(f"{place}{key}: expected {expected}, got {str(value)[:80]!r}") from error
        if missing := sorted(OmegaConf.missing_keys(filled)):
            raise ValueError(f"{place}{missing[0]} is missing; add `{missing[0].rpartition('.')[2]}: VALUE`")
        made: Any = OmegaConf.to_object(filled)
    except OmegaConfBaseException as error:
        raise ValueError("expected texts, numbers, lists and names of these; found something else") from error
    for key, value in held.items():
        setattr(made, key, value)
    return made


_KINDS: dict[Any, str] = {
    str: "a text",
    int: "a whole number",
    int | None: "a whole number",
    float: "a number",
    float | None: "a number",
    list[str]: "a list of names, such as [a, b]",
    list[str] | None: "a list of names, such as [a, b]",
    list[int]: "a list of whole numbers, such as [1, 2]",
    list[int] | None: "a list of whole numbers, such as [1, 2]",
    dict[str, str]: "names and their values, such as {a: b}",
}
"""What is expected of a field, by its type."""


def _keep_names(given: Any, written: Any, schema: type) -> None:
    """Put names back as they are written, where a list of them is wanted: 003, which YAML takes for the number 3."""
    if not isinstance(written, dict):
        return
    for field, kind in get_type_hints(schema).items():
        names = written.get(field)
        if list[str] in (kind, *get_args(kind)) and isinstance(names, list) and all(isinstance(x, str) for x in names):
            given[field] = names
