"""How the tables came to be what they are: one file for each step, run by Alembic."""
