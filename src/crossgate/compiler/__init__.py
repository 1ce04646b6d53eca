"""Catalogue to Envoy resources: pure, and the same input gives the same bytes."""
