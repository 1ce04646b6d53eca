"""Sign-in with a company's OpenID provider. Nothing here is imported unless it is configured."""
