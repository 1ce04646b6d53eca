"""What the command prints: for people in a terminal, as plain lines in a pipe, as JSON for programs."""
