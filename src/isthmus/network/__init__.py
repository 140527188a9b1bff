"""The network builder behind `isthmus net`: one YAML file says what the network should be.

    text ──document──▶ model ──desired──▶ objects ──difference──▶ steps ──apply──▶ kernel
                                   observed ──▶ objects ──┘

The one importer of pyroute2. State is read from the kernel, never from a file of our own: what
belongs to a network carries its mark (interface alias `isthmus:NAME`, nftables table `isthmus_NAME`).
"""
