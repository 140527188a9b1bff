"""A proxy and load balancer for Linux network namespaces that speaks HAProxy's configuration language."""
