"""`python -m bench [PART ...] [--quick] [--write]`."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable

from bench import (
    authentication,
    document,
    durability,
    fan_out,
    first_push,
    handler_cpu,
    http_rates,
    machine,
    package_size,
    realtime,
    round_trips,
    startup,
    store_memory,
    sync_pages,
)
from bench.document import DocumentError
from bench.findings import Findings, Skipped, report
from bench.options import FULL, QUICK, Scale
from bench.servers import ServerError
from bench.wrk import LoadError
from tests.servers.engines import EngineError

PARTS: dict[str, Callable[[Scale], Findings]] = {
    "http": http_rates.measure,
    "auth": authentication.measure,
    "cpu": handler_cpu.measure,
    "trips": round_trips.measure,
    "fan_out": fan_out.measure,
    "sync": sync_pages.measure,
    "realtime": realtime.measure,
    "push": first_push.measure,
    "durability": durability.measure,
    "store": store_memory.measure,
    "import": startup.measure,
    "package": package_size.measure,
}
STOPPING = (signal.SIGINT, signal.SIGTERM)


def main() -> None:
    """Measure the given parts, print the report, and write it if requested."""
    options = _options()
    for number in STOPPING:
        signal.signal(number, _stop)
    try:
        section = _section(options.parts or list(PARTS), QUICK if options.quick else FULL)
        print(section)
        if options.write:
            document.write(section)
    except KeyboardInterrupt:
        sys.exit("bench: stopped")
    except (DocumentError, EngineError, LoadError, ServerError) as error:
        sys.exit(f"bench: {error}")


def _stop(*_: object) -> None:
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave a server behind
    raise KeyboardInterrupt


def _section(parts: list[str], scale: Scale) -> str:
    about = machine.description()
    return f"{about}\n\n{report([_found(part, scale) for part in parts])}"


def _found(part: str, scale: Scale) -> Findings:
    try:
        return PARTS[part](scale)
    except Skipped as reason:
        return Findings([], [], [str(reason)])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Parley on this machine.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help="small sizes: a check, not a measurement")
    parser.add_argument("--write", action="store_true", help="write the report to docs/performance.md")
    options = parser.parse_args()
    if unknown := [part for part in options.parts if part not in PARTS]:
        parser.error(f"unknown part {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    if options.write and (options.quick or options.parts):
        parser.error("--write needs a whole run: leave out --quick and the parts")
    return options


if __name__ == "__main__":
    main()
