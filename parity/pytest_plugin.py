"""Nothing: `paddle2torch.pytest_plugin` is the plugin. An environment that was installed before it moved still loads this."""
