"""What to try on the running example, as data: printed by ``examples.run``, executed by the tests."""

from __future__ import annotations

from dataclasses import dataclass

from examples.places import Places


@dataclass(frozen=True, slots=True)
class Try:
    """One command and what comes of it: the status, a text that the answer contains, and what arrives."""

    about: str
    command: str
    status: int
    contains: str
    arrives: int
    """How many requests a native service sees."""


def tries(places: Places) -> tuple[Try, ...]:
    """The commands for a gateway and native services at these places."""
    pets = f"{places.url('gateway')}/gateway/petstore/1.0/pets"
    preflight = "curl -i -X OPTIONS -H 'Origin: http://test2.com' -H 'Access-Control-Request-Method:"
    return (
        Try(
            "an origin that the policy allows",
            f"curl -i -H 'Origin: http://test2.com' {pets}",
            200,
            "Access-Control-Allow-Origin: http://test2.com",
            1,
        ),
        Try(
            "one that it does not: refused, and no line here says that pets saw it",
            f"curl -i -H 'Origin: http://test.com' {pets}",
            403,
            "Specified Origin is not allowed",
            0,
        ),
        Try(
            "a preflight, answered by the gateway alone",
            f"{preflight} POST' -H 'Access-Control-Request-Headers: test1' {pets}",
            200,
            "Access-Control-Max-Age: 100",
            0,
        ),
        Try(
            "a preflight for a method that is not allowed",
            f"{preflight} DELETE' {pets}",
            405,
            "Method Not Allowed",
            0,
        ),
        Try(
            "a preflight for a header that is not allowed",
            f"{preflight} POST' -H 'Access-Control-Request-Headers: test3' {pets}",
            403,
            "Header Not Supported",
            0,
        ),
        Try(
            "an API without a policy: the native service's own CORS",
            f"curl -i -H 'Origin: {places.url('stranger')}' {places.url('gateway')}/gateway/parcels/1.0/7001",
            200,
            f"Access-Control-Allow-Origin: {places.url('stranger')}",
            1,
        ),
        Try(
            "a WSDL, whose address is the gateway's",
            f"curl -i '{places.url('gateway')}/ws/stock/1.0?wsdl'",
            200,
            f'location="{places.url("gateway")}/ws/stock/1.0"',
            1,
        ),
    )
