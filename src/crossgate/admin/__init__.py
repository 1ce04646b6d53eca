"""The admin API: the use cases over HTTP, for people's programs, the command line and the console."""
