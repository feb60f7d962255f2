"""Build the Lambda package of the last commit: `python -m infra.package`."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.command_line import Parser
from infra.package.build import build
from infra.package.errors import PackageError
from infra.package.report import import_report, report


def main() -> None:
    """Build according to the command line, and print the result."""
    parser = Parser("package", prog="python -m infra.package", description="Build the Lambda package.")
    parser.add_argument("--stage", default="prod", choices=("localstack", "ministack", "prod"))
    parser.add_argument("--out", default=Path("dist"), type=Path, help="folder for the zip and the template")
    options = parser.parse_args()
    try:
        package = build(options.stage, options.out.resolve())
        print(report(package))
        print(import_report(options.stage, package))
    except (PackageError, OSError) as error:
        sys.exit(f"package: {error}")
    except KeyboardInterrupt:
        sys.exit("package: interrupted")


if __name__ == "__main__":
    main()
