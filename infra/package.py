"""Build the Lambda package and its CloudFormation template from the last commit: `python -m infra.package`.

Chalice would download the dependencies itself, but without their hashes wherever this machine is not of
the Lambda's kind. So they are put into Chalice's vendor folder first, each held against its hash.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

SHIPPED = ("app.py", "chalicelib", ".chalice", "requirements.txt")
# Lambda's architectures as uv names them; manylinux2014 is the oldest C library that any Lambda runtime has.
PLATFORMS = {"x86_64": "x86_64-manylinux2014", "arm64": "aarch64-manylinux2014"}
EPOCH = (1980, 1, 1, 0, 0, 0)
BIGGEST = 8


class PackageError(Exception):
    """The package cannot be built; the text says why and what to do."""


def main() -> None:
    """Build what the command line asks for, and say what came out."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description="Build the Lambda package.")
    parser.add_argument("--stage", default="prod", choices=("localstack", "prod"))
    parser.add_argument("--out", default=Path("dist"), type=Path, help="folder for the zip and the template")
    options = parser.parse_args()
    try:
        package = build(options.stage, options.out.resolve())
    except PackageError as error:
        sys.exit(f"package: {error}")
    print(report(package))


def build(stage: str, out: Path) -> Path:
    """Package the last commit for a stage; the same commit and Python give the same bytes.

    out: the folder to write deployment.zip and sam.json into; made if need be.
    Returns the path of the zip. Raises PackageError.
    """
    with tempfile.TemporaryDirectory(prefix="parley-package-") as temporary:
        project = Path(temporary)
        export(project)
        vendor(project, stage)
        _run("chalice package", _chalice("package", "--stage", stage, str(out)), cwd=project)
    normalise(out / "deployment.zip")
    return out / "deployment.zip"


def export(project: Path) -> None:
    """Write what ships, as it was committed last, into a folder. Raises PackageError."""
    changed = _git("this is not a git checkout; clone the repository first", "status", "--porcelain")
    if changed.strip():
        print("package: not everything is committed; the package is of the last commit", file=sys.stderr)
    root = _git("this is not a git checkout", "rev-parse", "--show-toplevel").decode().rstrip("\n")
    archive = project / "export.zip"
    no_commit = f"the last commit does not hold {', '.join(SHIPPED)}"
    _git(no_commit, "-C", root, "archive", "--format=zip", "-o", str(archive), "HEAD", *SHIPPED)
    with zipfile.ZipFile(archive) as files:
        files.extractall(project)
    archive.unlink()


def vendor(project: Path, stage: str) -> None:
    """Move the pinned dependencies, for the stage's architecture, into a project's vendor folder."""
    config = json.loads((project / ".chalice" / "config.json").read_text())
    platform = PLATFORMS[config["stages"][stage].get("lambda_architecture", "x86_64")]
    requirements = project / "requirements.txt"
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-config", "--require-hashes"]
    command += ["--only-binary", ":all:", "--python-platform", platform, "--python-version", _python()]
    command += ["--target", str(project / "vendor"), "--requirements", str(requirements)]
    _run("installing requirements.txt", command, cwd=project)
    requirements.unlink()
    shutil.rmtree(project / "vendor" / "bin", ignore_errors=True)
    (project / "vendor" / ".lock").unlink(missing_ok=True)


def normalise(package: Path) -> None:
    """Rewrite a zip so that it depends on the contents alone: sorted, undated, with the same modes."""
    with zipfile.ZipFile(package) as files:
        contents = {name: files.read(name) for name in sorted(files.namelist())}
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as files:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # Unix: without it the mode is not read
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            files.writestr(entry, content)


def report(package: Path) -> str:
    """Describe a package for a person: its size, its number of files, its digest and what takes most."""
    with zipfile.ZipFile(package) as files:
        entries = sorted(files.infolist(), key=lambda entry: entry.compress_size, reverse=True)
    unpacked = sum(entry.file_size for entry in entries)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    lines = [
        f"{package}: {_megabytes(package.stat().st_size)} MB zipped, {_megabytes(unpacked)} MB unpacked, "
        f"{len(entries)} files, Python {_python()}",
        f"sha256 {digest}",
        *(f"  {_megabytes(entry.compress_size)} MB  {entry.filename}" for entry in entries[:BIGGEST]),
    ]
    return "\n".join(lines)


def _git(problem: str, *arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], capture_output=True, check=False)  # noqa: S607 # the PATH's own
    if done.returncode:
        raise PackageError(f"{problem} ({done.stderr.decode(errors='replace').strip()})")
    return done.stdout


def _run(what: str, command: list[str], cwd: Path) -> None:
    # The caller's settings must not end up in the template, and Chalice asks for a region it then leaves out.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "PARLEY_", "REDIS_"))
    }
    environ = {**kept, "AWS_DEFAULT_REGION": "us-east-1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageError(f"{what} failed:\n{done.stdout}{done.stderr}".rstrip())


def _chalice(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from chalice.cli import main; main()", *arguments]


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f}"


if __name__ == "__main__":
    main()
