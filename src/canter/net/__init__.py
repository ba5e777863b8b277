"""Addresses and listening sockets: what `--bind` means and what it opens."""
