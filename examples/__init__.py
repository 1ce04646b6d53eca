"""The example: native services, a page on other origins, and a gateway configuration in front of them."""
