"""From a commit to a package: export, vendor, `chalice package`, bytecode, zip, template."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra.aws import template as aws
from infra.aws.fragments import FragmentError, Template
from infra.package import archive, source
from infra.package.errors import PackageError, run
from infra.package.vendor import choose_architecture, python_of, vendor

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Package:
    """A built package.

    zip: The code.
    template: CloudFormation's template; its CodeUri is that zip.
    digest: SHA-256 of the zip in hexadecimal.
    architecture: x86_64 or arm64.
    python: A version such as 3.13.
    """

    zip: Path
    template: Path
    digest: str
    architecture: str
    python: str


def build(stage: str, out: Path, *, repository: Path = ROOT) -> Package:
    """Package the last commit for a stage; warn on standard error about uncommitted changes.

    stage: `prod`, for the architecture in .chalice/config.json, or an emulator's, for this machine's.
    out: The folder for deployment.zip and sam.json; created if it does not exist.
    repository: The top of a git checkout.
    Raises PackageError, or OSError if a disk is full.
    """
    source.require_checkout(repository)
    _check_writable(out)
    source.warn_of_changes(repository)
    return assemble(stage, out, repository)


def assemble(stage: str, out: Path, repository: Path) -> Package:
    """Like `build`, without the check for uncommitted changes. Raises PackageError."""
    with tempfile.TemporaryDirectory(prefix="parley-package-") as temporary:
        project = Path(temporary)
        source.export(repository, project)
        architecture = choose_architecture(project, stage)
        merged = _merged(project, stage)
        vendor(project, stage, architecture)
        chalice_package(project, stage, merged, out.resolve())
    package, template = out / "deployment.zip", out / "sam.json"
    python = python_of(stage)
    _check_runtime(template, python)
    archive.finish(package, python)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    return Package(package, template, digest, architecture, python)


def chalice_package(project: Path, stage: str, merged: Template, out: Path) -> None:
    """Let Chalice package a project, and finish the template that it writes.

    project: A folder with app.py and .chalice/config.json.
    merged: What to merge into Chalice's template.
    out: The absolute path of the folder for deployment.zip and sam.json.
    Raises PackageError.
    """
    fragments = project / "merge.json"
    fragments.write_text(json.dumps(merged), encoding="utf-8")
    command = [sys.executable, "-c", "import sys; from chalice.cli import main; sys.exit(main())"]
    command += ["package", "--stage", stage, "--merge-template", str(fragments), str(out)]
    # Chalice needs a region, which does not get into the template, and credentials, which it does not use.
    environ = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    run("chalice package", command, cwd=project, environ={**environ, "PYTHONDONTWRITEBYTECODE": "1"})
    _finish_template(out / "sam.json", stage)


def _merged(project: Path, stage: str) -> Template:
    try:
        return aws.merge_template(stage, project / source.FRAGMENTS)
    except FragmentError as error:
        raise PackageError(f"the template cannot be merged: {error}") from None


def _finish_template(file: Path, stage: str) -> None:
    """Remove from Chalice's template what the stage does not get, and write its keys in order."""
    template = aws.finished(json.loads(file.read_text(encoding="utf-8")), stage)
    file.write_text(json.dumps(template, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _check_writable(out: Path) -> None:
    """Create a folder if it does not exist. Raises PackageError, before the build, if it is not writable."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise PackageError(
            f"{out} is not writable ({error.strerror}): name another folder with --out"
        ) from None


def _check_runtime(template: Path, python: str) -> None:
    """Raise PackageError unless every function gets the Python that the bytecode and wheels are for."""
    resources = json.loads(template.read_text(encoding="utf-8"))["Resources"].values()
    runtimes = {resource.get("Properties", {}).get("Runtime") for resource in resources} - {None}
    if runtimes != {f"python{python}"}:
        raise PackageError(
            f"this is Python {python}, but Chalice would run the functions on {', '.join(sorted(runtimes))}:"
            " build with a Python that Lambda has (make clean, then make package PYTHON=python3.12)"
        )
