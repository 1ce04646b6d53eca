"""What the gateway publishes: APIs, policies, applications, settings; and the document declaring them."""
