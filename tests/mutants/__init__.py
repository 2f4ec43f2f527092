"""The corpus that judges `parity`: correct ports that must pass, planted mistakes that must be named.

It knows nothing of how the checker works. Networks come as pairs of source files; a mistake is an edit of a
line, an operation on the converted weights, or a different training recipe, together with what an honest
report has to say about it. `test_corpus.py` proves the corpus itself, in float64, without `parity`.
"""
