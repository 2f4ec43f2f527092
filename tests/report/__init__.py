"""The report as people and programs read it: HTML in a real browser, JUnit XML, pytest, notebook."""
