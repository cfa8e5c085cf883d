"""What the parser of a training's settings says of one that it does not take, in words of facegen."""

from __future__ import annotations

import re
from ast import literal_eval
from contextlib import suppress

HELP = "`facegen VERB --help` lists what there is"
_KEY = re.compile(r'Parser key "([^"]*)"')
_INNER = re.compile(r"Given value: NestedArg\(key='([^']*)', val=(.*)\)\s*$", re.DOTALL)
_GIVEN = re.compile(r"(?:Got value|Given value): ?(.*?)(?=\n *Subclass types expect|\n *- |\s*\Z)", re.DOTALL)
_EXPECTED = re.compile(r"Expected an? (.*)")
_TYPE = re.compile(r"<class '(?:\w+\.)*(\w+)'>")
_CHOICES = re.compile(r"typing\.Literal\[(.*)\]")
_CLASS = ("dot import path", "does not correspond to a subclass", "Not a valid subclass")
"""What the parser says where it looks for a class."""
_NO_OPTION = re.compile(r"Option '([^']*)' is not accepted")
_MISSING = re.compile(r"the following arguments are required: (.*)")
_UNKNOWN = re.compile(r"unrecognized arguments: (.*)", re.DOTALL)
_UNREAD = re.compile(r"Unable to load config ['\"](.*?)['\"]")
_OWN = re.compile(rf"- ([\w.]+): ((?:expected|there is) .*?); {re.escape(HELP)}")
"""What `in_own_words` has said of a setting of a class, inside a message about that class."""
KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "list": "a list, such as [1, 2]",
    "Iterable": "a list, such as [1, 2]",
    "dict": "names and their values, such as {a: 1}",
}
"""What is expected of a setting, by its type."""
A_CLASS = "a class of facegen's or Lightning's by its name, or one by its path, such as my_models.Mine"
SHOWN = 80
"""Characters of a setting that a message shows."""


def in_own_words(message: str) -> str:
    """What a message of the parser says: which setting, what is expected, what came.

    Args:
        message: several lines of it.
    """
    if found := _UNKNOWN.search(message):
        return f"there is no option {_shown(found[1])}; {HELP}"
    if found := _NO_OPTION.search(message):
        return f"{found[1]}: there is no such setting; {HELP}"
    if found := _MISSING.search(message):
        return f"{found[1].split()[0]}: expected a value, it is missing; {HELP}"
    keys, inner, own = _KEY.findall(message)[:1], _INNER.search(message), _OWN.search(message)
    if own:  # of a class's own settings
        return f"{'.'.join([*keys, own[1]])}: {own[2]}; {HELP}"
    place = ".".join([*keys, *([inner[1]] if inner else [])]) or "the settings"
    if found := _UNREAD.search(message):
        return f"{place}: expected settings, or a .yaml file of them, got {_shown(found[1])}; {HELP}"
    # Of a list, items that are wrong come first, and all of it last.
    given = inner[2] if inner else next(reversed(_GIVEN.findall(message)), None)
    came = "" if given is None else f", got {_shown(given)}"
    return f"{place}: expected {_kinds(message)}{came}; {HELP}"


def _kinds(message: str) -> str:
    """What is expected, of all that a message names."""
    kinds = []
    for text in _EXPECTED.findall(message):
        name = _TYPE.sub(r"\1", text).partition(".")[0].strip()
        if choices := _CHOICES.match(text):
            kinds += [each.strip("' ") for each in choices[1].split(",")]
        elif name in KINDS:
            kinds.append(KINDS[name])
    if any(words in message for words in _CLASS):
        kinds = [A_CLASS, *(kind for kind in kinds if "list" not in kind)]
    return " or ".join(dict.fromkeys(kinds)) or "something else"


def _shown(given: str) -> str:
    """A value as it was typed, and not too much of it."""
    text = given.strip()
    with suppress(ValueError, SyntaxError):
        value = literal_eval(text)
        text = value if isinstance(value, str) else text
    return repr(" ".join(text.split())[:SHOWN])
