"""The Lambda package and its CloudFormation template, built from the last commit: `python -m infra.package`.

The same commit, Python and pinned dependencies give the same bytes, wherever and whenever they are built: the
files come from git, the hash of every dependency is checked, and the zip is sorted and has no dates.
"""

from infra.package.build import Package, build
from infra.package.errors import PackageError

__all__ = ["Package", "PackageError", "build"]
