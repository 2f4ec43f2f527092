"""The Rosetta table on the command line: what a name of one framework is in the other, in English or Chinese."""
