"""YAML: parsed with positions, bounds and errors at their place; and written."""
