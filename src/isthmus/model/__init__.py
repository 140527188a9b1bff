"""What a configuration means: frozen types, without I/O."""
