"""What a reader of the report has to know first: the rows, the intervals, and how the checkpoints were trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from facegen.classes import is_own
from facegen.evaluation.intervals import LEAST_SUBJECTS
from facegen.evaluation.rows import GROUND_TRUTH, TITLES

STUDY_STEPS = {
    "paper_blendshape": 55_000,
    "paper_spiral": 55_000,
    "blendshape": 8_800,
    "spiral": 9_900,
    "classifier": 1_000,
}
"""Steps of the optimiser in docs/study.md, rounded: the epochs of its configs, times its takes, by the takes a step."""
FAR_SHORTER = 0.5
"""Share of the study's steps, below which the report says how few there were. Chosen."""
MEANINGS = {
    "still": "the neutral face, which does not move",
    "label_mean": "the mean of the training motion as a function of label value and phase, which is what can be known "
    "of a frame without knowing whose face it is; where labels say what else is shown, each adds by its value",
    "pca_projection": "the recording itself, projected onto the corpus's {components} principal components of the "
    "training motion; no model that combines these components can err less",
    "paper_blendshape": "the paper's baseline, trained by the paper's recipe",
    "paper_spiral": "the paper's model, trained by the paper's recipe",
    "blendshape": "the paper's baseline, in which an LSTM turns the label into weights of principal components",
    "spiral": "the paper's model, in which an LSTM turns the label into a latent vector for each frame, and spiral "
    "convolutions turn that into a mesh",
    "person_mean": "what a look at the person's other takes says: the label mean, bent towards their other takes of "
    "the expression, as far as helped on validation people ({person_mean_tie:g} frames a knot hold it back)",
    "performance_mean": "the generator of performances without a style: the mean of everybody's takes",
    "performance_best": "the one of its 10 takes, whose styles and takes the seeds 0 to 9 draw, that is nearest to the "
    "recording; it shows whether what was recorded is among what it makes",
    "performance_style_1": "the mean of its takes in the style of the person, known by one other take of theirs, of "
    "another expression where there is one",
    "performance_style_3": "the same by three of their other takes, each of another expression as far as there are any",
    "performance_style_5": "the same by five of them",
    "oracle_style": "what nobody can know: the mean of 100 takes that the person's own acting makes, brought to the "
    "label's phases and its deformation, of which those near it count more; about the least error that a model can "
    "have that knows the style and the label alone",
    "oracle_take": "what nobody can know: the very take, without its flutter and blinks, by the acting that made it",
    GROUND_TRUTH: "the recording itself",
}
"""Of each row, what it is."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun, such as `1 step` and `1,440 steps`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def meanings(report: Mapping[str, Any]) -> str:
    """What each row of the tables is."""
    names = dict.fromkeys([*report["table2"], *report["table3"], *report["timing"]])
    lines = [f"- **{TITLES[name]}**: {_meaning(name, report)}." for name in TITLES if name in names]
    if report.get("no_oracle"):
        lines.append(f"- Left out: {TITLES['oracle_style']}: {report['no_oracle']}.")
    if report["left_out"]:
        missing = "; ".join(str(TITLES.get(name, name)) for name in report["left_out"])
        lines.append(f"- Left out, since no checkpoint was given: {missing}.")
    return "\n".join(lines)


def _meaning(name: str, report: Mapping[str, Any]) -> str:
    own: dict[str, None] = dict.fromkeys(
        path for facts in report["trained"].get(name, ()) for path in own_classes(facts)
    )
    if own:
        return f"{' and '.join(f'`{path}`' for path in own)}, not facegen's own, in the place of the model of this name"
    return MEANINGS[name].format(**report)


def own_classes(facts: Mapping[str, Any]) -> list[str]:
    """Paths of the classes of a checkpoint, see `trained`, that are not facegen's own: model, network, convolution."""
    paths = (facts.get("model"), facts.get("network"), facts["settings"].get("convolution"))
    return [path for path in dict.fromkeys(paths) if path and not is_own(path)]


def interval_note(people: int) -> str:
    """What an interval of this many test subjects is, or why there is none."""
    if people < LEAST_SUBJECTS:
        return (
            f"No interval is given: with {counted(people, 'test subject')} it would say little, and it takes at least "
            f"{LEAST_SUBJECTS}."
        )
    return (
        f"The 95 % interval is that of the mean over people like the {people} test subjects: a t interval with "
        f"{people - 1} degrees of freedom on the logarithm of the mean, in which all sequences of one person count "
        "together."
    )


def training(report: Mapping[str, Any]) -> list[str]:
    """Epochs, steps and settings of the checkpoints, and which were trained for far less long than the study's."""
    if not report["trained"]:
        return []
    lines, settings, short = [], [], []
    for name, files in report["trained"].items():
        title = TITLES.get(name, name)
        for facts in files:
            counts = [_number(facts[key]) for key in ("epochs", "steps", "takes_a_step", "seed")]
            lines.append([title, f"`{facts['path']}`", *counts])
        for text in dict.fromkeys(map(_settings, files)):
            settings.append(f"- {title}: {text}.")
        steps = [facts["steps"] for facts in files if isinstance(facts["steps"], int)]
        if steps and max(steps) < FAR_SHORTER * STUDY_STEPS.get(name, 0):
            most = f"at most {max(steps):,}" if len(set(steps)) > 1 else f"{max(steps):,}"
            noun = "step" if max(steps) == 1 else "steps"
            short.append(f"- {title}: {most} {noun}; the study's {STUDY_STEPS[name]:,}.")
    parts = [
        "## How the checkpoints were trained",
        table(["row", "checkpoint", "epochs", "steps", "takes a step", "seed"], lines),
        "Settings, as the checkpoints hold them:\n\n" + "\n".join(settings),
    ]
    if short:
        parts.append(
            "**Trained for far less long than in the study** (docs/study.md); longer training may lower these "
            "errors:\n\n" + "\n".join(short)
        )
    return parts


def _settings(facts: Mapping[str, Any]) -> str:
    """The settings of one checkpoint in a line."""
    found = {
        "class": own_classes(facts) or None,
        "optimizer": facts["optimizer"],
        "lr": facts["lr"],
        "decay": facts["decay"],
        "weight_decay": facts["weight_decay"],
        **facts["settings"],
    }
    return ", ".join(f"{name} {_value(value)}" for name, value in found.items() if value is not None) or "none"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"[{', '.join(map(_value, value))}]" if isinstance(value, list) else str(value)


def _number(value: Any) -> str:
    """A count, or a dash where the checkpoint does not say it."""
    return f"{value:,}" if isinstance(value, int) else "-"
