"""YAML and JSON that users bring: plain values, bounded in depth and number, so that a small file asks for little."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from facegen.errors import FacegenError
from facegen.readable import require_file

MOST_BYTES, MOST_NODES, DEEPEST = 16 << 20, 200_000, 64
"""Bytes of a file of YAML, values in it, and lists or tables within each other, at most. Chosen: a timeline of several
curves of 10,000 keys has room, and reading takes a few seconds."""
MOST_DIGITS = 4_300
"""Digits of a whole number at most: longer ones Python does not read, since that takes ever longer."""
OF_TAGS = (ValueError, TypeError, LookupError, AttributeError)
"""What PyYAML fails with where a value is not of the kind that its tag says, such as `!!bool x`."""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DIGITS, _POWER = "[0-9][0-9_]*", "[eE][-+]?[0-9]+"
_FLOAT = re.compile(
    rf"[-+]?({_DIGITS}\.[0-9_]*({_POWER})?|\.{_DIGITS}({_POWER})?|{_DIGITS}{_POWER}|\.inf|\.Inf|\.INF)$|\.(nan|NaN|NAN)$"
)
_INT = re.compile("[-+]?(0|[1-9][0-9]*)$")  # nothing to base 60, 8 or 2, such as 1:30 and 010


class _Plain(_LOADER):
    """Numbers such as 1e3 are numbers, dates and hours are text, and no key is there twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, "found duplicate key", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_Plain.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in found if not tag.endswith((":timestamp", ":float", ":int"))]
    for first, found in _LOADER.yaml_implicit_resolvers.items()
}
_Plain.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))
_Plain.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))


def read_plain_yaml(path: Path) -> tuple[Any, Any]:
    """What a file of YAML holds, and the same with every value as the text that is written.

    Raises:
        FacegenError: it is missing, no YAML, too large or too deep, or has references to other values.
    """
    require_file(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise FacegenError(f"{path}: expected at most {MOST_BYTES >> 20} MiB of YAML; split it")
        text = path.read_text(encoding="utf-8")
        _require_plain(path, text)
        with _uncollected():
            return _built(text)
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f"line {error.problem_mark.line + 1} "
        raise FacegenError(f"{path}: {line}is no YAML; write one `key: value` a line, lists as [a, b]") from error
    except (yaml.YAMLError, OSError, *OF_TAGS) as error:
        raise FacegenError(f"{path} is no YAML; write one `key: value` a line, as text in UTF-8") from error


def _built(text: str) -> tuple[Any, Any]:
    loader = _Plain(text)
    try:
        node = loader.get_single_node()
        return (None, None) if node is None else (loader.construct_document(node), _written(node))
    finally:
        loader.dispose()


@contextmanager
def _uncollected() -> Iterator[None]:
    """In here nothing is looked through for garbage: among many thousand values that all stay it takes most of the
    time, and finds none."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _written(node: yaml.Node) -> Any:
    """What stands at a node, each value as its text."""
    if isinstance(node, yaml.MappingNode):
        return {_written(key): _written(value) for key, value in node.value if isinstance(key, yaml.ScalarNode)}
    return [_written(each) for each in node.value] if isinstance(node, yaml.SequenceNode) else node.value


def require_bounded_yaml(path: Path) -> None:
    """Look at a file of YAML before somebody else reads it, who has no bounds of their own and says whether it is YAML.

    Raises:
        FacegenError: it is too large or too deep, or has references to other values, or tags of more than plain ones.
    """
    if path.stat().st_size > MOST_BYTES:
        raise FacegenError(f"{path}: expected at most {MOST_BYTES >> 20} MiB of YAML; split it")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FacegenError(f"{path} is no YAML; write one `key: value` a line, as text in UTF-8") from error
    with suppress(yaml.YAMLError, ValueError):
        _require_plain(path, text)


_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {
    yaml.ScalarEvent: ("!", "str", "int", "float", "bool", "null"),
    yaml.SequenceStartEvent: ("!", "seq"),
    yaml.MappingStartEvent: ("!", "map"),
}
"""What may be written before a value of each kind."""


def _require_plain(path: Path, text: str) -> None:
    """Look at what a text is made of before any of it is built."""
    depth = count = 0
    for event in yaml.parse(text, _LOADER):
        # Aliases let a small file stand for any amount, and `${...}` reads what is none of the file's business.
        if isinstance(event, yaml.AliasEvent) or (isinstance(event, yaml.ScalarEvent) and "${" in event.value):
            raise FacegenError(f"{path}: expected plain values, found a reference (* or ${{); write the value itself")
        tag = getattr(event, "tag", None)
        if tag is not None and tag.removeprefix(_TAG) not in _PLAIN_TAGS[type(event)]:
            raise FacegenError(
                f"{path}: line {event.start_mark.line + 1}: expected plain values, found the tag "
                f"{tag.replace(_TAG, '!!')!a:.60}; write the value without it"
            )
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        count += isinstance(event, yaml.NodeEvent)
        plain = isinstance(event, yaml.ScalarEvent) and event.implicit[0]
        if plain and len(event.value.lstrip("+-")) > MOST_DIGITS and _INT.match(event.value):
            line = event.start_mark.line + 1
            raise FacegenError(f"{path}: line {line}: expected a number of at most {MOST_DIGITS:,} digits, found more")
        if depth > DEEPEST:
            line = event.start_mark.line + 1
            raise FacegenError(f"{path}: line {line} is more than {DEEPEST} lists or tables deep; write it flatter")
        if count > MOST_NODES:
            raise FacegenError(f"{path}: expected at most {MOST_NODES:,} values, found more; write fewer")


MOST_JSON = 3_000_000
"""Lists, tables, commas and colons in a text of JSON, at most. Chosen: each takes up to 80 bytes once it is read, and a
corpus of 50,000 recordings, or a glTF file of 100,000 nodes, has fewer."""
_SIGNS = np.zeros(256, dtype=np.int8)
_SIGNS[list(b"[{")], _SIGNS[list(b"]}")], _SIGNS[list(b'"')] = 1, -1, 2


class UnboundedError(FacegenError, ValueError):
    """A text asks for more than its bounds allow; the message says what for, and not in which file."""


def parse_json(text: str | bytes, standard: bool = False) -> Any:
    """What JSON says.

    Args:
        text: of it.
        standard: whether NaN and Infinity, which some programs write, are refused, since JSON has them not; checks of
            values by name say more.

    Raises:
        UnboundedError: it has more than `MOST_JSON` values and signs, is more than `DEEPEST` lists or tables deep, or
            has a number of more than `MOST_DIGITS` digits.
        ValueError: it is none.
    """
    if isinstance(text, bytes) and not (coding := json.detect_encoding(text)).startswith("utf-8"):
        text = text.decode(coding)
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    lists = data.count(b"[") + data.count(b"{")
    if lists + data.count(b",") + data.count(b":") > MOST_JSON:
        raise UnboundedError(f"expected at most {MOST_JSON:,} values and signs in JSON, found more; write fewer")
    if lists > DEEPEST and _deepest(data) > DEEPEST:
        raise UnboundedError(
            f"expected at most {DEEPEST} lists and tables in each other in JSON, found more; write it flatter"
        )
    try:
        with _uncollected():
            return json.loads(text, parse_constant=_no_number if standard else None)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except ValueError as error:
        raise UnboundedError(
            f"expected numbers of at most {MOST_DIGITS:,} digits in JSON, found a longer one; write it shorter"
        ) from error


def _no_number(name: str) -> None:
    raise json.JSONDecodeError(f"{name} is no number", name, 0)


def _deepest(data: bytes) -> int:
    """How many lists and tables of a text of JSON are in each other, where it is one."""
    if b"\\" in data:
        data = re.sub(rb"\\.", b"", data, flags=re.DOTALL)  # within texts alone
    signs = _SIGNS[np.frombuffer(data, dtype=np.uint8)]
    signs = signs[signs != 0]
    quotes = signs == 2
    signs[quotes | (np.cumsum(quotes) % 2 == 1)] = 0
    return int(np.cumsum(signs).max(initial=0))
