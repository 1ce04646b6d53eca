"""Crossgate's supplement to the public suffix list: domains that many people share and that are not in it.

Companies register in the public list themselves, and many have not. Each entry here has the page that shows
how names or paths are given out. ``tests/unit/lint/test_shared_domains.py`` fails for an entry that the
public list covers by now: remove it then. Operators add and remove entries with ``gateway.lint``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

SHARED_DOMAINS: Final = {
    # Names that contain an IP address lead to that address.
    "nip.io": "https://nip.io",
    "sslip.io": "https://sslip.io",
    "traefik.me": "https://traefik.me",
    # Clouds
    "*.cloudapp.azure.com": "https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses",
    "*.azurecontainerapps.io": "https://learn.microsoft.com/azure/container-apps/connect-apps",
    "storage.googleapis.com": "https://cloud.google.com/storage/docs/request-endpoints",
    "*.aliyuncs.com": "https://www.alibabacloud.com/help/en/oss/user-guide/regions-and-endpoints",
    "*.bcebos.com": "https://cloud.baidu.com/doc/BOS/s/Ck1rk80hn-en",
    "*.telnyxcloudstorage.com": "https://developers.telnyx.com/docs/cloud-storage/bucket-addressing",
    "s3.wasabisys.com": "https://docs.wasabi.com/docs/what-are-the-service-urls-for-wasabi-s-different-storage-regions",
    "koyeb.app": "https://www.koyeb.com/docs/run-and-scale/domains",
    # Customers' sites at providers of software
    "atlassian.net": "https://developer.atlassian.com/cloud/acli/reference/commands/auth-login/",
    "my.salesforce.com": "https://developer.salesforce.com/docs/platform/apex-ref/references/apex-ref/apex-class-system-domaincreator.html",
    "lightning.force.com": "https://developer.salesforce.com/docs/platform/apex-ref/references/apex-ref/apex-class-system-domaincreator.html",
    "my.site.com": "https://help.salesforce.com/s/articleView?id=xcloud.domain_name_url_formats.htm&type=5",
    "service-now.com": "https://developer.servicenow.com/dev.do#!/guides/latest/developer-program/pdi-guide/",
    "sharepoint.com": "https://learn.microsoft.com/sharepoint/change-your-sharepoint-domain-name",
    "zendesk.com": "https://developer.zendesk.com/api-reference/introduction/requests/",
    # Tunnels and workspaces of developers
    "app.github.dev": "https://docs.github.com/codespaces/developing-in-a-codespace/forwarding-ports-in-your-codespace",
    "*.devtunnels.ms": "https://learn.microsoft.com/azure/developer/dev-tunnels/overview",
    "*.gitpod.io": "https://www.gitpod.io/docs/configure/workspaces/ports",
    "gradio.live": "https://www.gradio.app/guides/sharing-your-app",
    "lhr.life": "https://localhost.run/docs/",
    "loca.lt": "https://github.com/localtunnel/localtunnel",
    "localtunnel.me": "https://github.com/localtunnel/localtunnel",
    "serveo.net": "https://serveo.net",
}
"""Rules in the syntax of the public list, each with its source: different people have the names below."""

ADDRESS_DOMAINS: Final = frozenset({"nip.io", "sslip.io", "traefik.me"})
"""Those whose names lead to the IP address in them, at any depth. A host belongs to that address's holder."""


def is_address_domain(name: str) -> bool:
    """Whether names below ``name`` lead to the IP address in them."""
    return ".".join(name.split(".")[-2:]) in ADDRESS_DOMAINS


SHARED_HOSTS: Final = {
    "s3.amazonaws.com": "https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html",
    "s3.*.amazonaws.com": "https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html",
    "s3-*.amazonaws.com": "https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html",
    "s3.dualstack.*.amazonaws.com": "https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html",
    "storage.googleapis.com": "https://cloud.google.com/storage/docs/request-endpoints",
    "firebasestorage.googleapis.com": "https://firebase.google.com/docs/storage/web/download-files",
    "objectstorage.*.oraclecloud.com": "https://docs.oracle.com/en-us/iaas/Content/Object/home.htm",
    "*.digitaloceanspaces.com": "https://github.com/sa7mon/S3Scanner/wiki/S3-Compatible-APIs",
    "s3.*.scw.cloud": "https://github.com/sa7mon/S3Scanner/wiki/S3-Compatible-APIs",
    "s3.*.cloud-object-storage.appdomain.cloud": "https://github.com/sa7mon/S3Scanner/wiki/S3-Compatible-APIs",
    "*.vultrobjects.com": "https://github.com/sa7mon/S3Scanner/wiki/S3-Compatible-APIs",
    "s3.wasabisys.com": "https://github.com/sa7mon/S3Scanner/wiki/S3-Compatible-APIs",
    "s3.*.wasabisys.com": "https://github.com/sa7mon/S3Scanner/wiki/S3-Compatible-APIs",
    "f*.backblazeb2.com": "https://www.backblaze.com/docs/cloud-storage-native-api",
    "*.bcebos.com": "https://cloud.baidu.com/doc/BOS/s/Ck1rk80hn-en",
    "*.telnyxcloudstorage.com": "https://developers.telnyx.com/docs/cloud-storage/bucket-addressing",
    "ipfs.io": "https://docs.ipfs.tech/concepts/ipfs-gateway/",
}
"""Hosts at which different people publish pages under paths of their own, so that all have the one origin.

``*`` stands for letters, digits and hyphens.
"""

_ANY: Final = "[a-z0-9-]+"
SHARED_HOST_ENDS: Final = tuple(
    sorted({".".join(host.split(".")[-2:]).removeprefix("*.") for host in SHARED_HOSTS})
)
"""Every shared host ends in one of these."""


def shared_host_pattern(hosts: Iterable[str]) -> str:
    """An expression for the hosts, in the syntax that Python and RE2 share."""
    return "|".join(re.escape(host).replace(r"\*", _ANY).replace(r"\-", "-") for host in sorted(hosts))
