"""The icons: outlines in a box of 16 by 16, in the current colour. Outcomes differ in silhouette too."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

_SHAPES: Final = {
    "menu": '<path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11"/>',
    "overview": '<path d="M2.5 13.5v-5M6.2 13.5v-9M9.8 13.5V7M13.5 13.5v-11"/>',
    "refusals": '<circle cx="8" cy="8" r="5.7"/><path d="M4.1 4.1l7.8 7.8"/>',
    "apis": (
        '<path d="M6 2.5c-1.6 0-2 .8-2 2v1.7c0 1-.5 1.8-1.6 1.8 1.1 0 1.6.8 1.6 1.8v1.7c0 1.2.4 2 2'
        ' 2M10 2.5c1.6 0 2 .8 2 2v1.7c0 1 .5 1.8 1.6 1.8-1.1 0-1.6.8-1.6 1.8v1.7c0 1.2-.4 2-2 2"/>'
    ),
    "applications": (
        '<rect x="2.2" y="3" width="11.6" height="10" rx="1.6"/><path d="M2.2 6.2h11.6M4.6 4.7h.01M'
        '6.4 4.7h.01"/>'
    ),
    "import": '<path d="M8 2v7.5M4.9 6.5L8 9.6l3.1-3.1M2.5 11.5v1.2c0 .6.4 1 1 1h9c.6 0 1-.4 1-1v-1.2"/>',
    "simulator": (
        '<circle cx="3.6" cy="3.6" r="1.4"/><circle cx="12.4" cy="12.4" r="1.4"/><path d="M5 3.6h4.'
        '2a2.2 2.2 0 010 4.4H6.8a2.2 2.2 0 000 4.4H11"/>'
    ),
    "prove": (
        '<path d="M8 1.8l5 1.9v3.9c0 3.2-2 5.4-5 6.6-3-1.2-5-3.4-5-6.6V3.7z"/><path d="M5.8 8l1.6 1'
        '.6 3-3.2"/>'
    ),
    "changes": '<circle cx="8" cy="8" r="2.4"/><path d="M8 1.8v3.8M8 10.4v3.8"/>',
    "nodes": (
        '<rect x="2.2" y="2.6" width="11.6" height="4.4" rx="1.2"/><rect x="2.2" y="9" width="11.6"'
        ' height="4.4" rx="1.2"/><path d="M4.8 4.8h.01M4.8 11.2h.01"/>'
    ),
    "settings": (
        '<path d="M2.5 4.8h6M12 4.8h1.5M2.5 11.2H4M7.5 11.2h6"/><circle cx="10.2" cy="4.8" r="1.7"/'
        '><circle cx="5.8" cy="11.2" r="1.7"/>'
    ),
    "ok": (
        '<circle cx="8" cy="8" r="6.5" class="icon-fill"/><path d="M5 8.3l2.1 2.1L11.1 6" class="ic'
        'on-stroke"/>'
    ),
    "refused": (
        '<path d="M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3z" class="icon-fill"/><path d="'
        'M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8" class="icon-stroke"/>'
    ),
    "warning": (
        '<path d="M8 1.7c.4 0 .8.2 1 .6l5.4 9.9c.4.8-.1 1.8-1 1.8H2.6c-.9 0-1.4-1-1-1.8L7 2.3c.2-.4'
        '.6-.6 1-.6z" class="icon-fill"/><path d="M8 5.9v3.2M8 11.5h.01" class="icon-stroke"/>'
    ),
    "observed": (
        '<circle cx="8" cy="8" r="5.9" class="icon-outline icon-dashed"/><circle cx="8" cy="8" r="2'
        '.1" class="icon-fill"/>'
    ),
    "pending": (
        '<circle cx="8" cy="8" r="5.9" class="icon-outline icon-dashed"/><path d="M8 5v3.2l2 1.3" c'
        'lass="icon-ink"/>'
    ),
    "pass-through": (
        '<circle cx="8" cy="8" r="5.9" class="icon-outline"/><path d="M4.9 8h5.6M8.3 5.7L10.7 8l-2.'
        '4 2.3" class="icon-ink"/>'
    ),
    "info": (
        '<circle cx="8" cy="8" r="5.9" class="icon-outline"/><path d="M8 7.4v3.4M8 5.2h.01" class="'
        'icon-ink"/>'
    ),
    "accepted": '<path d="M3.3 8.4l3 3 6.4-6.8"/>',
    "suspended": '<path d="M5.5 3.5v9M10.5 3.5v9"/>',
    "search": '<circle cx="7" cy="7" r="4.3"/><path d="M10.2 10.2l3.3 3.3"/>',
    "close": '<path d="M4 4l8 8M12 4l-8 8"/>',
    "undo": '<path d="M5.6 3L2.8 5.8l2.8 2.8M3 5.8h6.6a3.6 3.6 0 010 7.2H6.5"/>',
    "add": '<path d="M8 3.2v9.6M3.2 8h9.6"/>',
    "down": '<path d="M3.8 6L8 10.2 12.2 6"/>',
    "window": '<rect x="2.2" y="3" width="11.6" height="10" rx="1.6"/><path d="M2.2 6.2h11.6"/>',
    "arrow": '<path d="M3 8h9.5M8.8 4.2L12.6 8l-3.8 3.8"/>',
    "copy": (
        '<rect x="5.5" y="5.5" width="8" height="8" rx="1.4"/><path d="M10.5 3.3a1 1 0 00-1-.8H3.7c'
        '-.7 0-1.2.5-1.2 1.2v5.8c0 .5.3.9.8 1"/>'
    ),
    "lock": (
        '<rect x="3.2" y="7" width="9.6" height="6.5" rx="1.4"/><path d="M5.3 7V5a2.7 2.7 0 015.4 0v2"/>'
    ),
}


def icon(name: str, classes: str = "") -> Markup:
    """The SVG of an icon. It is decoration: the word beside it says the same.

    Raises:
        KeyError: unknown name.

    """
    extra = f" {classes}" if classes else ""
    shapes = Markup(_SHAPES[name])  # noqa: S704 - a constant
    return Markup('<svg class="icon{}" viewBox="0 0 16 16" aria-hidden="true">{}</svg>').format(extra, shapes)
