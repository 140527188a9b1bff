"""The runtime API: what operators ask of a running process over its stats sockets."""
