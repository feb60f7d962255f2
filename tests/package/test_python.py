"""Production has one Python, whatever the operator uses."""

from __future__ import annotations

import sys

import pytest

from infra.aws.template import RUNTIMES, finished
from infra.interpreters import find_python
from infra.package import vendor

OTHER = ("3.11", "3.12", "3.14")
LOCK = """\
# made by a tool
async-timeout==5.0.1 ; python_full_version < '3.11.3' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via redis
msgspec==0.20.0 \\
    --hash=sha256:cc
only-newer==1.0 ; python_version >= '3.13' \\
    --hash=sha256:dd
only-windows==1.0 ; sys_platform == 'win32' \\
    --hash=sha256:ee
pycparser==3.12 ; implementation_name != 'PyPy' \\
    --hash=sha256:ff
    # via cffi
"""


@pytest.mark.parametrize("python", OTHER)
def test_template_has_the_runtime_of_production(python: str) -> None:
    """The stage's Python replaces the one that Chalice runs on; an emulator keeps it."""
    function = {"Type": "AWS::Serverless::Function", "Properties": {"Runtime": f"python{python}"}}
    runtimes = {
        stage: finished({"Resources": {"F": function}}, stage)["Resources"]["F"]["Properties"]["Runtime"]
        for stage in ("prod", "localstack", "ministack")
    }

    assert runtimes == {"prod": "python3.13", "localstack": f"python{python}", "ministack": f"python{python}"}


@pytest.mark.parametrize("python", OTHER)
def test_wheels_are_those_of_production(monkeypatch: pytest.MonkeyPatch, python: str) -> None:
    """pip is asked for wheels of the runtime's Python and processor, whatever this Python is."""
    monkeypatch.setattr(vendor, "PYTHON", python)
    options = vendor._platform("prod", "arm64")

    assert options[options.index("--python-version") + 1] == RUNTIMES["prod"].removeprefix("python")
    assert [option for option in options if option.startswith("--platform")] == [
        f"--platform={library}_aarch64" for library in vendor.PLATFORMS
    ]


def test_pins_are_those_that_production_needs() -> None:
    """Markers are evaluated for Lambda's Python and system, not this one's; pins without one stay."""
    chosen = vendor.needed(LOCK, "3.13", "arm64")

    pins = [line.split()[0] for line in chosen.splitlines() if "==" in line]
    assert pins == ["msgspec==0.20.0", "only-newer==1.0", "pycparser==3.12"]
    assert ";" not in chosen
    hashes = [line.strip(" \\") for line in chosen.splitlines() if "--hash" in line]
    assert hashes == ["--hash=sha256:cc", "--hash=sha256:dd", "--hash=sha256:ff"]


def test_this_python_is_found_without_a_search() -> None:
    """The running Python comes first; a missing version is none, and a named one the only choice."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"

    assert find_python(version) == sys.executable
    assert find_python("3.99") is None
    assert find_python("3.99", sys.executable) is None
