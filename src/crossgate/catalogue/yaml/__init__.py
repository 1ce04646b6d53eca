"""YAML in, with positions, budgets and errors that name their place; and out again."""
