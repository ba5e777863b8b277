"""Configurations for the web servers in front: a module for each, and `site` for what they share.

Each module has `PROTOCOLS`, what its program speaks with canter, and `configuration`, which makes
the text from a `Site`. `canter front NAME` prints it.
"""
