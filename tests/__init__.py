"""The tests. A regular package: it comes before packages of the same name that dependencies install."""
