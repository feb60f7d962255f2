"""`python -m bench [PART ...] [--quick] [--write] [--against COMMIT]`."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence

from bench import (
    authentication,
    chat_length,
    client_cpu,
    document,
    durability,
    fan_out,
    first_push,
    group_send,
    handler_cpu,
    http_rates,
    http_ratios,
    machine,
    package_size,
    realtime,
    round_trips,
    search,
    startup,
    store_memory,
    sync_pages,
    where,
)
from bench.document import DocumentError
from bench.findings import Findings, Skipped, report
from bench.options import FULL, QUICK, Scale, progress
from bench.servers import allow_open_files
from bench.trees import BASELINE, HERE, NO_BASELINE, Tree, TreeError, compared

PARTS: dict[str, Callable[[Scale], Findings]] = {
    "http": http_rates.measure,
    "auth": authentication.measure,
    "client": client_cpu.measure,
    "trips": round_trips.measure,
    "fan_out": fan_out.measure,
    "length": chat_length.measure,
    "sync": sync_pages.measure,
    "search": search.measure,
    "push": first_push.measure,
    "durability": durability.measure,
    "store": store_memory.measure,
    "import": startup.measure,
    "package": package_size.measure,
}
COMPARED: dict[str, Callable[[Scale, Sequence[Tree]], Findings]] = {
    "ratios": http_ratios.measure,
    "cpu": handler_cpu.measure,
    "group": group_send.measure,
    "realtime": realtime.measure,
    "where": where.measure,
}
ORDER = (
    *("http", "ratios", "where", "auth", "cpu", "client", "group", "realtime", "length"),
    *("trips", "fan_out", "sync", "search", "push", "durability", "store", "import", "package"),
)
MAX_ERROR = 300
STOPPING = (signal.SIGINT, signal.SIGTERM)


def main() -> None:
    """Measure the given parts, print the report, and write it if requested."""
    options = _options()
    for number in STOPPING:
        signal.signal(number, _stop)
    allow_open_files()
    try:
        about, all_findings = _measured(options)
        section = f"{about}\n\n{report(all_findings)}"
        print(section)
        if options.write:
            document.write(section, [chart for found in all_findings for chart in found.charts])
    except KeyboardInterrupt:
        sys.exit("bench: stopped")
    except (DocumentError, TreeError) as error:
        sys.exit(f"bench: {error}")
    if any(found.failed for found in all_findings):
        sys.exit("bench: a part failed; its error is above")


def _measured(options: argparse.Namespace) -> tuple[str, list[Findings]]:
    about, parts = machine.description(), options.parts or ORDER
    scale = QUICK if options.quick else FULL
    compares = any(part in COMPARED for part in parts)
    with contextlib.ExitStack() as held:
        trees, skipped = _trees(options.against if compares else NO_BASELINE, held)
        found = [_found(part, scale, trees) for part in parts]
    before = f"\n- Commit before: {options.against}" if len(trees) > 1 else ""
    return about + before, [Findings([], [], skipped), *found]


def _trees(revision: str, held: contextlib.ExitStack) -> tuple[Sequence[Tree], list[str]]:
    """Return the trees to compare, and why this one is alone: not every clone has the usual commit before."""
    try:
        return held.enter_context(compared(revision)), []
    except TreeError as error:
        if revision != BASELINE:
            raise
        return [HERE], [f"the commit before: {error}"]


def _stop(*_: object) -> None:
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave a server behind
    raise KeyboardInterrupt


def _found(part: str, scale: Scale, trees: Sequence[Tree]) -> Findings:
    start = time.monotonic()
    try:
        return COMPARED[part](scale, trees) if part in COMPARED else PARTS[part](scale)
    except Skipped as reason:
        return Findings([], [], [str(reason)])
    except Exception as error:
        traceback.print_exc()
        text = (str(error).splitlines() or [""])[-1][:MAX_ERROR]
        return Findings([], [], [f"{part}, because of {type(error).__name__}: {text}"], failed=True)
    finally:
        progress(f"{part}: took {time.monotonic() - start:.0f} s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Parley on this machine.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(ORDER)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help="small sizes: a check, not a measurement")
    parser.add_argument("--write", action="store_true", help="write the report to docs/performance.md")
    parser.add_argument(
        "--against",
        metavar="COMMIT",
        default=BASELINE,
        help=f"compare with this commit, or with {NO_BASELINE} ({BASELINE})",
    )
    options = parser.parse_args()
    if unknown := [part for part in options.parts if part not in ORDER]:
        parser.error(f"unknown part {', '.join(unknown)}; the parts are {', '.join(ORDER)}")
    if options.write and (options.quick or options.parts):
        parser.error("--write needs a whole run: leave out --quick and the parts")
    return options


if __name__ == "__main__":
    main()
