"""The command line: one file a verb, heavy modules imported only by the verb that needs them."""
