"""The process: how it starts, what it does at signals, how it ends."""
