"""Who a provider says that somebody is, and what the groups permit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from crossgate.console.oidc.failure import SignInFailedError
from crossgate.console.oidc.options import GroupRole, OidcOptions
from crossgate.service.permission import Permission, Role
from crossgate.service.tokens import Token

PREFIX: Final = "oidc:"
"""Before the name of a person: no token has a colon in its name, so nobody can be named like one."""
_LONGEST_NAME: Final = 200
_LISTED: Final = 20


def caller_of(claims: Mapping[str, Any], options: OidcOptions, now: datetime) -> Token:
    """With whose name, role and limit the person calls the API.

    Raises:
        SignInFailedError: the groups give no role, or there is no usable name.

    """
    name = author_of(claims, options)
    permission = permission_of(groups_of(claims, options.groups_claim), options)
    return Token(name, permission.role, now, now + options.session_lifetime, apis=permission.apis)


def author_of(claims: Mapping[str, Any], options: OidcOptions) -> str:
    """The author of the person's revisions.

    Raises:
        SignInFailedError: the claim is missing, or cannot be a name.

    """
    claim = options.author_claim
    value = claims.get(claim)
    if not isinstance(value, str) or not value or len(value) > _LONGEST_NAME or not value.isprintable():
        raise SignInFailedError(
            f"The provider sent no usable {claim}",
            f"Revisions name their author by the claim {claim}. Let the provider send it, or set another",
            found=None if value is None else str(value)[:_LONGEST_NAME],
        )
    # Some providers send the words of JSON as strings.
    if claim == "email" and str(claims.get("email_verified")).strip().lower() == "false":
        raise SignInFailedError(
            "The provider says that your address is not verified", "Verify it at the provider", found=value
        )
    return PREFIX + value


def groups_of(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    """The groups in the claim: a list, or one name."""
    value = claims.get(claim)
    listed: Sequence[Any] = [value] if isinstance(value, str) else value if isinstance(value, list) else ()
    return tuple(one for one in listed if isinstance(one, str))


def permission_of(groups: Sequence[str], options: OidcOptions) -> Permission:
    """The highest role of the groups; with the APIs of all groups that give it.

    Raises:
        SignInFailedError: no group gives a role.

    """
    given = [one for one in options.roles if one.group in groups]
    if not given:
        arrived = ", ".join(groups[:_LISTED]) + (" …" if len(groups) > _LISTED else "")
        needed = ", ".join(dict.fromkeys(one.group for one in options.roles))
        raise SignInFailedError(
            "None of your groups has a role here",
            f"You need one of the groups: {needed}. They arrive in the claim {options.groups_claim}",
            found=arrived or f"no groups in {options.groups_claim}",
        )
    highest = max((one.role for one in given), key=list(Role).index)
    return Permission(highest, _apis([one for one in given if one.role is highest]))


def _apis(given: Sequence[GroupRole]) -> tuple[str, ...]:
    if any(not one.apis for one in given):
        return ()
    return tuple(dict.fromkeys(api for one in given for api in one.apis))
