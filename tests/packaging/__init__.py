"""What a user installs: the wheel, the environment it needs, and the commands that the README shows."""
