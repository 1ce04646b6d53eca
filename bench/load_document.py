"""The time of reading and writing large documents: `python bench/load_document.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from crossgate.catalogue.document import read_document, write_document
from crossgate.catalogue.model import Catalogue

_API = """\
  - name: api-{n}
    version: "1.0"
    type: rest
    native: http://127.0.0.1:9101/v2
    cors:
      allowed_origins:
        - http://shop-{n}.example
        - https://*.example.com
        - regex: 'https://pr-[0-9]+\\.preview\\.example\\.com'
      allowed_methods: [POST, GET, PUT]
      allow_headers: [test1, test2]
      expose_headers: [header1, header2]
      allow_credentials: true
      max_age: 100
"""


def many_apis(count: int) -> str:
    return "apis:\n" + "".join(_API.replace("{n}", str(n)) for n in range(count))


def many_origins(count: int) -> str:
    head, _, _ = _API.replace("{n}", "1").partition("        - http")
    return "apis:\n" + head + "".join(f"        - https://shop-{n}.example.com\n" for n in range(count))


def _catalogue(text: str) -> Catalogue:
    reading = read_document(text)
    assert reading.catalogue is not None, reading.diagnostics[:3]
    return reading.catalogue


def _best(act: Callable[[], object], runs: int = 3) -> float:
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        act()
        times.append(time.perf_counter() - begin)
    return min(times)


def main() -> None:
    documents = {
        "1 API": many_apis(1),
        "1,000 APIs": many_apis(1_000),
        "5,000 APIs": many_apis(5_000),
        "100,000 origins": many_origins(100_000),
    }
    print(f"{'document':>16} {'size':>9} {'read':>10} {'write':>10}")
    for name, text in documents.items():
        catalogue = _catalogue(text)
        read = _best(partial(_catalogue, text))
        write = _best(partial(write_document, catalogue))
        print(f"{name:>16} {len(text) / 2**20:6.2f} MB {read * 1000:7.0f} ms {write * 1000:7.0f} ms")


if __name__ == "__main__":
    main()
