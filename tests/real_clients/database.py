"""A database of its own for one run, on a server that is already there, or in a file."""

import contextlib
import uuid
from urllib.parse import unquote, urlsplit, urlunsplit


@contextlib.contextmanager
def fresh_database(server, scratch):
    """The URL of an empty database. `server` is `sqlite`, or the URL of a database whose user may create others."""
    if server == "sqlite":
        yield f"sqlite:///{scratch}/freezer.sqlite"
        return
    name = f"real_clients_{uuid.uuid4().hex[:12]}"
    url = urlsplit(server)
    if url.scheme.startswith("mysql"):
        execute, encoding = _mysql, " CHARACTER SET utf8mb4"
    elif url.scheme.startswith("postgres"):
        execute, encoding = _postgresql, ""
    else:
        raise ValueError(f"no database server that this run knows: {url.scheme}")
    execute(url, f"CREATE DATABASE {name}{encoding}")
    try:
        yield urlunsplit(url._replace(path=f"/{name}"))
    finally:
        execute(url, f"DROP DATABASE {name}")


def _mysql(url, statement):
    import pymysql  # Not in the environment of every client.

    connection = pymysql.connect(
        host=url.hostname, port=url.port or 3306, user=unquote(url.username), password=unquote(url.password or "")
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)


def _postgresql(url, statement):
    import pg8000.native

    connection = pg8000.native.Connection(
        host=url.hostname,
        port=url.port or 5432,
        user=unquote(url.username),
        password=unquote(url.password or ""),
        database=url.path.lstrip("/"),
    )
    try:
        connection.run(statement)
    finally:
        connection.close()
