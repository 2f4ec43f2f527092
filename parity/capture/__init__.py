"""Running a model and writing down every operator it ran.

`recorder` holds what both sides share, `paddle` and `torch` the little that each framework needs.
"""
