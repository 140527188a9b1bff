"""OCSP responses (RFC 6960): asked for at the responders that certificates name, verified, stapled."""
