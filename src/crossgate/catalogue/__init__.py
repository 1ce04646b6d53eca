"""The objects of a gateway (APIs, policies, applications, settings) and the document that declares them."""
