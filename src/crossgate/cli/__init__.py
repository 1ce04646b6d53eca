"""The command line: ``verbs`` has one file for each verb, ``output`` prints what they return."""
