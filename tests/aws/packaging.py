"""Chalice projects and the templates that are made of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from infra.aws.template import finished, merge_template

ROOT = Path(__file__).parents[2]
Template = dict[str, Any]


def parley(folder: Path) -> Path:
    """Copy this checkout's application into a folder, without its dependencies: a template needs none."""
    shutil.copy(ROOT / "app.py", folder)
    for name in ("chalicelib", ".chalice"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "deployments")
        )
    return folder


def package(project: Path, stage: str, fragments: Template | None = None) -> Template:
    """Return the finished template of a Chalice project.

    fragments: what is merged in; the stage's own when left out.
    """
    merged = project / "merge.json"
    merged.write_text(json.dumps(merge_template(stage) if fragments is None else fragments))
    chalice = [sys.executable, "-c", "from chalice.cli import main; main()", "package", "--stage", stage]
    subprocess.run(
        [*chalice, "--merge-template", str(merged), str(project / "out")],
        cwd=project,
        env={"PATH": os.environ["PATH"], "HOME": str(project), "AWS_DEFAULT_REGION": "us-east-1"},
        check=True,
        capture_output=True,
    )
    template: Template = json.loads((project / "out" / "sam.json").read_text())
    return finished(template, stage)
