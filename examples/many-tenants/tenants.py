"""Write tenants.cfg: a port for every tenant. Argument: how many tenants."""

import sys

HEAD = """\
# Made by `python3 tenants.py {count} > tenants.cfg`: port 20001 is for tenant 1, and so on.
defaults
    mode tcp
    timeout connect 5s
    timeout client  30s
    timeout server  30s
"""
TENANT = """
listen t{number}
    bind 127.0.0.1:{port}
    server origin 10.0.0.10:80 namespace t{number}
"""

count = int(sys.argv[1])
sys.stdout.write(HEAD.format(count=count))
for number in range(1, count + 1):
    sys.stdout.write(TENANT.format(number=number, port=20000 + number))
