"""Why a sign-in with the company's provider failed, in words."""

from __future__ import annotations


class SignInFailedError(Exception):
    """What is wrong, what was found, and what to do. What was found may come from a request."""

    def __init__(self, message: str, remedy: str, *, found: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.found = found
