"""Certificates, authorities and revocation lists of a configuration that runs, and how they are replaced.

Everything here works on a `Built` and its model; the engine gets whole plans, and changes all or nothing.
"""
