"""SVG charts of the figures, written without a library."""
