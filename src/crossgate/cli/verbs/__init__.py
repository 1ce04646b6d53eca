"""The verbs, one file each. A verb imports at its top what it needs; see :mod:`crossgate.cli.app`."""
