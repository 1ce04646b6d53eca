"""Configuration of Spring Cloud Gateway."""
