"""The package's exceptions: one line that says what was expected, what came and what to do."""

from __future__ import annotations

from collections.abc import Iterable


class FacegenError(Exception):
    """A mistake in the input, which its user can repair; the command line prints it and exits 2."""


class MeshError(FacegenError):
    """A mesh, or a file of one, that cannot be used."""


class MotionError(FacegenError):
    """A motion label that contradicts itself."""


class DataError(FacegenError):
    """A dataset, corpus or sequence that cannot be used."""


class CheckpointError(FacegenError):
    """A file that is no checkpoint of this package, or does not belong to the data at hand."""


class Terminated(BaseException):
    """Asked to end by a signal; raised so that what is half written is removed on the way out."""


def said(error: OSError | ValueError) -> str:
    """What keeps a file from being read, in words that are no library's: the system's own, which are about files.

    Args:
        error: of opening or reading a file; a ValueError is about its name, which holds a null character.
    """
    if isinstance(error, OSError):
        return (error.strerror or "the disk does not give it").lower()
    return "its name holds a null character, or it is no text in UTF-8"


def showable(text: str, kept: str = "") -> str:
    """The same without signs that steer a terminal or are no letters, as names in a stranger's file may have.

    Args:
        kept: signs that stay, such as the ends of lines.
    """
    return text if text.isprintable() else "".join(each if each.isprintable() or each in kept else "?" for each in text)


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """The sentence for a name that is not in a closed list: it names the list."""
    return f"unknown {what} {name!r}; known are: {', '.join(known)}"
