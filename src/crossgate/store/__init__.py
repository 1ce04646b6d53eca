"""The catalogue in a database: SQLite in a directory of its own, or PostgreSQL for several control planes."""

from crossgate.store.location import PostgresqlUrl, SqliteDirectory, StoreLocation, parse_location
from crossgate.store.open import Store, directory_lock, open_store

__all__ = [
    "PostgresqlUrl",
    "SqliteDirectory",
    "Store",
    "StoreLocation",
    "directory_lock",
    "open_store",
    "parse_location",
]
