"""Metrics of the user's own, named by module and function: `my_metrics:lip_error`."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from facegen.classes import typed_part
from facegen.data.corpus import Corpus
from facegen.errors import FacegenError

Metric = Callable[[np.ndarray, np.ndarray, Corpus, int], Any]
"""From positions made and recorded, both (T, V, 3) mm, the corpus and the sequence's index in it to a number."""


def named_metric(name: str) -> Metric:
    """The metric of a name such as `my_metrics:lip_error`; its module is imported, since the user has named it.

    Raises:
        FacegenError: it is not there, or cannot be called so.
    """
    found = typed_part(name, "metric")
    wanted = "a function of (made, recorded, corpus, index)"
    if not callable(found):
        raise FacegenError(f"the metric {name} is no function; give {wanted}")
    try:
        inspect.signature(found).bind(None, None, None, None)
    except (TypeError, ValueError) as error:
        raise FacegenError(f"the metric {name} does not take what it is given; make it {wanted}") from error
    return found


def measured(name: str, metric: Metric, made: np.ndarray, recorded: np.ndarray, corpus: Corpus, index: int) -> float:
    """What a metric gives for displacements (T, V, 3) mm, of which it sees positions in arrays of its own.

    Raises:
        FacegenError: it gives no finite number.
    """
    neutral = corpus.neutral(index)
    given = metric(made + neutral, recorded + neutral, corpus, index)
    try:
        value = float(given)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        entry = corpus.entries[index]
        raise FacegenError(
            f"the metric {name} gave {_short(given)} for {entry.subject}/{entry.expression}; it has to give a finite "
            "number"
        )
    return value


def _short(given: object) -> str:
    text = " ".join(repr(given).split())
    return text if len(text) < 60 else f"{text[:60]}..."
