"""Whether the login may do what its program is about to do, asked before it does it: a missing right is a GRANT away.

A server reads and writes the tables; only a migration makes and changes them. So a server may run under a login that
owns nothing, beside another one that migrates.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final, TypeAlias

import asyncpg

from storage.postgres.errors import RightMissing

if TYPE_CHECKING:
    _Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

WHO_ELSE: Final = "or run `pantherahive migrate` with a login that may"

_SCHEMA: Final = """
SELECT quote_ident(current_user) AS login, quote_ident(current_schema()) AS schema,
       current_setting('search_path') AS search_path,
       has_schema_privilege(current_schema(), 'CREATE') AS may_create
"""
_OF_OTHERS: Final = """
SELECT string_agg(relname, ', ' ORDER BY relname) AS tables,
       string_agg(DISTINCT relowner::regrole::text, ', ') AS owners
  FROM pg_class
 WHERE relname = ANY($1) AND relkind IN ('r', 'p') AND pg_table_is_visible(oid) AND NOT pg_has_role(relowner, 'USAGE')
"""
_RIGHTS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
_WITHHELD: Final = """
SELECT c.relname AS name, quote_ident(n.nspname) AS schema, array_agg(r.kind ORDER BY r.nr) AS rights
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
       unnest($2::text[]) WITH ORDINALITY AS r (kind, nr)
 WHERE c.relname = ANY($1) AND c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)
   AND NOT has_table_privilege(c.oid, r.kind)
 GROUP BY 1, 2 ORDER BY 1
"""


async def check_may_migrate(connection: _Connection, tables: Collection[str]) -> None:
    """`tables`: those of ours that are there. Raises RightMissing."""
    [row] = await connection.fetch(_SCHEMA)
    login, schema = row["login"], row["schema"]
    if schema is None:
        raise RightMissing(
            f"The login {login} has no schema to work in, as its search_path is {row['search_path']}: correct that, or "
            f"GRANT USAGE, CREATE ON SCHEMA public TO {login}"
        )
    if not row["may_create"]:
        raise RightMissing(
            f"The login {login} may not make tables in the schema {schema}: as the owner of the database, GRANT "
            f"CREATE ON SCHEMA {schema} TO {login}; {WHO_ELSE}"
        )
    [others] = await connection.fetch(_OF_OTHERS, list(tables))
    if others["tables"] is not None:
        raise RightMissing(
            f"The login {login} may not change tables that belong to {others['owners']} ({others['tables']}): run "
            "`pantherahive migrate` with the login that they belong to"
        )


async def check_may_serve(connection: _Connection, tables: Collection[str]) -> None:
    """Whether all tables may be read and written. Raises RightMissing."""
    await _check_rights(connection, tables, _RIGHTS)


async def check_may_read(connection: _Connection, table: str) -> None:
    """Raises RightMissing."""
    await _check_rights(connection, [table], _RIGHTS[:1])


async def _check_rights(connection: _Connection, tables: Collection[str], rights: Collection[str]) -> None:
    withheld = await connection.fetch(_WITHHELD, list(tables), list(rights))
    if not withheld:
        return
    login = await connection.fetchval("SELECT quote_ident(current_user)")
    found = ", ".join(f"{row['name']} ({', '.join(row['rights'])})" for row in withheld)
    raise RightMissing(
        f"The login {login} lacks rights on the tables {found}: as their owner, "
        f"GRANT {', '.join(_RIGHTS)} ON ALL TABLES IN SCHEMA {withheld[0]['schema']} TO {login}"
    )
