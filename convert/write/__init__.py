"""Writing checkpoints: in flat memory, to a temporary file that becomes the target only when complete."""
