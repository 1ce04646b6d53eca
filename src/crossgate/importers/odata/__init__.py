"""OData metadata, in XML and JSON, read into an API with a suggested policy."""
