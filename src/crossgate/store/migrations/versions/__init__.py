"""The migrations, sorted by name. A released migration is never changed."""
