"""Puts this folder on the import path (pytest does so where a conftest.py is), for `paper` and its like."""
