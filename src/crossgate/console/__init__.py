"""The console: pages for browsers over the admin API, which they call in the same process."""
