"""The same configuration and traffic through HAProxy 2.6 and through Isthmus, compared."""
