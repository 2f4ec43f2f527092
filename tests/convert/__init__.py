"""Tests of `convert`: real files made by the real frameworks."""
