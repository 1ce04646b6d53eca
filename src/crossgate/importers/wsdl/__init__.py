"""Reads WSDL 1.1 and 2.0: the services of a description, and what their bindings need of CORS."""
