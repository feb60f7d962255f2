"""`python -m bench.plots`: draws the charts of docs/plots/figures.json again."""

from __future__ import annotations

from bench.plots.charts import read, write

if __name__ == "__main__":
    write(read())
