"""`python -m infra.import_users`: import the users of another server."""

from __future__ import annotations

import argparse
import codecs
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import logs
from chalicelib.schemas.imports import ImportReport, ImportRequest, Mapping
from infra.deploy.errors import DeployError
from infra.import_users.callers import Caller, ImportFailure, LocalCaller, find_store, lambda_caller
from infra.import_users.outputs import CodesFile, Progress, counts, skipped_lines, write_report
from infra.import_users.whole import Whole
from infra.local.shutdown import StartError

AUTHORIZATION = "IMPORT_AUTHORIZATION"
AGAIN = "; run the import again: it leaves finished users unchanged"


def main(arguments: Sequence[str] | None = None) -> int:
    """Import; return 0 at the end of the list, or print one line on standard error and return 1."""
    options = _parser().parse_args(arguments)
    logs.configure("WARNING")
    try:
        return _import(options)
    except (ImportFailure, DeployError, StartError) as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}")
    except (BotoCoreError, ClientError) as error:
        return _failed(f"boto3 says: {error}")


def _import(options: argparse.Namespace) -> int:
    request = ImportRequest(
        url=options.url,
        mapping=_mapping(options.mapping),
        dry_run=options.dry_run,
        authorization=os.environ.get(AUTHORIZATION) or None,
        codes=options.codes is not None,
    )
    caller, progress = _caller(options), Progress()
    with contextlib.ExitStack() as held:
        whole = Whole(caller, progress.show)
        if options.codes and not options.dry_run:
            codes = CodesFile(options.codes)
            held.callback(codes.close)
            whole = Whole(caller, progress.show, codes.add)
        report = whole.run(request)
        progress.end(report)
    return _told(report, options)


def _told(report: ImportReport, options: argparse.Namespace) -> int:
    """Print the result, write the report, and return the exit status."""
    for line in skipped_lines(report):
        print(line)
    did = "Would be done" if options.dry_run else "Done"
    if report.read or not report.problem:
        print(f"{did}{' so far' if report.problem else ''}: {counts(report)}.")
    if options.codes and not options.dry_run:
        print(f"{len(report.codes):,} one-time codes are in {options.codes}; no other output shows them.")
    if options.report:
        write_report(options.report, report)
    if report.problem:
        return _failed(f"{report.problem}{AGAIN if report.read else ''}")
    return 0


def _caller(options: argparse.Namespace) -> Caller:
    if options.function:
        return lambda_caller(options.stage, options.function)
    find_store(options.data)
    return LocalCaller()


def _mapping(path: Path) -> Mapping:
    try:
        return msgspec.json.decode(path.read_bytes().removeprefix(codecs.BOM_UTF8), type=Mapping)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ImportFailure(f"{path} is not a valid mapping: {error}") from None


def _failed(reason: str) -> int:
    print(f"import: {reason}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    read = argparse.ArgumentParser(
        prog="python -m infra.import_users",
        description="Create accounts for the users that another server's REST API lists.",
        epilog=f"{AUTHORIZATION} is the Authorization header for that server.",
    )
    read.add_argument("--url", required=True, help="URL of the list of users, or of its first page")
    read.add_argument(
        "--mapping", required=True, type=Path, help="JSON file that says where a reply has each field"
    )
    read.add_argument(
        "--dry-run", action="store_true", help="report what the import would do, without doing it"
    )
    read.add_argument(
        "--codes", type=Path, metavar="FILE", help="file for one-time codes of users without a password"
    )
    read.add_argument("--report", type=Path, metavar="FILE", help="write the whole report, without codes")
    read.add_argument("--function", help="the deployed import_users function to use instead of a store")
    read.add_argument(
        "--stage", choices=("localstack", "prod"), default="prod", help="stage of that function"
    )
    data = os.environ.get("DATA", "").strip() or ".data"
    read.add_argument("--data", type=Path, default=Path(data), help="the DATA of `make run` (%(default)s)")
    return read


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
    sys.exit(main())
