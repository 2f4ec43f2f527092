"""The few modules that import a framework, each named for it; nothing else in `convert` does."""
