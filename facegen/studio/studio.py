"""What the studio holds for all tabs: the model, the faces, and the work in progress."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import zipfile
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from facegen import __version__, checkpoint
from facegen.errors import FacegenError
from facegen.exporters import named_suffixes
from facegen.mesh.formats.io import read_mesh, write_mesh
from facegen.pretrained import MODEL
from facegen.studio import staging
from facegen.studio.asked import Asked, typed
from facegen.studio.dressing import same_dress
from facegen.studio.first_look import Look, first_look
from facegen.studio.jobs import Job
from facegen.studio.names import FROM_PHOTO, PICTURES
from facegen.studio.own_head import own_head
from facegen.studio.stage import Stage
from facegen.studio.uploads import main_file, plain

MOST_FACES, MOST_JOBS = 6, 64
"""Faces that are held, and jobs that are remembered, the last ones. Chosen: a face takes some tens of MB."""


class Studio:
    """All of it.

    Args:
        model: path of a checkpoint; None takes the model that comes with facegen.
        mesh: the face to begin with; None takes the head that comes with facegen, where the model's template is its
            face, or else the template.
        folder: temporary, for what is dropped and made.
        trust: modules whose classes the checkpoint may name.
    """

    def __init__(self, model: Path | None, mesh: Path | None, folder: Path, trust: list[str]) -> None:
        self.model_path, self.mesh, self.folder, self.trust = (model or MODEL).resolve(), mesh, folder, trust
        self.model_said = None if model is None else str(model)
        self.worker = ThreadPoolExecutor(1)
        self.stages: OrderedDict[str, Stage] = OrderedDict()
        self.files: dict[str, Path] = {}
        self.said: dict[str, str] = {}  # how the command line names a face
        self.folders: dict[str, Path] = {}
        self.jobs: OrderedDict[str, Job] = OrderedDict()
        self.tasks: set[asyncio.Task] = set()
        self.first, self.fitting = "", ""
        self.mark = secrets.token_hex(8)

    def begin(self, look: Look | None = None) -> None:
        """Load the model and, where that needs no fit, the first face.

        Args:
            look: at that face, where the page may show it already; without one, it is looked at now.

        Raises:
            FacegenError: either cannot be read.
        """
        self.model = checkpoint.load(self.model_path, trust=self.trust)
        if self.mesh is None:
            look = look or first_look(None, self.new_folder())
            if look is not None and (head := own_head(self.model, look)) is not None:
                self.first = self.hold(head, look.folder / look.name, look.name, look.folder)
                return
        path = self.folder / "face.obj" if self.mesh is None else self.mesh.resolve()
        if self.mesh is None:
            write_mesh(path, self.model.hierarchy.template)
        if path.suffix.lower() in PICTURES:
            return
        if read_mesh(path).digest == self.model.hierarchy.template.digest:
            folder = self.new_folder()
            staged = staging.stage(path, self.model, folder)
            if look is not None and same_dress(folder, look.folder):
                folder = look.folder  # the page need not load it again
            self.first = self.hold(staged, path, path.name if self.mesh is None else str(self.mesh), folder)

    def new_folder(self) -> Path:
        """An empty one for a face or a job."""
        made = self.folder / secrets.token_hex(8)
        made.mkdir()
        return made

    def hold(self, staged: Stage, path: Path, said: str, folder: Path) -> str:
        """Keep a face under a new name; the one that was held longest may have to go."""
        name = folder.name
        self.stages[name], self.files[name], self.said[name], self.folders[name] = staged, path, said, folder
        while len(self.stages) > MOST_FACES:
            gone = next(each for each in self.stages if each != self.first)
            del self.stages[gone]
            shutil.rmtree(self.folders.pop(gone), ignore_errors=True)
        return name

    def start(self, job: Job, then: Any) -> str:
        """Let a job run, and do `then` where it was done; its name."""
        name = secrets.token_hex(8)
        self.jobs[name] = job
        while len(self.jobs) > MOST_JOBS:
            self.jobs.popitem(last=False)[1].cancel()

        async def whole() -> None:
            try:
                if await job.run():
                    await asyncio.get_running_loop().run_in_executor(None, then)
            except FacegenError as error:
                job.state, job.error = "failed", str(error)

        task = asyncio.create_task(whole())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return name

    def fit(self, files: list[Path], folder: Path, said: str | None = None) -> str:
        """Begin to make a stage of files; the job's name.

        Raises:
            FacegenError: no mesh or photograph is among them.
        """
        path = main_file(files)
        words = ["-m", "facegen.studio.dropped", str(path), str(self.model_path), str(folder), *self.trust]
        job = Job(words, folder, self._hidden(path))

        def keep() -> None:
            face = folder / FROM_PHOTO if path.suffix.lower() in PICTURES else path
            job.result = self.hold(Stage.load(folder), face, said or face.name, folder)
            self.first = self.first or job.result

        return self.start(job, keep)

    def export(self, said: Any, face: str, suffix: str, name: str) -> str:
        """Begin to write what is played, by the command line; the job's name.

        Raises:
            FacegenError: it cannot be written as that, or the face is not held.
        """
        asked, folder = Asked.parse(said), self.new_folder()
        words, out = self._command(asked, face, suffix, name)
        (folder / f"{plain(name)}.yaml").write_text(asked.yaml(), encoding="utf-8")
        words[words.index("animate") + 1] = str(self.files[face])
        if "--model" in words:
            words[words.index("--model") + 1] = str(self.model_path)
        job = Job(["-m", "facegen", *words], folder, self._hidden(self.files[face]))

        def pack() -> None:
            made = [path for path in folder.iterdir() if path.suffix != ".yaml" and ".strain." not in path.name]
            if len(made) == 1 and made[0].is_file():
                job.result = made[0].name
                return
            job.result = f"{plain(name)}.zip"
            with zipfile.ZipFile(folder / job.result, "w") as archive:
                for path in sorted(folder.rglob("*")):
                    if path.is_file() and path.suffix not in (".yaml", ".zip") and ".strain." not in path.name:
                        archive.write(path, path.relative_to(folder))

        job.stage = f"writing {out}"
        return self.start(job, pack)

    def command(self, said: Any, face: str, suffix: str, name: str) -> str:
        """What is typed to write the same file."""
        return typed(self._command(Asked.parse(said), face, suffix, name)[0])

    def _command(self, asked: Asked, face: str, suffix: str, name: str) -> tuple[list[str], str]:
        if face not in self.stages:
            raise FacegenError("this face is no longer held; drop its file again")
        if suffix not in named_suffixes():
            raise FacegenError(f"unknown format {suffix[:20]!r}; known are: {', '.join(named_suffixes())}")
        out = f"{plain(name)}{suffix}"
        trust = [word for module in self.trust for word in ("--trust", module)]
        words = asked.command(self.said[face], self.model_said, f"{plain(name)}.yaml", out, self.model.performs, trust)
        return words, out

    def _hidden(self, path: Path) -> tuple[str, ...]:
        return f"{path.parent}/", f"{self.folder}/", f"{self.model_path.parent}/"

    def held(self) -> int:
        """Bytes in the folder."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def told(self) -> dict[str, Any]:
        """What a page has to know first."""
        return {
            "mark": self.mark,
            "version": __version__,
            "model": self.model_path.name,
            "expressions": self.model.expressions,
            "fps": self.model.fps,
            "performs": self.model.performs,
            "formats": named_suffixes(),
            "face": self.first,
            "fitting": self.fitting,
        }

    def face_told(self, face: str) -> dict[str, Any]:
        """What a page has to know of a face.

        Raises:
            FacegenError: it is not held.
        """
        stage = self.stages.get(face)
        if stage is None:
            raise FacegenError("this face is no longer held; drop its file again")
        return {
            "name": self.files[face].name,
            "vertices": stage.whole,
            "shown": len(stage.rest),
            "focus": stage.focus.tolist(),
            "fitted": stage.whole != len(self.model.hierarchy.template.vertices) or stage.face.skin is not None,
        }

    def close(self) -> None:
        """Stop whatever works."""
        for job in self.jobs.values():
            job.cancel()
        self.worker.shutdown(wait=False, cancel_futures=True)
