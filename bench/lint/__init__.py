"""Benchmarks of the linter: time, memory, and what other ways of looking find."""
