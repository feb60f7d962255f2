"""Putting the pinned dependencies into Chalice's vendor folder.

Chalice would download them itself, but without checking hashes unless this machine is like Lambda's. So they
are installed into the vendor folder first, with a check of each hash.
"""

from __future__ import annotations

import json
import platform
import re
import shutil
import sys
from pathlib import Path

from packaging.markers import Marker

from infra.aws.template import RUNTIMES
from infra.package.errors import PYTHON, PackageError, run

# The oldest C library of Lambda's Pythons is Amazon Linux 2's glibc 2.26; pip's name for it and compatible
# ones. A wheel for 2.28 would install but not load.
PLATFORMS = ("manylinux_2_26", "manylinux_2_17", "manylinux2014")
PROCESSORS = {"x86_64": "x86_64", "arm64": "aarch64"}
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
QUIETLY = ("--quiet", "--disable-pip-version-check")
# A pin with a marker: the pin, the marker, and its hashes and comments.
PIN_WITH_MARKER = re.compile(r"^(\S+==\S+) ; ([^\\\n]+?)( *\\?\n(?:[ \t]+.*\n)*)", re.MULTILINE)
# Emulators run the functions on this machine: as processes, or in containers of its architecture.
HERE = ("localstack", "ministack")


def this_architecture() -> str:
    """Return this machine's architecture by Lambda's name. Raises PackageError if Lambda does not have it."""
    try:
        return MACHINES[platform.machine().lower()]
    except KeyError:
        raise PackageError(
            f"this machine is a {platform.machine()}, but Lambda has only x86_64 and arm64: "
            "build on a machine of one of these"
        ) from None


def choose_architecture(project: Path, stage: str) -> str:
    """Return the architecture a stage is built for; for an emulator, write it into the configuration."""
    file = project / ".chalice" / "config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    settings = config["stages"][stage]
    if stage in HERE:
        settings["lambda_architecture"] = this_architecture()
        file.write_text(json.dumps(config), encoding="utf-8")
    architecture: str = settings.get("lambda_architecture", "x86_64")
    return architecture


def python_of(stage: str) -> str:
    """Return the version of Python that runs a stage's functions, such as 3.13."""
    return RUNTIMES.get(stage, f"python{PYTHON}").removeprefix("python")


def vendor(project: Path, stage: str, architecture: str) -> None:
    """Move the pinned dependencies for an architecture into the vendor folder. Raises PackageError."""
    requirements = project / "requirements.txt"
    if stage not in HERE:
        chosen = needed(requirements.read_text(encoding="utf-8"), python_of(stage), architecture)
        requirements.write_text(chosen, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "install", *QUIETLY, "--no-compile"]
    command += ["--require-hashes", "--only-binary", ":all:", *_platform(stage, architecture)]
    command += ["--target", str(project / "vendor"), "--requirement", str(requirements)]
    run("installing requirements.txt", command, cwd=project)
    requirements.unlink()
    shutil.rmtree(project / "vendor" / "bin", ignore_errors=True)


def _platform(stage: str, architecture: str) -> list[str]:
    """Return pip's options for Lambda's machines; none for one like this that has another C library."""
    if stage in HERE and platform.libc_ver()[0] != "glibc":
        return []
    named = [f"--platform={library}_{PROCESSORS[architecture]}" for library in PLATFORMS]
    return [*named, "--python-version", python_of(stage), "--implementation", "cp"]


def needed(lock: str, python: str, architecture: str) -> str:
    """Return the pins of a lock file that Lambda needs, each without its marker.

    pip compares markers with the Python that it runs on, whichever Python it installs for.
    """
    target = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_machine": PROCESSORS[architecture],
        **{"platform_system": "Linux", "sys_platform": "linux", "os_name": "posix"},
    }

    def chosen(pin: re.Match[str]) -> str:
        return pin[1] + pin[3] if Marker(pin[2]).evaluate(target) else ""

    return PIN_WITH_MARKER.sub(chosen, lock)
