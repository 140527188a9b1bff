"""Certificates that authorities issue on demand (RFC 8555): asked for, stored, put in force, renewed.

Its modules are imported where a configuration has a section `acme`, and the library of ACME in `asking` only.
"""
