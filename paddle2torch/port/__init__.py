"""Paddle source in, PyTorch source out; what each name becomes is the Rosetta table's (`convert.rosetta`), nothing of it stands here.

A file is read into a concrete syntax tree (libcst), so that comments, blank lines and quotes stay. It is walked several times: what
is a tensor, a layer, a shape is found out by following assignments, calls and attributes, and the last walk writes.
"""
