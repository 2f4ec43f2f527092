"""Versions of both frameworks through everything that the commands do: `make matrix` runs it, the docs show its table."""
