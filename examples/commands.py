"""The commands to try on the running example. ``examples.run`` prints them, the tests execute them."""

from __future__ import annotations

from dataclasses import dataclass

from examples.servers import Ports


@dataclass(frozen=True, slots=True)
class ExampleCommand:
    """One command, the status and a part of the response, and what reaches a native service."""

    about: str
    command: str
    status: int
    contains: str
    forwarded: int
    """How many requests a native service receives."""


def example_commands(ports: Ports) -> tuple[ExampleCommand, ...]:
    """The commands for a gateway and native services on these ports."""
    pets = f"{ports.url('gateway')}/gateway/petstore/1.0/pets"
    preflight = "curl -i -X OPTIONS -H 'Origin: http://test2.com' -H 'Access-Control-Request-Method:"
    return (
        ExampleCommand(
            "an origin that the policy allows",
            f"curl -i -H 'Origin: http://test2.com' {pets}",
            200,
            "Access-Control-Allow-Origin: http://test2.com",
            1,
        ),
        ExampleCommand(
            "an origin that it does not allow: refused, and the log below shows no request to pets",
            f"curl -i -H 'Origin: http://test.com' {pets}",
            403,
            "Specified Origin is not allowed",
            0,
        ),
        ExampleCommand(
            "a preflight, answered by the gateway",
            f"{preflight} POST' -H 'Access-Control-Request-Headers: test1' {pets}",
            200,
            "Access-Control-Max-Age: 100",
            0,
        ),
        ExampleCommand(
            "a preflight for a method that is not allowed",
            f"{preflight} DELETE' {pets}",
            405,
            "Method Not Allowed",
            0,
        ),
        ExampleCommand(
            "a preflight for a header that is not allowed",
            f"{preflight} POST' -H 'Access-Control-Request-Headers: test3' {pets}",
            403,
            "Header Not Supported",
            0,
        ),
        ExampleCommand(
            "an API without a policy: the native service's own CORS",
            f"curl -i -H 'Origin: {ports.url('stranger')}' {ports.url('gateway')}/gateway/parcels/1.0/7001",
            200,
            f"Access-Control-Allow-Origin: {ports.url('stranger')}",
            1,
        ),
        ExampleCommand(
            "a WSDL, which names the gateway's address",
            f"curl -i '{ports.url('gateway')}/ws/stock/1.0?wsdl'",
            200,
            f'location="{ports.url("gateway")}/ws/stock/1.0"',
            1,
        ),
    )
