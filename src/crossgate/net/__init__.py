"""Network addresses, as every part of the program reads and writes them."""
