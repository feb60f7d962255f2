"""Chalice projects and the templates that are made of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from infra.aws.fragments import Template
from infra.aws.template import merge_template
from infra.package.build import chalice_package

ROOT = Path(__file__).parents[2]


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
    merged = merge_template(stage) if fragments is None else fragments
    chalice_package(project, stage, merged, project / "out")
    template: Template = json.loads((project / "out" / "sam.json").read_text())
    return template
