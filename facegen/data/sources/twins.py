"""Names that differ in case or spaces alone, such as Happy and happy: one subject or expression, or two?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from facegen.data.sources.source import Key
from facegen.files import plain_name
from facegen.motion.label import EXPRESSIONS


def _plain(name: str) -> str:
    """A name in which case, how accents are encoded, and spaces at its ends or several in a row do not matter."""
    return plain_name(" ".join(name.split()))


Refused = tuple[tuple[Key, str], ...]


def without_twins(keys: Iterable[Key]) -> tuple[tuple[Key, ...], Refused]:
    """Keys to keep, in their order, and refused ones with the reason.

    Subjects whose names differ in case or spaces alone may be one person, who must not be in both splits: the first is
    kept.
    Expressions whose names do so are hardly several: the paper's spelling is kept, or the one of most recordings.
    """
    keys = tuple(keys)
    counts = Counter(key.expression for key in keys)
    usual = {_plain(name): name for name in sorted(counts, key=lambda name: (name in EXPRESSIONS, counts[name]))}
    spelled: dict[str, str] = {}
    kept, refused = [], []
    for key in keys:
        first = spelled.setdefault(_plain(key.subject), key.subject)
        expression = usual[_plain(key.expression)]
        if first != key.subject:
            refused.append((key, f"subject {key.subject} is also there as {first}; give them one name, or two"))
        elif expression != key.expression:
            reason = f"expression {key.expression} is also there as {expression}; give them one name, or two"
            refused.append((key, reason))
        else:
            kept.append(key)
    return tuple(kept), tuple(refused)


def misspelled(names: Iterable[tuple[Key, str]], taken: Iterable[str]) -> Refused:
    """Recordings that are not taken, by a name that differs from a taken one in case or spaces alone, with the reason.

    Args:
        names: recordings that are not taken, each with the dataset's name of what it shows.
        taken: the names that are.
    """
    known = {_plain(name): name for name in taken}
    return tuple(
        (
            key,
            f"{name} is not taken, {known[_plain(name)]} is, which differs in case or spaces alone; give them one name",
        )
        for key, name in names
        if _plain(name) in known
    )


def twins(what: str, names: Iterable[str]) -> list[str]:
    """A line for each group of names that differ in case or spaces alone; `what` says of what they are."""
    groups: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        groups.setdefault(_plain(name), []).append(name)
    alike = [group for group in groups.values() if len(group) > 1]
    return [f"{what} {' and '.join(group)} differ in case or spaces alone; give them one name" for group in alike]
