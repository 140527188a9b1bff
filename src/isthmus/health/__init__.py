"""What keeps servers' health true: checks by TCP connect, and what they say to the engine and the log."""
