"""The gate itself: what a stage prints, what it costs, and that a failure is one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from brikonnect.devstack import gate, stages
from brikonnect.devstack.bootstrap import ROOT
from brikonnect.devstack.stages import Stage


def stage(name: str, code: str) -> Stage:
    return Stage(name=name, argv=[sys.executable, "-c", code], env={"WORD": "from the stage"})


def test_shows_all_that_a_failing_stage_said(capsys: pytest.CaptureFixture[str]) -> None:
    failing = "import os, sys; print(os.environ['WORD'], 'x' * 200_000); sys.exit('the end')"
    results = gate.run_stages([stage("good", "print('quiet')"), stage("bad", failing)], {})
    assert {result.name: result.passed for result in results} == {"good": True, "bad": False}
    said = capsys.readouterr().out
    assert "from the stage" in said
    assert "x" * 200_000 in said
    assert "the end" in said
    assert "quiet" not in said


def test_fails_a_stage_that_is_killed() -> None:
    (result,) = gate.run_stages([stage("killed", "import os; os.kill(os.getpid(), 9)")], {})
    assert not result.passed


def test_every_stage_runs_something_that_is_installed() -> None:
    for each in stages.all_stages():
        assert Path(each.argv[0]).exists(), each.name


@pytest.mark.parametrize(("content", "status"), [("def test_x(): pass", 0), ("", 5)])
def test_answers_the_status_of_pytest(tmp_path: Path, content: str, status: int) -> None:
    (tmp_path / "test_x.py").write_text(content)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    options = ["-p", "no:django", "-p", "no:randomly", "-c", str(tmp_path / "pytest.ini")]
    command = [sys.executable, str(ROOT / "bin" / "test"), str(tmp_path), *options]
    # Named servers, so that none are started for a test that uses none.
    named = {**os.environ, "DATABASE_URL": "postgresql:///x", "REDIS_URL": "redis://x"}
    assert subprocess.run(command, env=named, capture_output=True, check=False).returncode == status
