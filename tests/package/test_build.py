"""Whole packages: pip installs the pinned wheels, from its cache or the index, and Chalice packages."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from infra.aws.template import merge_template
from infra.package import Package, PackageError, build
from infra.package.archive import LIMIT_BYTES
from infra.package.imports import import_seconds
from infra.package.report import import_report, report
from infra.package.source import SHIPPED
from tests.package.conftest import ROOT, commit, copy

pytestmark = pytest.mark.long

OURS = {"app.py", "chalicelib", "__pycache__"}
# Chalice's own part that a function needs: its runtime, and none of its commands.
CHALICE = {"__init__.py", "_capability_provider.py", "analyzer.py", "app.py", "py.typed"}
# Where an ELF file says what machine it is for, and what it says of an arm64.
MACHINE, AARCH64 = slice(18, 20), b"\xb7\x00"
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def names(package: Package) -> list[str]:
    """Return the paths of the files in a package."""
    with zipfile.ZipFile(package.zip) as files:
        return files.namelist()


def compiled(package: Package) -> dict[str, bytes]:
    """Return the compiled modules of a package by their paths."""
    with zipfile.ZipFile(package.zip) as files:
        return {name: files.read(name) for name in files.namelist() if re.search(r"\.so[.\d]*$", name)}


def distributions(package: Package) -> set[str]:
    """Return the names of the distributions that are installed in a package."""
    found = {re.match(r"(.+)-[^-]+\.dist-info/METADATA$", name) for name in names(package)}
    return {match[1].replace("_", "-").lower() for match in found if match}


def pinned(lock: str) -> set[str]:
    """Return the names of the distributions that a lock file pins."""
    lines = (ROOT / lock).read_text().splitlines()
    return {Requirement(line.rstrip("\\ ")).name for line in lines if re.match(r"\w", line)}


def functions(package: Package) -> list[dict[str, Any]]:
    """Return the properties of the functions in a package's template."""
    resources = json.loads(package.template.read_text())["Resources"].values()
    return [part["Properties"] for part in resources if part["Type"] == "AWS::Serverless::Function"]


@pytest.fixture(params=["prod", "localstack"])
def package(request: pytest.FixtureRequest) -> Package:
    """Each stage's package."""
    built: Package = request.getfixturevalue(request.param)
    return built


def test_no_package_of_development_is_inside(package: Package) -> None:
    """Exactly the pins of requirements.txt are installed, without those of requirements-dev.txt alone."""
    assert (
        {"argon2-cffi", "cryptography", "msgspec", "redis", "hiredis"}
        <= distributions(package)
        <= pinned("requirements.txt")
    )
    assert not distributions(package) & (pinned("requirements-dev.txt") - pinned("requirements.txt"))


def test_every_file_belongs_to_somebody(package: Package) -> None:
    """Each file is ours, Chalice's runtime, or recorded by a distribution."""
    recorded = {"chalice"}
    with zipfile.ZipFile(package.zip) as files:
        for record in (name for name in files.namelist() if name.endswith(".dist-info/RECORD")):
            lines = files.read(record).decode().splitlines()
            recorded |= {line.split(",")[0].split("/")[0] for line in lines}
    assert {name.split("/")[0] for name in names(package)} - OURS <= recorded
    runtime = {name.split("/")[1] for name in names(package) if name.startswith("chalice/")}
    assert {"app.py", "__init__.py"} <= runtime - {"__pycache__"} <= CHALICE


@pytest.mark.parametrize(
    "tool", ["boto3", "botocore", "chalice/cli", "pip", "pytest", "moto", "uv", "tests", "infra"]
)
def test_no_tool_is_inside(package: Package, tool: str) -> None:
    """The package has neither tools, nor tests, nor the deployment code."""
    assert not [name for name in names(package) if f"{name}/".startswith(f"{tool}/") or name == f"{tool}.py"]


def test_a_package_is_small(package: Package) -> None:
    """A zip is below the limit."""
    assert package.zip.stat().st_size < LIMIT_BYTES


def test_each_module_has_its_source_and_its_bytecode(package: Package) -> None:
    """Every .py file has one .pyc of Lambda's Python beside it, and the other way round."""
    tag = f"cpython-{package.python.replace('.', '')}"
    sources = {name.removesuffix(".py") for name in names(package) if name.endswith(".py")}
    compiled = {
        name.replace("__pycache__/", "").removesuffix(f".{tag}.pyc")
        for name in names(package)
        if name.endswith(".pyc")
    }
    assert "app" in sources
    assert compiled == sources
    assert {function["Runtime"] for function in functions(package)} == {f"python{package.python}"}


def test_prod_runs_on_one_python(prod: Package, localstack: Package) -> None:
    """Production has Python 3.13, whatever runs here; an emulator runs functions on this Python."""
    wheels = {name.rpartition("/")[2] for name in compiled(prod)}
    assert prod.python == "3.13"
    assert {re.search(r"cpython-(\d+)|abi3", name)[0] for name in wheels} <= {"cpython-313", "abi3"}  # type: ignore[index]
    assert localstack.python == HERE


def test_prod_is_built_for_arm64(prod: Package) -> None:
    """The configuration's architecture, in the template and in every compiled module."""
    modules = compiled(prod)
    assert modules
    assert all(module[MACHINE] == AARCH64 for module in modules.values())
    assert prod.architecture == "arm64"
    assert {tuple(function["Architectures"]) for function in functions(prod)} == {("arm64",)}


def test_modules_load_on_the_oldest_runtime(prod: Package) -> None:
    """No compiled module needs a newer C library than Amazon Linux 2's, that of Lambda's Python 3.11."""
    for name, module in compiled(prod).items():
        wanted = [tuple(map(int, found)) for found in re.findall(rb"GLIBC_(\d+)\.(\d+)\b", module)]
        assert max(wanted) <= (2, 26), name


def test_localstack_is_built_for_this_machine(localstack: Package) -> None:
    """The functions run here, so the wheels and the template are for this machine."""
    here = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    assert localstack.architecture == here
    assert {tuple(function["Architectures"]) for function in functions(localstack)} == {(here,)}


def test_application_imports_from_the_package_alone(localstack: Package) -> None:
    """The application needs the standard library and the package to import, and no boto3."""
    assert len(import_seconds(localstack.zip, processes=2)) == 2


def test_what_is_missing_in_a_package_is_named(localstack: Package, tmp_path: Path) -> None:
    """An import that only this virtual environment could satisfy stops the measurement."""
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(localstack.zip) as files, zipfile.ZipFile(broken, "w") as copied:
        for name in files.namelist():
            if not name.startswith("msgspec"):
                copied.writestr(name, files.read(name))
    with pytest.raises(
        PackageError, match=r"does not import with only the standard library.*No module named 'msgspec'"
    ) as raised:
        import_seconds(broken)
    assert "requirements.in" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_application_starts_from_its_bytecode(localstack: Package, tmp_path: Path) -> None:
    """No source is compiled on the way: with sources that only raise, the application still imports."""
    blank = tmp_path / "blank.zip"
    with zipfile.ZipFile(localstack.zip) as files, zipfile.ZipFile(blank, "w") as copied:
        for name in files.namelist():
            copied.writestr(name, b"raise SystemError" if name.endswith(".py") else files.read(name))
    assert import_seconds(blank, processes=1)


def test_same_commit_gives_the_same_bytes(checkout: Path, prod: Package, tmp_path: Path) -> None:
    """Zip and template are equal when `python -m infra.package` makes them elsewhere, with another seed."""
    clone = tmp_path / "clone"
    clone.mkdir()
    copy(checkout, clone, *SHIPPED)
    copy(ROOT, clone, "infra")  # what builds it
    commit(clone)
    command = [sys.executable, "-m", "infra.package", "--stage", "prod", "--out", "built"]
    environ = {"PYTHONHASHSEED": "4242", "PARLEY_AUTH": "open", "TZ": "Asia/Tokyo"}
    environ["PYTHONDONTWRITEBYTECODE"] = "1"  # the clone has no .gitignore
    done = subprocess.run(
        command,
        cwd=clone,
        env={**os.environ, **environ},
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (clone / "built" / "deployment.zip").read_bytes() == prod.zip.read_bytes()
    assert (clone / "built" / "sam.json").read_bytes() == prod.template.read_bytes()
    assert f"sha256 {prod.digest}" in done.stdout
    assert re.search(r"^app imports in \d+ ms here \(best of \d", done.stdout, re.M)
    assert not done.stderr


def test_report_names_size_count_and_digest(prod: Package) -> None:
    """The report has the figures that a reviewer asks for."""
    text = report(prod)
    assert f"{len(names(prod))} files, " in text
    assert f"{prod.zip.stat().st_size / 1e6:.2f} MB zipped" in text
    assert f"sha256 {prod.digest}" in text
    assert "hiredis" in text


def test_import_time_is_shown_as_this_machines(localstack: Package) -> None:
    """The line says that the time is this machine's."""
    assert re.fullmatch(r"app imports in \d+ ms here \(best of 5\)", import_report("localstack", localstack))


def test_the_template_has_its_fragments_and_its_keys_in_order(package: Package) -> None:
    """The stage's fragments of infra/aws are merged in, and the order of keys does not depend on it."""
    text = package.template.read_text()
    template = json.loads(text)
    stage = "prod" if "StoreAuth" in template["Parameters"] else "localstack"
    assert merge_template(stage)["Parameters"].keys() <= template["Parameters"].keys()
    assert text == json.dumps(template, indent=2, sort_keys=True) + "\n"


def test_a_broken_fragment_stops_the_build(checkout: Path, tmp_path: Path) -> None:
    """The error of conflicting fragments is that of a package that cannot be built."""
    repository = tmp_path / "repository"
    repository.mkdir()
    copy(checkout, repository, *SHIPPED)
    fragments = repository / "infra" / "aws"
    shutil.copy(fragments / "media.yaml", fragments / "queues.yaml")
    with pytest.raises(PackageError, match=r"queues\.yaml: .* has another value in another fragment"):
        build("prod", tmp_path / "out", repository=commit(repository))


def test_failed_installation_is_explained(tmp_path: Path) -> None:
    """A wheel that does not match its pinned hash stops the build, with pip's reason."""
    repository = tmp_path / "repository"
    repository.mkdir()
    copy(ROOT, repository, *SHIPPED)
    lock = repository / "requirements.txt"
    lock.write_text(re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, lock.read_text()))
    with pytest.raises(PackageError, match=r"installing requirements\.txt failed"):
        build("localstack", tmp_path / "out", repository=commit(repository))
