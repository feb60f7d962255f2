"""The report of `make bench`, and comparisons in it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import document, trees
from bench.__main__ import ORDER
from bench.comparison import Turns, columns, decimals, in_turns
from bench.document import BEGIN, END, DocumentError
from bench.findings import Findings, Table, at_least, report, under
from bench.plots.axes import Axis
from bench.plots.charts import Bar, Chart
from bench.trees import BEFORE, HERE, NOW, Tree, TreeError

EARLIER = Tree(BEFORE, Path("/earlier"), "python")
BOTH = [EARLIER, HERE]
CHART = Chart("parts", "Parts", "One bar.", Axis("µs"), bars=[Bar("now", [("edge", 50)])])


def turns(before: list[float], now: list[float]) -> Turns:
    """Return the figures of two trees."""
    made = Turns(BOTH)
    for tree, figures in zip(BOTH, (before, now), strict=True):
        for figure in figures:
            made.add(tree, figure)
    return made


def test_ratio_is_the_median_of_paired_turns() -> None:
    """Noise that lasts for a pair of turns does not change the ratio."""
    assert turns([10, 100, 10], [20, 200, 90]).ratio == 2


def test_cells_are_medians_and_ratio() -> None:
    """A row has the median of each tree and the ratio, in the order of the columns."""
    assert columns(BOTH, "ms") == ("before, ms", "now, ms", "now / before")
    assert turns([1, 2, 9], [2000, 4000, 6000]).cells(decimals(1)) == ("2.0", "4,000.0", "2000.00")


def test_single_tree_has_no_ratio() -> None:
    """Without a commit before, a row has this commit's figure only."""
    alone = Turns([HERE])
    alone.add(HERE, 3)
    assert alone.ratio is None
    assert alone.cells(decimals(0)) == ("3",)
    assert columns([HERE], "") == ("now",)


def test_turns_alternate_the_first_tree() -> None:
    """Neither tree is always the first one after the other."""
    assert [tree.name for tree in in_turns(BOTH, 2)] == [NOW, BEFORE, BEFORE, NOW]


def test_report_counts_missed_aims() -> None:
    """The report says which aims fall short, and shows charts before tables."""
    table = Table("Costs", "In µs.", ("what", "µs"), [("send", "50")])
    found = Findings(
        [table], [at_least("share", 0.25, 0.2), under("cost", 60, 50, "µs")], ["x: why"], [CHART]
    )
    text = report([found])
    assert "1 of 2 aims are met in this run. Falls short: share (0.20, wanted at least 0.25)." in text
    assert "Not measured: x: why" in text
    assert text.index("](plots/parts.svg)") < text.index("### Costs")


def test_section_between_markers_is_replaced(tmp_path: Path) -> None:
    """Writing keeps the text around the markers, and draws the charts beside the document."""
    path = tmp_path / "performance.md"
    path.write_text(f"above\n{BEGIN}\nold\n{END}\nbelow\n", encoding="utf-8")
    document.write("new", [CHART], path)
    assert path.read_text(encoding="utf-8") == f"above\n{BEGIN}\n\nnew\n\n{END}\nbelow\n"
    assert (tmp_path / "plots" / "parts.svg").exists()


def test_document_without_markers_is_refused(tmp_path: Path) -> None:
    """A document without a place for the figures stays as it is."""
    path = tmp_path / "performance.md"
    path.write_text("text", encoding="utf-8")
    with pytest.raises(DocumentError):
        document.write("new", [], path)


def test_unknown_commit_is_an_error_with_advice() -> None:
    """A commit that this clone lacks is named, with the way to get it."""
    with (
        pytest.raises(TreeError, match=r"no commit deadbeefdead here.*--unshallow"),
        trees.compared("deadbeefdead"),
    ):
        pass


def test_without_commit_before_this_tree_is_alone() -> None:
    """`--against none` measures this tree only."""
    with trees.compared(trees.NO_BASELINE) as found:
        assert found == [HERE]


def test_every_part_is_described() -> None:
    """The table of the document's parts has those of the command line, in order."""
    rows = re.findall(r"^\| `(\w+)` \|", document.PATH.read_text(encoding="utf-8"), re.MULTILINE)
    assert tuple(rows) == ORDER


def test_unknown_part_names_the_known_ones() -> None:
    """A misspelt part ends with the list of parts."""
    command = [sys.executable, "-m", "bench", "htp"]
    done = subprocess.run(command, cwd=trees.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unknown part htp; the parts are http, ratios" in done.stderr
