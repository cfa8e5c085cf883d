"""`~` at the beginning of a place that a training's settings name, as the other verbs have it."""

from __future__ import annotations

from typing import Any

from jsonargparse import Namespace

from facegen.places import at_home

PLACES = ("corpus", "ckpt_path", "default_root_dir", "save_dir", "dirpath")
"""Settings of the data, the trainer, its loggers and callbacks that name a file or a folder."""
CONFIGS = ("--config", "-c")


def with_homes(arguments: list[str]) -> list[str]:
    """The arguments of a command with the place of each config as it is on the disk.

    Raises:
        FacegenError: it is in the folder of somebody unknown.
    """
    found, before = [], ""
    for argument in arguments:
        option, given, value = argument.partition("=")
        if given and option in CONFIGS:
            argument = f"{option}={at_home(value)}"
        elif before in CONFIGS:
            argument = str(at_home(argument))
        found.append(argument)
        before = argument
    return found


def name_homes(settings: Any) -> None:
    """The same for the places that settings name, in place.

    Args:
        settings: tables and lists of them.

    Raises:
        FacegenError: as above.
    """
    if isinstance(settings, list):
        for each in settings:
            name_homes(each)
    elif isinstance(settings, Namespace | dict):
        for name, value in [*(vars(settings) if isinstance(settings, Namespace) else settings).items()]:
            if name in PLACES and isinstance(value, str):
                settings[name] = str(at_home(value)) if value.startswith("~") else value
            else:
                name_homes(value)
