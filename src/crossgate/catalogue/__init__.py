"""What the gateway publishes: APIs, their policies, applications and settings; and the document that declares them."""
