"""A checkpoint holds all that its network needs and no code, and one that does not fit is refused with what to do."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from shapes import plate_with_hole
from torch import nn

from facegen.animation import animate
from facegen.checkpoint import StoredNetwork, load, read_raw
from facegen.checkpoint_digest import with_digest
from facegen.checkpoint_entry import NETWORKS, Built, pack, require_same
from facegen.checkpoint_format import FORMAT, KEY, MODELS
from facegen.checkpoint_networks import built
from facegen.data.corpus import Corpus
from facegen.data.identity import Identity
from facegen.errors import CheckpointError
from facegen.mesh.hierarchy import MeshHierarchy
from facegen.metrics import frame_error
from facegen.nn import native

SETTINGS: dict[str, dict[str, Any]] = {
    "SpiralNetwork": {"latent": 4, "channels": [5, 3], "activation": "elu", "scale": 2.0, "per_vertex": True},
    "BlendshapeNetwork": {"latent": 3, "bidirectional": True},
    "PerformanceNetwork": {"people": 2, "latent": 4, "channels": [5, 3], "style": 3, "take": 2},
    "SequenceClassifier": {"components": 3, "frames": 4, "hidden": [6, 5]},
}
PATHS = {path.rpartition(".")[2]: path for path in NETWORKS}
MODEL_OF = dict(zip(PATHS, MODELS, strict=True))
FOREIGN = "a checkpoint, but not one that `facegen fit` wrote"
DAMAGED = "(an entry is missing or damaged); `facegen fit` writes them"
DIGEST = "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def corpus() -> SimpleNamespace:
    """What a corpus has that goes into a checkpoint."""
    hierarchy = MeshHierarchy.build(plate_with_hole(), depth=2, factor=3, spiral_length=6)
    template, random = hierarchy.template.vertices, np.random.default_rng(0)
    points = random.normal(size=(468, 3))
    points[::2] = np.nan  # not on the surface
    return SimpleNamespace(
        hierarchy=hierarchy,
        expressions=("happy", "sad"),
        fps=12.5,
        floor=0.2,
        displacement_scale=1.5,
        digest=DIGEST,
        identity=Identity.of(template + random.normal(size=(5, *template.shape)), template),
        landmarks={"mean": points},
    )


@pytest.fixture
def content(corpus: SimpleNamespace) -> dict[str, Any]:
    """A checkpoint's dictionary, of a spiral network."""
    return content_of("SpiralNetwork", corpus)


def content_of(name: str, corpus: SimpleNamespace) -> dict[str, Any]:
    weights = {f"network.{key}": value for key, value in build(name, corpus).state_dict().items()}
    return {"state_dict": weights, "epoch": 7, KEY: packed(name, corpus)}


def packed(name: str, corpus: SimpleNamespace, settings: dict[str, Any] | None = None) -> dict[str, Any]:
    kind = "classifier" if name == "SequenceClassifier" else "generator"
    return pack(Built(kind, MODEL_OF[name], {"lr": 1e-3}, PATHS[name], settings or SETTINGS[name]), corpus)


def build(name: str, corpus: SimpleNamespace) -> nn.Module:
    """The same weights each time, and buffers that are not zero."""
    torch.manual_seed(1)
    network = NETWORKS[PATHS[name]](corpus.hierarchy, len(corpus.expressions), **SETTINGS[name])
    for buffer in ("decoder.mean", "decoder.rows", "mean", "rows"):
        if buffer in network.state_dict():
            nn.init.normal_(network.get_buffer(buffer))
    return network


def written(content: object, folder: Path) -> Path:
    torch.save(content, folder / "x.ckpt")
    return folder / "x.ckpt"


@pytest.mark.parametrize("name", PATHS)
def test_the_network_comes_back_ready_for_use(name: str, corpus: SimpleNamespace, tmp_path: Path) -> None:
    found = load(written(content_of(name, corpus), tmp_path), NETWORKS.values())
    vertices = len(corpus.hierarchy.template.vertices)
    given = (torch.rand(5, vertices, 3) if name == "SequenceClassifier" else torch.rand(5, 2), torch.tensor([0, 2, 5]))
    with torch.no_grad():
        assert torch.equal(found.network(*given), build(name, corpus)(*given))
    assert type(found.network).__name__ == name
    assert not found.network.training
    assert found.hierarchy.digest == corpus.hierarchy.digest
    assert found.expressions == ("happy", "sad")
    assert (found.fps, found.floor, found.corpus, found.epoch) == (12.5, 0.2, DIGEST, 7)


def test_a_generator_has_identity_and_landmarks_and_a_classifier_has_none(
    corpus: SimpleNamespace, tmp_path: Path
) -> None:
    for name in ("SpiralNetwork", "BlendshapeNetwork"):
        found = load(written(content_of(name, corpus), tmp_path))
        assert found.identity is not None
        np.testing.assert_array_equal(found.identity.mean, corpus.identity.mean)
        np.testing.assert_array_equal(found.identity.modes, corpus.identity.modes)
        assert set(found.landmarks) == {"mean"}
        np.testing.assert_array_equal(found.landmarks["mean"], corpus.landmarks["mean"])
    assert not {"identity", "landmarks"} & set(packed("SequenceClassifier", corpus))
    found = load(written(content_of("SequenceClassifier", corpus), tmp_path), NETWORKS.values())
    assert (found.identity, found.landmarks) == (None, {})


def test_what_older_versions_did_not_write_is_none_empty_or_the_first_epoch(
    content: dict[str, Any], tmp_path: Path
) -> None:
    del content[KEY]["identity"], content[KEY]["landmarks"], content["epoch"]
    found = load(written(content, tmp_path))
    assert (found.identity, found.landmarks, found.epoch) == (None, {}, 0)


@pytest.mark.parametrize("name", PATHS)
def test_what_is_packed_are_tensors_numbers_and_strings_alone(name: str, corpus: SimpleNamespace) -> None:
    def kinds(value: object) -> set[type]:
        if isinstance(value, dict):
            return {type(key) for key in value} | {kind for part in value.values() for kind in kinds(part)}
        if isinstance(value, list):
            return {kind for part in value for kind in kinds(part)}
        return {type(value)}

    entry = packed(name, corpus)
    assert kinds(entry) <= {torch.Tensor, str, int, float, bool}
    assert entry["units"] == "mm"


def test_settings_are_packed_as_they_are_now(corpus: SimpleNamespace) -> None:
    settings = {"latent": 3}
    entry = packed("BlendshapeNetwork", corpus, settings)
    settings["latent"] = 4
    assert entry["settings"] == {"latent": 3}


def test_a_trained_checkpoint_moves_faces_as_its_corpus_does(checkpoint_path: Path, corpus_path: Path) -> None:
    model, corpus = load(checkpoint_path), Corpus(corpus_path)
    assert model.hierarchy.digest == corpus.hierarchy.digest
    assert (model.expressions, model.fps, model.corpus) == (corpus.expressions, corpus.fps, corpus.digest)
    assert model.floor == corpus.floor
    assert model.identity is not None
    np.testing.assert_array_equal(model.identity.mean, corpus.identity.mean)
    np.testing.assert_array_equal(model.identity.modes, corpus.identity.modes)
    error, still = [], []
    for index in corpus.split("test"):
        neutral = corpus.hierarchy.template.with_vertices(corpus.neutral(index))
        made = animate(model, neutral, corpus.motion(index), corpus.fps)
        recorded = torch.from_numpy(corpus.sequence(index).vertices)
        error.append(float(frame_error(torch.from_numpy(made.vertices), recorded).mean()))
        still.append(float(np.linalg.norm(corpus.displacement(index), axis=-1).mean()))
    assert np.mean(error) < np.mean(still)


def refused(path: Path, **more: Any) -> str:
    """The one line that a checkpoint is refused with, which begins with its path; the path left out."""
    with pytest.raises(CheckpointError) as caught:
        load(path, **more)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.ckpt") == "no such checkpoint; make one with `facegen fit`"
    assert refused(tmp_path) == "this is a folder; name a file in it"


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("kind", ["text", "empty", "cut", "pickle", "bomb"])
def test_what_is_no_checkpoint_is_refused_and_nothing_in_it_runs(
    kind: str, content: dict[str, Any], tmp_path: Path
) -> None:
    path = written(content | {"callbacks": Bomb(tmp_path / "ran")}, tmp_path)
    if kind == "text":
        path.write_text("solid face\n")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "cut":
        whole = written(content, tmp_path).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "pickle":
        path.write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))
    assert refused(path) == "not a checkpoint, or a damaged one; `facegen fit` writes them"
    assert not (tmp_path / "ran").exists()
    if kind == "bomb":  # it would have made its file
        torch.load(path, weights_only=False)
        assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("foreign", [[1, 2], {"state_dict": {}}, {"state_dict": {}, KEY: 2}, {KEY: {"format": FORMAT}}])
def test_a_checkpoint_of_something_else_is_refused(foreign: object, tmp_path: Path) -> None:
    assert refused(written(foreign, tmp_path)) == FOREIGN


@pytest.mark.parametrize("number", [FORMAT - 2, FORMAT + 1, None])
def test_another_format_is_refused_with_both_numbers(
    number: int | None, content: dict[str, Any], tmp_path: Path
) -> None:
    content[KEY]["format"] = number
    assert refused(written(content, tmp_path)) == f"checkpoint format {number}, this version reads 2 and {FORMAT}"


def test_what_is_read_raw_is_what_was_written(content: dict[str, Any], tmp_path: Path) -> None:
    found = read_raw(str(written(content, tmp_path)))
    assert found.keys() == content.keys()
    assert found[KEY]["settings"] == SETTINGS["SpiralNetwork"]
    for name, value in content["state_dict"].items():
        assert torch.equal(found["state_dict"][name], value)


def test_a_network_of_another_kind_is_refused_with_the_kinds_that_serve(
    corpus: SimpleNamespace, content: dict[str, Any], tmp_path: Path
) -> None:
    path = written(content_of("SequenceClassifier", corpus), tmp_path)
    assert refused(path) == (
        "a checkpoint of a SequenceClassifier; SpiralNetwork or BlendshapeNetwork or PerformanceNetwork is wanted here"
    )
    path = written(content, tmp_path)
    wanted = [NETWORKS[PATHS["SequenceClassifier"]]]
    assert refused(path, wanted=wanted) == "a checkpoint of a SpiralNetwork; SequenceClassifier is wanted here"


def without_a_weight(content: dict[str, Any]) -> None:
    del content["state_dict"]["network.decoder.full.bias"]


def with_a_weight_that_is(number: float) -> Callable[[dict[str, Any]], None]:
    def spoil(content: dict[str, Any]) -> None:
        content["state_dict"]["network.decoder.full.bias"][0] = number

    return spoil


def with_other(**parts: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content[KEY].update(parts)


def with_a_table_of(name: str, number: int) -> Callable[[dict[str, Any]], None]:
    def spoil(content: dict[str, Any]) -> None:
        tables = content[KEY]["hierarchy"]  # whose memory is the corpus's
        content[KEY]["hierarchy"] = {**tables, name: torch.full_like(tables[name], number)}

    return spoil


def with_identity_of_another_template(content: dict[str, Any]) -> None:
    identity = content[KEY]["identity"]
    content[KEY]["identity"] = {"mean": identity["mean"][1:], "modes": identity["modes"][:, 1:]}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (without_a_weight, "1 weights are missing, unknown or of another shape, such as network.decoder.full.bias"),
        (with_a_weight_that_is(np.nan), "weights are NaN or infinite: training has diverged; take a smaller lr"),
        (with_a_weight_that_is(np.inf), "weights are NaN or infinite: training has diverged; take a smaller lr"),
        (with_other(settings={"latent": 4, "channels": [5, 3, 2]}), "channels: 2 numbers, one for each step up"),
        (
            with_other(expressions=["happy", "sad", "fear"]),
            "of another shape, such as network.encoder.lstm.weight_ih_l0",
        ),
        (with_other(hierarchy={}), "these arrays are no mesh hierarchy"),
        (with_other(settings={"width": 4}), DAMAGED),
        (with_other(network="PointNetwork"), "'PointNetwork' is no path of a class"),
        (with_other(fps="often"), "the entry fps: expected a number from 0.01 to 10000, found 'often'"),
        (with_other(landmarks={"nose": torch.zeros(468, 3, dtype=torch.float64)}), DAMAGED),
        (with_identity_of_another_template, "an identity model of"),
        (with_other(fps=0), "the entry fps: expected a number from 0.01 to 10000, found 0"),
        (with_other(floor=np.nan), "the entry floor: expected a number from 0 to 1, found nan"),
        (with_other(displacement_scale=np.inf), "the entry displacement_scale: expected a number"),
        (with_other(expressions=["happy", "happy"]), "the entry expressions: expected each name once"),
        (with_other(init_args={"lr": np.nan}), "the entry init_args.lr: expected text, finite numbers"),
        (
            with_other(settings={"latent": "4", "channels": [5, 3]}),
            "the entry settings.latent: expected a whole number",
        ),
        (
            with_other(settings={"latent": 10**9, "channels": [5, 3]}),
            "the entry settings.latent: expected a whole number",
        ),
        (with_other(settings=[("latent", 4)]), "the entry settings: expected a table of names and values"),
        (lambda content: content.update(epoch=-1), "epoch: expected a whole number from 0"),
        (lambda content: content[KEY].pop("corpus"), "the entry corpus: expected a text, it is missing"),
        (
            with_a_table_of("spiral0", 0),
            "spiral0 does not begin with each vertex itself",
        ),
        (with_a_table_of("faces1", 1), "the hierarchy is not the one of its digest"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused_with_the_reason(
    spoil: Callable[[dict[str, Any]], None], reason: str, content: dict[str, Any], tmp_path: Path
) -> None:
    load(written(content, tmp_path))  # as it is it serves
    spoil(content)
    message = refused(written(content, tmp_path))
    assert message.startswith("the parts of the checkpoint do not fit together (")
    assert reason in message


MARK = "from pathlib import Path\nPath(__file__).with_suffix('.ran').touch()\nfrom torch.nn import Linear, Module\n"
OWN = """
class Net(Module):
    def __init__(self, hierarchy, expressions, width=2):
        super().__init__()
        self.layer = Linear(expressions, width)
"""


@pytest.mark.parametrize(
    "named",
    [
        {"network": "MODULE.Net", "settings": {}},
        {"model": "MODULE.Net", "init_args": {}},
        {"settings": {"latent": 4, "channels": [5, 3], "fused": False, "convolution": "MODULE.Net"}},
    ],
)
def test_a_module_is_imported_only_where_the_user_trusts_it(
    named: dict[str, Any],
    content: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    module = f"mark_{'_'.join(named)}"
    (tmp_path / f"{module}.py").write_text(MARK + OWN)
    content[KEY] |= yaml.safe_load(yaml.safe_dump(named).replace("MODULE", module))
    path = written(with_digest(content), tmp_path)
    for trust in ((), ("marks", f"{module}s", f"{module}.Net", "os")):
        message = refused(path, trust=trust)
        assert message.startswith(f"it names the class {module}.Net, which is not facegen's own; ")
        assert f"add --trust {module} (in Python trust=(" in message
    assert not (tmp_path / f"{module}.ran").exists()
    assert module not in sys.modules
    refused(path, trust=(module,))  # what it holds is no weights of such a network
    assert (tmp_path / f"{module}.ran").exists()
    said = f"facegen: Net comes from the current folder, {tmp_path / module}.py\n"
    assert capsys.readouterr().err == said
    assert sys.path[-1] == str(tmp_path)  # so that it hides nothing


@pytest.mark.parametrize(
    ("path", "trust", "reason"),
    [
        ("os.system", (), "it names the class os.system, which is not facegen's own"),
        ("os.system", ("os",), "os.system: os has no class system that is derived from Module"),
        ("facegen.nn.upsample.Upsample", ("facegen",), "facegen.nn.upsample.Upsample cannot be named here"),
        ("facegen.models.base.Share", ("facegen",), "facegen.models.base.Share cannot be named here"),
        ("torch.nn.Linear", ("torch.nn",), "torch.nn.Linear is not derived from facegen.models.generator.Express"),
        ("importlib.import_module", ("import",), "it names the class importlib.import_module"),
        ("..os.system", ("os",), "'..os.system' is no path of a class"),
    ],
)
def test_a_path_leads_to_a_model_or_nowhere(
    path: str, trust: tuple[str, ...], reason: str, content: dict[str, Any], tmp_path: Path
) -> None:
    content[KEY]["model"] = path
    assert reason in refused(written(content, tmp_path), trust=trust)


def test_weights_that_belong_to_nothing_are_refused_by_name(content: dict[str, Any], tmp_path: Path) -> None:
    content["state_dict"] |= {f"refine.{name}": torch.zeros(3) for name in ("d", "c", "b", "a")}
    wanted = "4 weights are missing, unknown or of another shape, such as refine.a, refine.b, refine.c)"
    assert refused(written(content, tmp_path)).endswith(wanted)


def test_an_entry_of_format_2_is_the_same_network(
    content: dict[str, Any], corpus: SimpleNamespace, tmp_path: Path
) -> None:
    motion = torch.rand(5, 2)
    with torch.no_grad():
        wanted = load(written(content, tmp_path)).network(motion)
    entry = content[KEY]
    for name in ("kind", "model", "init_args", "displacement_scale"):
        del entry[name]
    content[KEY] = entry | {"format": 2, "network": "SpiralNetwork"}
    with torch.no_grad():
        assert torch.equal(load(written(content, tmp_path)).network(motion), wanted)
    require_same(content, packed("SpiralNetwork", corpus, {**SETTINGS["SpiralNetwork"], "fused": False}))


def test_a_checkpoint_belongs_to_its_own_corpus_and_config(content: dict[str, Any], corpus: SimpleNamespace) -> None:
    require_same(content, packed("SpiralNetwork", corpus))
    require_same(content, {"corpus": DIGEST})  # what is not given is not compared


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"corpus": "f" * 64},
            "the checkpoint was trained on the corpus of digest 0123456789ab, this corpus is ffffffffffff; give the "
            "corpus it was trained on",
        ),
        (
            {"network": PATHS["BlendshapeNetwork"]},
            "the checkpoint's network is SpiralNetwork, the config's is BlendshapeNetwork; give the config it was "
            "trained with",
        ),
        (
            {"floor": 0.0},
            "the checkpoint's floor is 0.2, the config's is 0.0; give the config it was trained with",
        ),
        (
            {"settings": {"latent": 9}},
            f"the checkpoint's settings are {SETTINGS['SpiralNetwork']}, the config's are {{'latent': 9}}; give the "
            "config it was trained with",
        ),
    ],
)
def test_other_data_or_another_config_is_refused_and_both_are_named(
    other: dict[str, Any], message: str, content: dict[str, Any]
) -> None:
    with pytest.raises(CheckpointError) as caught:
        require_same(content, content[KEY] | other)
    assert str(caught.value) == message


def test_another_hierarchy_is_refused_and_both_digests_are_named(
    content: dict[str, Any], corpus: SimpleNamespace
) -> None:
    other = MeshHierarchy.build(plate_with_hole(), depth=2, factor=3, spiral_length=5).digest
    with pytest.raises(CheckpointError, match="hierarchy digest") as caught:
        require_same(content, content[KEY] | {"hierarchy_digest": other})
    assert corpus.hierarchy.digest in str(caught.value)
    assert other in str(caught.value)


def test_what_has_no_entry_of_this_package_belongs_to_nothing() -> None:
    with pytest.raises(CheckpointError, match=f"^{FOREIGN}$"):
        require_same({"state_dict": {}}, {"corpus": DIGEST})


def test_torch_builds_the_network_where_it_is_asked_for_and_is_asked_from_then_on(
    content: dict[str, Any], tmp_path: Path
) -> None:
    found = load(written(content, tmp_path))
    label = np.random.default_rng(0).random((5, 2), np.float32)
    light = found.generator.together(label)
    if native.library is not None:
        assert "network" not in vars(found) and repr(found.source) == "SpiralNetwork"
    assert found.network is found.network
    np.testing.assert_allclose(found.generator.together(label), light, atol=1e-5)
    nn.init.zeros_(found.network.decoder.scale)
    assert not found.generator.together(label).any()


def test_a_checkpoint_that_torch_alone_reads_serves_as_well(content: dict[str, Any], tmp_path: Path) -> None:
    label = np.random.default_rng(0).random((5, 2), np.float32)
    wanted = load(written(content, tmp_path)).generator.together(label)
    torch.save(content, tmp_path / "old.ckpt", _use_new_zipfile_serialization=False)
    np.testing.assert_allclose(load(tmp_path / "old.ckpt").generator.together(label), wanted, atol=1e-5)


def test_weights_that_single_precision_cannot_hold_are_refused(content: dict[str, Any], tmp_path: Path) -> None:
    bias = content["state_dict"]["network.decoder.full.bias"]
    content["state_dict"]["network.decoder.full.bias"] = torch.full(bias.shape, 1e300, dtype=torch.float64)
    assert "weights are NaN or infinite" in refused(written(content, tmp_path))


@pytest.mark.parametrize("name", ["latent", "style", "people"])
def test_sizes_that_no_weight_has_are_refused_before_anything_is_made_of_them(name: str) -> None:
    stored = load().source
    assert isinstance(stored, StoredNetwork)
    packed = {**stored.packed, "settings": {**stored.packed["settings"], name: 10**7}}
    with pytest.raises(CheckpointError, match=f"{name} is 10000000, and no weight has so many rows"):
        built(packed, stored.state, stored.corpus)
