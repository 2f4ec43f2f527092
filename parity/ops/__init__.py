"""The vocabulary that both recorders speak: one name and one set of attributes per operator.

`kinds` says what a kind is, `paddle` and `torch` say how each framework's calls are read into it.
All three are tables; none imports a framework.
"""
