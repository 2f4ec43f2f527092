"""The version, written down once: the build reads it from here.

It is a plain string because asking the installed package's metadata costs more than the rest of `--help`.
"""

__version__ = "0.1.0"
