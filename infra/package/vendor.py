"""The pinned dependencies, put where Chalice takes them from.

Chalice would download them itself, but without their hashes wherever this machine is not of the Lambda's
kind. So they are put into Chalice's vendor folder first, each held against its hash.
"""

from __future__ import annotations

import json
import platform
import shutil
import sys
from pathlib import Path

from infra.package.errors import PYTHON, PackageError, run

# Lambda's architectures as uv names them; manylinux2014 is the oldest C library that any Lambda runtime has.
PLATFORMS = {"x86_64": "x86_64-manylinux2014", "arm64": "aarch64-manylinux2014"}
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
# LocalStack runs the functions on this machine: as processes, or in containers of its architecture.
HERE = "localstack"


def this_architecture() -> str:
    """Return this machine's architecture by Lambda's name. Raises PackageError when Lambda lacks it."""
    try:
        return MACHINES[platform.machine().lower()]
    except KeyError:
        raise PackageError(
            f"this machine is a {platform.machine()}, and Lambda runs on x86_64 and arm64 only: "
            "build on a machine of one of these"
        ) from None


def choose_architecture(project: Path, stage: str) -> str:
    """Return the architecture a stage is built for; for LocalStack, write it into Chalice's configuration."""
    file = project / ".chalice" / "config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    settings = config["stages"][stage]
    if stage == HERE:
        settings["lambda_architecture"] = this_architecture()
        file.write_text(json.dumps(config), encoding="utf-8")
    architecture: str = settings.get("lambda_architecture", "x86_64")
    return architecture


def vendor(project: Path, stage: str, architecture: str) -> None:
    """Move the pinned dependencies for an architecture into the vendor folder. Raises PackageError."""
    requirements = project / "requirements.txt"
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-config", "--require-hashes"]
    command += ["--only-binary", ":all:", "--python", sys.executable, "--python-version", PYTHON]
    if stage != HERE:
        command += ["--python-platform", PLATFORMS[architecture]]
    command += ["--target", str(project / "vendor"), "--requirements", str(requirements)]
    run("installing requirements.txt", command, cwd=project)
    requirements.unlink()
    shutil.rmtree(project / "vendor" / "bin", ignore_errors=True)
    (project / "vendor" / ".lock").unlink(missing_ok=True)
