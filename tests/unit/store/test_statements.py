"""Statements that are put to the driver itself do what they do through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from crossgate.store import Store
from crossgate.store.statements import Statement
from crossgate.store.tables import tokens

ADD = Statement(insert(tokens))
FIND = Statement(
    select(tokens.c.name, tokens.c.created, tokens.c.expires).where(tokens.c.digest == bindparam("of_digest"))
)
NOON = datetime(2026, 1, 1, 12, 0, 0, 250, tzinfo=timezone(timedelta(hours=2)))


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    with store.catalogue.writing() as found:
        yield found


def token(digest: str, name: str = "it's %(mine)s :now ?") -> dict[str, object]:
    times = {"created": NOON, "expires": None, "last_used": None, "revoked": None}
    return {"digest": digest, "name": name, "role": "admin", **times}


def test_what_is_put_by_either_is_found_by_the_other(connection: Connection) -> None:
    ADD.run(connection, token("a"))
    connection.execute(insert(tokens), [token("b")])

    for digest in ("a", "b"):
        [found] = FIND.run(connection, {"of_digest": digest})
        asked = select(tokens.c.name, tokens.c.created, tokens.c.expires).where(tokens.c.digest == digest)
        assert tuple(found) == tuple(connection.execute(asked).one())
        assert list(found) == ["it's %(mine)s :now ?", NOON.astimezone(UTC), None]
    assert list(FIND.run(connection, {"of_digest": "c"})) == []


def test_several_at_once_are_each_done(connection: Connection) -> None:
    ADD.run(connection, *(token(f"d{number}", str(number)) for number in range(3)))
    assert [FIND.run(connection, {"of_digest": f"d{number}"})[0][0] for number in range(3)] == ["0", "1", "2"]


def test_an_error_is_one_of_sqlalchemys_and_nothing_stays(store: Store) -> None:
    with pytest.raises(IntegrityError), store.catalogue.writing() as connection:
        ADD.run(connection, token("a"))
        ADD.run(connection, token("a"))
    with store.catalogue.reading() as connection:
        assert list(FIND.run(connection, {"of_digest": "a"})) == []
