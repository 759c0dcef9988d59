"""A database by its URL, which is one of Diesel's, and of MySQL, PostgreSQL or SQLite.

database.py make URL NAME   makes an empty one on the same server
database.py drop URL NAME
database.py schema URL      prints the whole schema, but for Diesel's books, so that two can be compared
"""

import sqlite3
import sys
from urllib.parse import unquote, urlsplit

BOOKS = "__diesel_schema_migrations"

POSTGRESQL = """
SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated, l.collname,
    pg_get_expr(d.adbin, d.adrelid)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_collation l ON l.oid = a.attcollation
  WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY c.relname, a.attnum;
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 2, 3;
SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 2;
SELECT 'other', relkind, relname FROM pg_class
  WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('r', 'i') ORDER BY 3;
SELECT 'function', oid::regprocedure::text, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 2;
SELECT 'trigger', tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 3
"""


def connect(url):
    parts = urlsplit(url)
    where = {
        "host": parts.hostname,
        "port": parts.port,
        "user": unquote(parts.username),
        "password": unquote(parts.password or ""),
        "database": parts.path[1:],
    }
    if parts.scheme == "mysql":
        import pymysql

        return pymysql.connect(**where, autocommit=True)
    import pg8000

    connection = pg8000.connect(**where)
    connection.autocommit = True
    return connection


def run(cursor, statement):
    cursor.execute(statement)
    return cursor.fetchall()


def rows_of(url):
    if "://" not in url:
        yield from run(sqlite3.connect(url).cursor(), "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2")
        return
    cursor = connect(url).cursor()
    if url.startswith("postgres"):
        for statement in POSTGRESQL.split(";\n"):
            yield from run(cursor, statement)
        return
    for name, _ in sorted(run(cursor, "SHOW FULL TABLES")):
        yield from run(cursor, f"SHOW CREATE TABLE `{name}`")
    for what in ("TRIGGERS", "EVENTS"):
        yield from run(cursor, f"SHOW {what}")


def main():
    verb, url, *name = sys.argv[1:]
    if verb == "schema":
        lines = (" | ".join(map(str, row)) for row in rows_of(url))
        print(*(line for line in lines if BOOKS not in line), sep="\n")
    else:
        statement = {"make": "CREATE DATABASE", "drop": "DROP DATABASE"}[verb]
        connect(url).cursor().execute(f"{statement} {name[0]}")


main()
