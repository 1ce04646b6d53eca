"""Worker processes: each answers one request with what it computes, within a budget, and can be killed."""
