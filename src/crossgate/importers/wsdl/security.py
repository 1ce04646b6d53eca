"""What the policies of a service (WS-Policy) say about authentication over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from lxml import etree

from crossgate.importers.wsdl.documents import Descriptions, Node

_SECURITY_POLICY: Final = re.compile(
    r"http://schemas\.xmlsoap\.org/ws/2005/07/securitypolicy/?"
    r"|http://docs\.oasis-open\.org/ws-sx/ws-securitypolicy/[0-9]+/?"
)
_MICROSOFT: Final = "http://schemas.microsoft.com/ws/06/2004/policy/http"
_POLICY: Final = frozenset(
    {
        "http://schemas.xmlsoap.org/ws/2002/12/policy",
        "http://schemas.xmlsoap.org/ws/2004/09/policy",
        "http://www.w3.org/2006/07/ws-policy",
        "http://www.w3.org/ns/ws-policy",
    }
)


class HttpAuthentication(StrEnum):
    """How clients authenticate over HTTP."""

    HEADER = "header"
    """With the header ``Authorization``: Basic or Digest."""
    CONNECTION = "connection"
    """A connection is authenticated: NTLM or Negotiate."""
    CERTIFICATE = "certificate"
    """With a client certificate."""


_ASSERTIONS: Final = {
    "HttpBasicAuthentication": HttpAuthentication.HEADER,
    "HttpDigestAuthentication": HttpAuthentication.HEADER,
    "RequireClientCertificate": HttpAuthentication.CERTIFICATE,
}
_MICROSOFT_ASSERTIONS: Final = {
    "BasicAuthentication": HttpAuthentication.HEADER,
    "DigestAuthentication": HttpAuthentication.HEADER,
    "NtlmAuthentication": HttpAuthentication.CONNECTION,
    "NegotiateAuthentication": HttpAuthentication.CONNECTION,
}

Assertions = dict[HttpAuthentication, Node]
"""The first element that says so."""


class Policies:
    """Finds the assertions of elements. Alternatives count all: a client may choose any of them."""

    def __init__(self, descriptions: Descriptions) -> None:
        self._by_id: dict[tuple[int, str], Node] = {}
        for root in descriptions.roots:
            for element in root.element.iter(*(f"{{{one}}}Policy" for one in _POLICY)):
                node = Node(root.document, element)
                for name, value in element.items():
                    if name.rpartition("}")[2] in {"Id", "id", "Name"}:
                        self._by_id.setdefault((id(root.document), value.strip()), node)
        self._found: dict[etree._Element, tuple[Assertions, list[Node]]] = {}

    def of(self, node: Node) -> Assertions:
        """What the element, those in it, and the policies to which they refer assert."""
        found: Assertions = {}
        seen, queue = {node.element}, [node]
        for one in queue:
            if one.element not in self._found:
                self._found[one.element] = self._own(one)
            own, references = self._found[one.element]
            for kind, place in own.items():
                found.setdefault(kind, place)
            for policy in references:
                if policy.element not in seen:
                    seen.add(policy.element)
                    queue.append(policy)
        return found

    def _own(self, node: Node) -> tuple[Assertions, list[Node]]:
        found: Assertions = {}
        references: dict[etree._Element, Node] = {}
        for element in node.element.iter("{*}*"):
            one = Node(node.document, element)
            kind = _authentication(one)
            if kind is not None:
                found.setdefault(kind, one)
            for reference in _references(one):
                policy = self._by_id.get((id(node.document), reference.removeprefix("#")))
                if policy is not None:
                    references[policy.element] = policy
        return found, list(references.values())


def _authentication(node: Node) -> HttpAuthentication | None:
    namespace, local = node.name
    if namespace == _MICROSOFT:
        return _MICROSOFT_ASSERTIONS.get(local)
    if not _SECURITY_POLICY.fullmatch(namespace):
        return None
    if local == "HttpsToken" and node.get("RequireClientCertificate") in {"true", "1"}:
        return HttpAuthentication.CERTIFICATE
    return _ASSERTIONS.get(local)


def _references(node: Node) -> Iterator[str]:
    if node.name.local == "PolicyReference" and node.name.namespace in _POLICY:
        yield node.get("URI")
    yield from node.get("PolicyURIs", *_POLICY).split()
