"""Run cases in a process of its own, and tell of those that end otherwise than they should."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from faults.judging import SECONDS, Outcome

TESTS = Path(__file__).parents[1]


class Campaign:
    """A process that is ready to run cases, until the `with` ends.

    Args:
        inputs: see `faults.valid.write_inputs`.
        log: file for what the process says itself.
    """

    def __init__(self, inputs: Path, log: Path) -> None:
        path = os.pathsep.join([str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")])
        environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "WANDB_MODE": "offline"}
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "faults.forking", str(inputs)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                env=environment,
            )
        self.log, self.slow = log, 0.0

    def __enter__(self) -> Campaign:
        self.slow = json.loads(self._line())["slow"]
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the process that runs the cases ended; {self.log} says why: {self.log.read_text()[-2000:]}"
        return line

    def tried(self, names: Iterable[str]) -> list[Outcome]:
        """What became of cases, by their names."""
        assert self.process.stdin is not None
        found = []
        for name in names:
            print(name, file=self.process.stdin, flush=True)
            found.append(Outcome(**json.loads(self._line())))
        return found

    def written(self, name: str) -> list[str]:
        """What is wrong with how a verb of `faults.writing.VERBS` ends under faults while it writes."""
        assert self.process.stdin is not None
        print(f"write {name}", file=self.process.stdin, flush=True)
        return json.loads(self._line())


def table(outcomes: Iterable[Outcome]) -> str:
    """A row for each case that ended otherwise than it should."""
    rows = [
        f"{each.name}: {each.wrong}\n    {each.what}\n    {each.line}\n    {each.told}"
        for each in outcomes
        if each.wrong
    ]
    return "\n".join(rows)


if __name__ == "__main__":  # python -m faults.campaign INPUTS [KIND-NUMBER or KIND ...]
    from faults.cases import COUNTS
    from faults.cases import names as named

    wanted = sys.argv[2:] or list(COUNTS)
    with Campaign(Path(sys.argv[1]), Path(tempfile.gettempdir(), f"facegen-campaign-{os.getpid()}.log")) as campaign:
        print(f"{campaign.slow:.2f} times slower than a quick core")
        for each in wanted:
            if each == "write":
                from faults.writing import VERBS

                for name in VERBS:
                    print(f"{name}: {campaign.written(name)}", flush=True)
                continue
            tried = campaign.tried([each] if "-" in each else named(each))
            bad = [one for one in tried if one.wrong]
            codes = {code: sum(one.code == code for one in tried) for code in sorted({one.code for one in tried})}
            print(
                f"## {each}: {len(tried)} cases, {len(bad)} wrong, {sum(one.seconds for one in tried):.1f} s, {codes}"
            )
            print(table(tried), flush=True)
            for one in tried:
                if one.code == 2 and one.seconds > SECONDS * campaign.slow:
                    print(f"{one.name}: {one.seconds / campaign.slow:.1f} s of a quick core, {SECONDS} are allowed")
