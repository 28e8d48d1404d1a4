"""What the repository says of itself to its host: workflows, forms, citation."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from mnist_edge_runtime import __version__

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import release_check  # noqa: E402

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def _read(file: Path) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def _steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_there_is_each_workflow() -> None:
    assert [file.stem for file in WORKFLOWS] == ["audit", "ci", "release"]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_may_do_the_least_and_runs_what_is_there(file: Path) -> None:
    text, workflow = file.read_text(encoding="utf-8"), _read(file)
    assert workflow["permissions"] == {"contents": "read"}
    assert "concurrency" in workflow
    assert "secrets." not in text
    assert "pull_request_target" not in text
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())
    for step in _steps(workflow):
        if "uses" in step:
            line = next(line for line in text.splitlines() if step["uses"] in line)
            assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        run = step.get("run", "")
        assert "${{" not in run  # what others named would be run by the shell
        assert set(re.findall(r"\bmake ([a-z-]+)", run)) - {"openssh-client"} <= TARGETS
        for script in re.findall(r"(?:scripts|\.ci)/[\w.]+", run):
            assert (ROOT / script).is_file()


def test_ci_tries_each_distribution_on_each_python_that_a_release_is_tried_on() -> None:
    matrix = _read(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["distribution"]["strategy"]["matrix"]
    tried = [(each["distribution"], each["python"]) for each in matrix["include"]]
    assert tried == [(trial.distribution, trial.version) for trial in release_check.TRIALS]


def test_only_the_job_that_publishes_has_an_identity() -> None:
    jobs = _read(ROOT / ".github" / "workflows" / "release.yml")["jobs"]
    assert {name: job.get("permissions") for name, job in jobs.items()} == {
        "build": None,
        "publish": {"id-token": "write"},
    }
    assert not any("run" in step for step in jobs["publish"]["steps"])
    assert jobs["publish"]["environment"] == {"name": "pypi"}


@pytest.mark.parametrize("file", FORMS, ids=lambda file: file.stem)
def test_a_form_asks_for_doctor(file: Path) -> None:
    form = _read(file)
    assert {"name", "description", "body"} <= set(form)
    (doctor,) = (part for part in form["body"] if part.get("id") == "doctor")
    asked = doctor["attributes"]["description"]
    assert "`mnist-edge-runtime doctor --json`" in asked
    assert "`mnist-edge doctor --json`" in asked
    assert doctor["validations"] == {"required": True}
    ids = [part["id"] for part in form["body"] if "id" in part]
    assert len(ids) == len(set(ids))


def test_the_citation_is_of_this_version() -> None:
    citation = _read(ROOT / "CITATION.cff")
    assert citation["version"] == __version__
    assert citation["authors"] == [{"name": "The mnist-edge authors"}]
    assert {"cff-version", "message", "title"} <= set(citation)
