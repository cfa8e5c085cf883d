"""Files: written aside, then renamed, so that a name that was asked for never holds half of one; YAML, checked."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
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
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    path = Path(path)
    content, written = read_plain_yaml(path)
    content = {} if content is None else {content: None} if isinstance(content, str) else content
    if not isinstance(content, dict | list):
        raise FacegenError(f"{path} is no YAML; write one `key: value` a line, as text in UTF-8")
    held: list[Any] = []
    content, exact = _apart(content, schema)
    try:
        given = OmegaConf.create(_held(content, schema, held))
    except (OmegaConfBaseException, ValueError) as error:
        raise FacegenError(
            f"{path}: expected texts, numbers, lists and names of these; found something else"
        ) from error
    _keep_names(given, written, schema)
    try:
        found = vars(_given_back(_filled(given, schema, exact=exact), held))
        for key, items in exact.items():
            others = iter(found[key])
            found[key] = [next(others) if item is None else item for item in items]
        table.check(found, "")
        return found
    except OmegaConfBaseException as error:
        raise FacegenError(f"{path}: expected texts and numbers, and lists of them; found something else") from error
    except (ValueError, WrongValueError) as error:
        raise FacegenError(f"{path}: {error}") from error


def _apart(content: Any, schema: type) -> tuple[Any, dict[str, list[Any]]]:
    """The content without those items of its lists that are as their dataclass has them, to the type of each value: to
    look at thousands of them closely takes long. Beside it, by field, for each item that dataclass, or None."""
    exact = {}
    for key, value in content.items() if isinstance(content, dict) else ():
        item = _item_of(schema, key)
        if item is not None and isinstance(value, list):
            exact[key] = [_exact(each, item) for each in value]
    left = {key: [each for each, done in zip(content[key], exact[key], strict=True) if done is None] for key in exact}
    return (content | left if left else content), exact


def _item_of(schema: type, key: Any) -> type | None:
    """The dataclass of which a field has a list."""
    item = next(iter(get_args(_kinds(schema).get(key))), None) if isinstance(key, str) else None
    return item if isinstance(item, type) and is_dataclass(item) else None


_kinds = cache(get_type_hints)
"""The types of a dataclass's fields, by their names."""


def _exact(content: Any, schema: type) -> Any:
    """A dataclass of a table of its fields; None where one is missing, unknown, or perhaps of another type."""
    kinds = _kinds(schema)
    if not isinstance(content, dict) or not all(
        isinstance(key, str) and key in kinds and _fits(value, kinds[key]) for key, value in content.items()
    ):
        return None
    numbers = {key: float(value) for key, value in content.items() if kinds[key] is float}
    needed = (each.name for each in fields(schema) if each.default is MISSING and each.default_factory is MISSING)
    return schema(**content | numbers) if all(name in content for name in needed) else None


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value is surely of a field's type."""
    if kind is Any:
        return True
    if kind is float:
        return type(value) is float or (type(value) is int and value.bit_length() < 54)
    if kind is str:
        return type(value) is str and value != "???"  # which stands for a missing one
    if kind in (list[int], list[int] | None) and type(value) is list:
        return all(type(each) is int for each in value)
    return kind in (int, int | None) and type(value) is int


_HELD = "\0held "
"""How the name begins that stands for a value of any kind while the others are checked. No YAML has such a text."""


def _held(content: Any, schema: Any, held: list[Any]) -> Any:
    """The content with names in the place of fields that take any value: checking thousands of them takes long."""
    if not isinstance(content, dict) or not is_dataclass(schema):
        return content
    kinds, found = get_type_hints(schema), {}
    for key, value in content.items():
        kind = kinds.get(key) if isinstance(key, str) else None
        if kind is Any and value is not None:
            held.append(value)
            value = f"{_HELD}{len(held) - 1}"
        elif isinstance(value, list):
            value = [_held(each, next(iter(get_args(kind)), None), held) for each in value]
        found[key] = value
    return found


def _given_back(filled: Any, held: list[Any]) -> Any:
    """A dataclass with the values again for which names stood."""
    for key, value in vars(filled).items():
        if isinstance(value, str) and value.startswith(_HELD):
            setattr(filled, key, held[int(value.removeprefix(_HELD))])
        for each in value if isinstance(value, list) else ():
            if is_dataclass(each):
                _given_back(each, held)
    return filled


def _filled(given: Any, schema: type, place: str = "", exact: Mapping[str, list[Any]] = MappingProxyType({})) -> Any:
    """The dataclass `schema` with what a file has given; `place` is where in the file it stands, and `exact` see
    `_apart`."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    kinds = get_type_hints(schema)
    if not OmegaConf.is_dict(given):
        where, known = place.rstrip(".") or "the file", ", ".join(kinds)
        raise ValueError(f"{where}: expected keys and values, of {known}; got {str(given)[:80]!r}")
    filled = OmegaConf.structured(schema)
    for key, value in given.items():
        if key not in kinds:
            raise ValueError(unknown("key", f"{place}{key}", kinds))
        item = next(iter(get_args(kinds[key])), object)
        nested = is_dataclass(item)
        if isinstance(item, type) and nested and OmegaConf.is_list(value):
            numbers = [number for number, done in enumerate(exact.get(key, [None] * len(value))) if done is None]
            for number, each in zip(numbers, value, strict=True):
                _filled(each, item, f"{place}{key}[{number}].")
        try:
            filled = OmegaConf.merge(filled, {key: value})
        except (OmegaConfBaseException, ValueError) as error:
            words = "a list, an item a line" if nested else _KINDS.get(kinds[key], f"a value of {kinds[key]}")
            raise ValueError(f"{place}{key}: expected {words}, got {str(value)[:80]!r}") from error
    if missing := sorted(OmegaConf.missing_keys(filled)):
        raise ValueError(f"{place}{missing[0]} is missing; add `{missing[0].rpartition('.')[2]}: VALUE`")
    return OmegaConf.to_object(filled)


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
