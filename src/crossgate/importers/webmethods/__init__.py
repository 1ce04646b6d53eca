"""Exports and settings of webMethods API Gateway, the reference product."""
