"""OpenAPI descriptions, read into APIs."""
