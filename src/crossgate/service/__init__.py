"""Use cases, over ports that the layers above fill in."""
