"""The routes of the admin API, one module a resource."""
