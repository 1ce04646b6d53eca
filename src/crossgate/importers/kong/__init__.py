"""Kong's declarative configuration."""
