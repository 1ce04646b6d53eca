"""Finds what is legal in a policy but unsafe, and proves what its origin patterns admit."""
