"""Configurations of Envoy: bootstrap files, route configurations, and dumps of its admin interface."""
