"""Arguments and options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from crossgate.catalogue.selector import parse_selector
from crossgate.diagnostics import Place
from crossgate.net.address import SocketMode
from crossgate.service.log import LogFormat, LogLevel

DEFAULT_ADMIN_ADDRESS: Final = "127.0.0.1:8090"
DEFAULT_HEALTH_ADDRESS: Final = "127.0.0.1:8091"
DEFAULT_NODE_HEALTH_ADDRESS: Final = "127.0.0.1:8092"
"""Another one: a node is often on the machine of its control plane."""
DEFAULT_SERVER: Final = f"http://{DEFAULT_ADMIN_ADDRESS}"
DEFAULT_DRAIN_SECONDS: Final = 30.0

# Of `run` and `serve`.
ServedFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE",
        help="The YAML document to serve and follow. Without it, the gateway serves a store.",
        show_default=False,
    ),
]
ListenAddress = Annotated[
    str,
    typer.Option(
        metavar="HOST:PORT",
        help="The gateway's address, written to the store. Not with a file.",
        show_default="the store's; 127.0.0.1:8080 in a new store",
    ),
]
AdminAddress = Annotated[
    str,
    typer.Option(
        metavar="HOST:PORT",
        help="Address of the admin API, or `off`.",
        show_default=DEFAULT_ADMIN_ADDRESS,
    ),
]
AdminHosts = Annotated[
    list[str] | None,
    typer.Option(
        "--admin-host",
        metavar="NAME",
        help="Host name under which clients reach the admin API, besides localhost. Repeatable.",
        show_default=False,
    ),
]
AdminInClearText = Annotated[
    bool,
    typer.Option(
        "--admin-in-clear-text",
        help="Accept an --admin address that other machines can reach: tokens travel unencrypted.",
    ),
]
OidcFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The YAML file that says how people sign in to the console with their company's provider.",
        show_default=False,
    ),
]
ConsoleLink = Annotated[
    bool,
    typer.Option(
        help="Print a link that signs in to the console as an admin, once and within 10 minutes. Use"
        " --no-console-link where the log has other readers."
    ),
]
XDS_HELP: Final = "Address of the control plane, for nodes: unix:/path or 127.0.0.1:PORT."
XdsMode = Annotated[
    SocketMode,
    typer.Option(
        help="Who may connect to a socket of --xds, and so read the whole configuration: its owner, or with"
        " `0660` also the members of its group.",
    ),
]
OtlpUrl = Annotated[
    str,
    typer.Option(
        metavar="URL",
        help="Export metrics to this OpenTelemetry collector, such as http://collector:4318.",
        show_default="as OTEL_EXPORTER_OTLP_ENDPOINT and other standard variables say",
    ),
]
HealthAddress = Annotated[
    str,
    typer.Option(
        metavar="HOST:PORT",
        help="Address of the health checks and of /metrics, without tokens, or `off`. They name APIs."
        " A default address that is taken is reported, and not used.",
        show_default=DEFAULT_HEALTH_ADDRESS,
    ),
]

# Of several verbs.
DocumentFiles = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="YAML documents, read as one: files, directories (all their *.yaml and *.yml, also in"
        " subdirectories; hidden ones are left out), or `-` for standard input.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DataDirectory = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Directory of the store.",
        show_default="~/.local/share/crossgate",
    ),
]
DatabaseUrl = Annotated[
    str,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="CROSSGATE_DATABASE",
        help="PostgreSQL database of the store: postgresql://user@host/name.",
    ),
]
Server = Annotated[
    str, typer.Option(metavar="URL", envvar="CROSSGATE_SERVER", help="The gateway's admin API.")
]
Token = Annotated[
    str,
    typer.Option(
        metavar="SECRET",
        envvar="CROSSGATE_TOKEN",
        help="Token for the admin API. Prefer the environment variable: other users can see arguments.",
    ),
]
ServerInClearText = Annotated[
    bool,
    typer.Option(
        "--server-in-clear-text",
        envvar="CROSSGATE_SERVER_IN_CLEAR_TEXT",
        help="Send the token over plain http to another machine, too: it travels unencrypted.",
    ),
]
Message = Annotated[
    str, typer.Option("--message", "-m", metavar="TEXT", help="Reason, recorded in the revision.")
]
Prune = Annotated[bool, typer.Option("--prune", help="Remove objects that the documents do not contain.")]
Selector = Annotated[
    str | None,
    typer.Option(
        metavar="LABELS",
        help="Only APIs and applications with these labels, such as team=checkout,env!=test; nothing else is"
        " changed or removed.",
        show_default="all",
    ),
]
Concurrency = Annotated[
    int, typer.Option(min=0, metavar="N", help="Worker threads of Envoy; 0: one per core.")
]
DrainTime = Annotated[
    float,
    typer.Option(
        "--drain-time",
        min=0,
        metavar="SECONDS",
        help="How long requests in progress may take after a stop or a restart. Streams live until it ends.",
    ),
]
HealthHosts = Annotated[
    list[str] | None,
    typer.Option(
        "--health-host",
        metavar="NAME",
        help="Host name under which clients reach the --health address, besides localhost. Repeatable.",
        show_default=False,
    ),
]
LogFormatOption = Annotated[
    LogFormat,
    typer.Option(
        "--log-format",
        envvar="CROSSGATE_LOG_FORMAT",
        help="How the log is written to standard output; `auto` is text in a terminal, otherwise JSON.",
    ),
]
LogLevelOption = Annotated[
    LogLevel,
    typer.Option(
        "--log-level",
        envvar="CROSSGATE_LOG_LEVEL",
        help="Omit lines below this level. Programs that wait for a line of the start need `info`.",
    ),
]


def check_selector(text: str | None) -> str:
    """The selector as it is sent, empty if there is none; raises InvalidInput with every error."""
    return "" if text is None else str(parse_selector(text, Place()))
