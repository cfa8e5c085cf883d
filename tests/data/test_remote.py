"""A corpus behind a URL is the one that was copied there: read in parts, in the one form, and refused in a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from facegen.cli import run
from facegen.data.corpus import Corpus
from facegen.data.manifest import MANIFEST
from facegen.data.module import ExpressionDataModule
from facegen.data.store import META, MOST_META, STORE
from facegen.errors import DataError, FacegenError

fsspec = pytest.importorskip("fsspec")
URL = "memory://bucket/corpus"


@pytest.fixture
def remote(corpus_path: Path) -> Iterator[dict[str, bytes]]:
    """Files of a corpus in a store of this process, by name; what is changed in it is changed there."""
    store = fsspec.filesystem("memory")
    for path in filter(Path.is_file, corpus_path.rglob("*")):
        store.pipe_file(f"/bucket/corpus/{path.relative_to(corpus_path)}", path.read_bytes())
    yield store
    store.rm("/bucket", recursive=True)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes of each file that the store gives out whole; none is opened then."""
    kind, sizes = type(fsspec.filesystem("memory")), []

    def counted(self: object, path: str, *more: object, **options: object) -> bytes:
        content = whole(self, path, *more, **options)
        sizes.append(len(content))
        return content

    whole = kind.cat_file
    monkeypatch.setattr(kind, "cat_file", counted)
    return sizes


def test_batches_are_the_same_and_cost_what_they_hold(remote: object, corpus_path: Path, sent: list[int]) -> None:
    there, here = (ExpressionDataModule(where, batch_size=3, seed=2) for where in (URL, str(corpus_path)))
    assert there.corpus.facts() == here.corpus.facts()
    assert np.array_equal(there.corpus.pca.components, here.corpus.pca.components)
    assert there.corpus.landmarks.keys() == here.corpus.landmarks.keys()
    sent.clear()
    for one, other in zip(there.train_dataloader(), here.train_dataloader(), strict=True):
        got, wanted = one.to_dict(), other.to_dict()
        assert got.keys() == wanted.keys()
        assert all(torch.equal(torch.as_tensor(got[name]), torch.as_tensor(wanted[name])) for name in wanted)
    sent.clear()
    batch = [there.corpus.split("train")[place] for place in (0, 1)]
    held = sum(there.corpus.stored(index).nbytes + there.corpus.neutral(index).nbytes for index in batch)
    assert held <= sum(sent) <= held + 2 * len(batch) * MOST_META
    assert sum(sent) * 5 < sum(path.stat().st_size for path in corpus_path.rglob("*") if path.is_file())


def test_the_first_look_at_a_sequence_reads_it_once(remote: object, sent: list[int]) -> None:
    corpus = Corpus(URL)
    sent.clear()
    stored = corpus.stored(0)
    assert [size for size in sent if size > MOST_META] == [stored.nbytes, 12 * len(stored)]


def test_inspect_and_fit_take_a_url(
    remote: object, corpus_path: Path, fit_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for where in (URL, corpus_path):
        assert run(["inspect", "--json", str(where)]) == 0
    there, here = capsys.readouterr().out.strip().split("\n}\n")
    assert json.loads(there + "\n}") == json.loads(here)
    arguments = [URL.join(part.split(str(corpus_path))) for part in fit_arguments]
    assert run(["fit", *arguments, f"--trainer.logger.save_dir={tmp_path}", "--trainer.fast_dev_run=2"]) == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"codecs": [{"name": "zstd"}]}, "expected codecs to be"),
        ({"more": "x" * MOST_META}, f"expected at most {MOST_META} bytes"),
    ],
)
def test_another_store_than_ours_is_refused_before_it_is_read(
    remote: fsspec.AbstractFileSystem, changed: dict[str, object], said: str, sent: list[int]
) -> None:
    corpus = Corpus(URL)
    path = f"/bucket/corpus/{STORE}/displacement/{corpus.entries[0].array}/{META}"
    remote.pipe_file(path, json.dumps(json.loads(remote.cat_file(path)) | changed).encode())
    sent.clear()
    with pytest.raises(DataError, match=rf"^memory://bucket/corpus/.*/{META}: {said}"):
        corpus.stored(0)
    assert sum(sent) < 4 * MOST_META


def test_what_is_missing_is_named(remote: fsspec.AbstractFileSystem) -> None:
    corpus = Corpus(URL)
    array = f"/bucket/corpus/{STORE}/displacement/{corpus.entries[0].array}"
    (chunk,) = remote.find(f"{array}/c")
    remote.pipe_file(chunk, remote.cat_file(chunk)[:-1])
    with pytest.raises(DataError, match=f"^memory:/{array}: its numbers are missing or cut off"):
        corpus.stored(0)
    remote.rm(chunk)
    with pytest.raises(DataError, match=f"^memory:/{array}: its numbers are missing or cut off"):
        corpus.stored(0)
    remote.rm(f"/bucket/corpus/{MANIFEST}")
    with pytest.raises(DataError, match="^memory://bucket/corpus: not a corpus, it has no manifest.json"):
        Corpus(URL)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("memory://nobody/corpus", "not a corpus, it has no manifest.json"),
        ("nowhere://bucket/corpus", "nothing is known of such URLs"),
        ("simplecache::memory://bucket/corpus", "expected a URL such as s3://bucket/corpus"),
        ("s3://", "expected a URL such as s3://bucket/corpus"),
    ],
)
def test_no_corpus_gets_one_line(url: str, said: str, capsys: pytest.CaptureFixture) -> None:
    assert run(["inspect", url]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"error: {url}: {said}" in line


@pytest.mark.parametrize("verb", ["inspect", "evaluate --out report --spiral a.ckpt --corpus", "fit --data.corpus"])
def test_every_verb_hands_the_url_on(verb: str, capsys: pytest.CaptureFixture) -> None:
    model = ["--model=SpiralGenerator"] if verb.startswith("fit") else []
    assert run([*verb.split(), "memory://nobody/corpus", *model]) == 2
    assert "memory://nobody/corpus: not a corpus, it has no manifest.json" in capsys.readouterr().err


def test_no_process_is_forked_that_shares_a_connection(remote: object) -> None:
    with pytest.raises(DataError, match="workers: expected 0 for a corpus at a URL, which a thread reads ahead, got 2"):
        ExpressionDataModule(URL, workers=2)


def test_prepare_writes_to_folders_alone(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert run(["prepare", "synthetic", "--out", "s3://bucket/corpus"]) == 2
    assert "expected a folder" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_store_that_fails_in_its_own_way_gets_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> None:
        raise RuntimeError("NoCredentials")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "info", failing)
    with pytest.raises(
        FacegenError, match="^memory://bucket/corpus/manifest.json: the store does not answer"
    ) as raised:
        Corpus(URL)
    assert "NoCredentials" not in str(raised.value)
