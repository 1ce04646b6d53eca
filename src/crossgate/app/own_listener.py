"""Requests to the listener of the Envoy that this gateway runs itself."""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import Final

from crossgate.catalogue.model import Gateway
from crossgate.net.address import HostPort
from crossgate.service.sent_request import NotSent, SentRequest, SentResponse

_SECONDS: Final = 5.0
_WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class OwnListener:
    """A :class:`~crossgate.service.sent_request.RequestSender`.

    It connects to the address that the catalogue's gateway listens at; the request chooses none. It follows
    no redirect and reads no body.
    """

    def send(self, gateway: Gateway, request: SentRequest) -> SentResponse:
        """The response.

        Raises:
            NotSent: the listener cannot be reached, does not answer within 5 s, or the request cannot be
                written as HTTP.

        """
        connection = _Connection(gateway.listen, request.host, tls=bool(gateway.tls))
        try:
            connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in (("Host", request.host), *request.headers, ("Content-Length", "0")):
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            return SentResponse(response.status, tuple(response.getheaders()))
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise NotSent(
                f"the gateway's listener at {gateway.listen} did not answer: {reason}",
                "See whether the nodes enforce the newest revision, then retry",
            ) from None
        finally:
            connection.close()


class _Connection(http.client.HTTPConnection):
    """A connection to one address, whatever the request's Host and the name in TLS are."""

    def __init__(self, address: HostPort, host: str, *, tls: bool) -> None:
        target = _WILDCARDS.get(address.host, address.host)
        super().__init__(target, address.port, timeout=_SECONDS)
        self._server_name = host.rpartition(":")[0] or host
        self._tls = tls

    def connect(self) -> None:
        """Connect, with TLS if the listener has it: the certificate is the gateway's own, for other names."""
        self.sock = socket.create_connection((self.host, self.port), _SECONDS)
        if self._tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            name = self._server_name
            is_name = name.isascii() and name[:1].isalpha()
            self.sock = context.wrap_socket(self.sock, server_hostname=name if is_name else None)
