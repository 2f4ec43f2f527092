"""Cases that the checker does not answer rightly yet, and why. A case that it learns fails here, strictly."""

GAPS: dict[str, str] = {}
"""Case name -> reason."""
