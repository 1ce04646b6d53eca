"""Counts of decisions and samples of refused requests: from Envoy into the store, and out as metrics."""
