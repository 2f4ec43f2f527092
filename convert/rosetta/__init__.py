"""The Rosetta table: which torch name computes what a Paddle name computes, as rows of data with their proofs.

`convert.rosetta.table` has all of it, and looks a Paddle or torch name up. `convert.rosetta.layers` has what
conversion reads. How to write a row: `convert.rosetta.rows`. Importing the package loads none of them.
"""
