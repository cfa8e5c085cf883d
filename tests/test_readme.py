"""What the README and the pages of docs/ say can be typed, and what they name and show is there."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from packaging.specifiers import SpecifierSet

import facegen
from facegen.cli import TRAINING, build_parser, run
from facegen.data.sources import OPTIONS
from facegen.exporters import SUFFIXES
from facegen.mesh.formats.io import write_mesh
from facegen.motion.label import EXPRESSIONS
from facegen.motion.timeline import Timeline

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md")))
TEXTS = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in PAGES}
README_BYTES = 8000
"""Nobody who has two minutes reads more."""

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.S | re.M)
BLOCKS = [(page, kind, block) for page, text in TEXTS.items() for kind, block in FENCE.findall(text)]
PROSE = {page: FENCE.sub("", text) for page, text in TEXTS.items()}
SPANS = sorted({" ".join(span.split()) for text in PROSE.values() for span in re.findall(r"`([^`]+)`", text)})
LINES = [
    line.partition("  #")[0].strip()
    for _, kind, block in BLOCKS
    if kind == "sh"
    for line in block.replace("\\\n", " ").splitlines()
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SITE = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))


def command(line: str) -> list[str]:
    """The words behind `facegen` of a line that runs it, by itself or by a launcher; empty for other lines."""
    found = re.match(r"(?:(?:/usr/bin/)?time (?:-v )?|srun |torchrun .* -m )?facegen (.*)", line)
    return shlex.split(found[1], comments=True) if found else []


COMMANDS = [line for line in LINES if command(line)]
MENTIONS = [span for span in SPANS if command(span)]
VERBS = build_parser()._subparsers._group_actions[0].choices


def blocks(page: str, kind: str) -> list[str]:
    return [block for name, each, block in BLOCKS if (name, each) == (page, kind)]


def test_the_readme_is_read_in_two_minutes() -> None:
    assert len(TEXTS["README.md"].encode()) <= README_BYTES


def test_every_verb_is_shown() -> None:
    shown = {command(line)[0] for line in (*COMMANDS, *MENTIONS)}
    assert shown >= VERBS.keys()


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_can_be_parsed(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = command(line)
    if words[0] in TRAINING:
        monkeypatch.chdir(ROOT)
        with pytest.raises(SystemExit) as ended:  # it prints the config that it would run with, and ends
            run([*words, "--print_config"])
        assert ended.value.code == 0
    else:
        assert build_parser().parse_args(words).verb == words[0]


@pytest.mark.parametrize("span", MENTIONS)
def test_what_is_named_of_a_command_is_there(span: str) -> None:
    verb, *words = command(span)
    assert verb in VERBS
    if verb in TRAINING:
        return
    known = VERBS[verb]._option_string_actions
    assert {word for word in words if word.startswith("--")} <= {*known}
    if verb == "prepare" and words and not words[0].startswith("-"):
        assert words[0] in OPTIONS


def targets() -> set[str]:
    return set(re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)[1].split())


@pytest.mark.parametrize("line", [line for line in (*LINES, *SPANS) if re.match(r"make \S", line)])
def test_every_target_of_make_is_there(line: str) -> None:
    assert line.split()[1] in targets()


@pytest.mark.parametrize("line", [line for line in (*LINES, *SPANS) if "pip install" in line])
def test_every_extra_that_is_installed_is_there(line: str) -> None:
    for extras in re.findall(r"\.\[([\w,]+)\]", line):
        assert set(extras.split(",")) <= PROJECT["optional-dependencies"].keys()


def test_every_extra_is_explained() -> None:
    for extra in PROJECT["optional-dependencies"]:
        assert f"| `{extra}` |" in TEXTS["docs/install.md"]


def test_the_versions_of_python_are_those_of_the_package() -> None:
    allowed = SpecifierSet(PROJECT["requires-python"])
    minors = [str(minor) for minor in range(30) if f"3.{minor}" in allowed]
    named = [pair for text in PROSE.values() for pair in re.findall(r"Python 3\.(\d+) (?:or|to) 3\.(\d+)", text)]
    assert named
    assert set(named) == {(minors[0], minors[-1])}


@pytest.mark.parametrize(
    "span", [span for span in SPANS if re.match(r"(pytest )?(facegen|tests|configs|notebooks)/", span)]
)
def test_every_file_that_is_named_is_there(span: str) -> None:
    if not re.search(r"NAME|[*<]", span):
        assert (ROOT / span.removeprefix("pytest ")).exists()


@pytest.mark.parametrize("name", [span for span in SPANS if re.fullmatch(r"facegen(\.\w+)+", span)])
def test_every_name_of_python_is_there(name: str) -> None:
    assert resolved(name) is not None


def resolved(name: str) -> object:
    """What a dotted name of the package names: a module, or something in one."""
    module, _, last = name.rpartition(".")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return getattr(resolved(module), last)


def rooms() -> dict[str, int]:
    """The floor of each room and file of the page on internals, from the top of its table."""
    table = TEXTS["docs/internals.md"].partition("## Rooms")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name: floor for floor, row in enumerate(rows) for name in re.findall(r"`([^`]+)`", row)}


def floor_of(module: str) -> int:
    """Of the most particular room that a module, or a name in it, lies in; 0 for the package itself."""
    inside = module.removeprefix("facegen").removeprefix(".").replace(".", "/") + "/"
    found = [name for name in rooms() if inside.startswith(name.removesuffix(".py").removesuffix("/") + "/")]
    return rooms()[max(found, key=len)] if found else 0


def test_the_rooms_are_there() -> None:
    code = ROOT / "facegen"
    assert [name for name in rooms() if not (code / name).exists()] == []
    here = {path.name for path in code.iterdir() if list(path.glob("*.py")) or path.suffix == ".py"} - {"__init__.py"}
    assert here == {name.split("/")[0] for name in rooms()}


def test_a_file_imports_only_from_rooms_above_its_own() -> None:
    wrong = []
    for path in sorted((ROOT / "facegen").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if module != "facegen" and isinstance(node, ast.ImportFrom) and str(node.module).startswith("facegen"):
                named = [f"{node.module}.{alias.name}" for alias in node.names]
                wrong += [(module, name) for name in named if floor_of(name) > floor_of(module)]
    assert wrong == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_is_explained(suffix: str) -> None:
    for page in ("README.md", "docs/formats.md"):
        assert re.search(rf"`{re.escape(suffix)}/?`", TEXTS[page])


def sections() -> dict[str, str]:
    """The section of each source in the page of datasets, or for the built-in faces where it is linked to."""
    page = TEXTS["docs/datasets.md"]
    found = re.split(r"^## (.*)\n", page, flags=re.M)
    by_anchor = {slug(title): text for title, text in zip(found[1::2], found[2::2], strict=True)}
    rows = re.findall(r"^\| `facegen prepare (\w+).*?\(#?([\w-]+)(?:\.md)?\)", page, re.M)
    return {source: by_anchor["the-" + anchor if source == "synthetic" else anchor] for source, anchor in rows}


@pytest.mark.parametrize("source", OPTIONS)
def test_every_source_has_a_section_with_the_statistics_of_its_docstring(source: str) -> None:
    section = sections()[source]
    assert "| statistics | |" in section
    module = importlib.import_module(f"facegen.data.sources.{source}")
    texts = [
        kind.__doc__ for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__
    ]
    _, _, statistics = next((text for text in texts if "Statistics:" in text), "").partition("Statistics:")
    numbers = re.findall(r"\d[\d,]*", statistics.partition("\n\n        Sub")[0])
    assert numbers or source == "folder"
    assert [number for number in numbers if number.rstrip(",") not in section] == []


def slug(title: str) -> str:
    """The anchor that a heading gets in the site."""
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())


def links() -> Iterator[tuple[str, str]]:
    for page, text in PROSE.items():
        for target in re.findall(r"\]\(([^)]+)\)", text):
            if "://" not in target:
                yield page, target


@pytest.mark.parametrize(("page", "target"), links())
def test_every_link_and_picture_leads_somewhere(page: str, target: str) -> None:
    name, _, anchor = target.partition("#")
    path = ROOT / page if not name else (ROOT / page).parent / name
    assert path.is_file()
    if page.startswith("docs/"):
        assert path.resolve().is_relative_to(ROOT / "docs")  # the site has nothing else
    if anchor:
        assert anchor in {slug(title) for title in re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.M)}


def pages_of(nav: list) -> Iterator[str]:
    for entry in nav:
        for value in entry.values():
            yield from pages_of(value) if isinstance(value, list) else [value]


def test_the_site_leads_to_every_page() -> None:
    assert sorted(pages_of(SITE["nav"])) == sorted(path.name for path in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("name", re.findall(r"^::: (\S+)$", TEXTS["docs/python-api.md"], re.M))
def test_everything_on_the_page_of_the_api_is_there(name: str) -> None:
    text = resolved(name).__doc__
    assert text
    assert "::\n" not in text and ".. " not in text  # the page is Markdown


def test_the_timeline_is_one(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(blocks("docs/animate.md", "yaml")[0])
    assert Timeline.load(tmp_path / "t.yaml").motion(EXPRESSIONS).max() == 1


def test_the_mapping_is_one(tmp_path: Path) -> None:
    from facegen.data.sources.d3dfacs import read_mapping

    (tmp_path / "m.yaml").write_text(blocks("docs/datasets.md", "yaml")[0])
    assert read_mapping(tmp_path / "m.yaml")["1+2+5"] == "surprise"


@pytest.mark.parametrize("page", ["README.md", "docs/python-api.md"])
def test_the_python_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_mesh("face.obj", facegen.load().hierarchy.template)
    (code,) = blocks(page, "python")
    assert len([line for line in code.splitlines() if line]) == 5
    exec(compile(code.replace("smile.glb", "smile.npz"), page, "exec"), {})
    with np.load("smile.npz") as made:
        assert made["vertices"].shape == (60, 9409, 3)
