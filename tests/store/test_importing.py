"""LanceDB is imported without the models of its REST client, and has all of them when asked."""

import subprocess
import sys


def told(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_client_of_a_service_is_not_imported() -> None:
    code = """
import sys
from mcp_memory.store import importing
importing.imported_lancedb()
print([name for name in sys.modules if name.startswith("lance_namespace_urllib3_client.api")])
"""
    assert told(code) == "[]"


def test_a_name_asked_for_later_is_the_real_one() -> None:
    code = """
from mcp_memory.store import importing
lancedb = importing.imported_lancedb()
from lancedb.namespace import LanceNamespace as stand_in
import lance_namespace
from lance_namespace import LanceNamespace, ListTablesResponse, QueryTableRequest
from lance_namespace_urllib3_client import ApiClient
from lance_namespace_urllib3_client.models.list_tables_response import ListTablesResponse as one
class Mine(LanceNamespace):
    def namespace_id(self):
        return "mine"
print(
    ListTablesResponse is one is lancedb.db.ListTablesResponse,
    isinstance(Mine(), stand_in),
    issubclass(Mine, stand_in),
    isinstance(3, stand_in),
    stand_in.list_tables is lance_namespace.LanceNamespace.list_tables,
    ApiClient.__module__,
)
"""
    assert told(code) == "True True True False True lance_namespace_urllib3_client.api_client"


def test_what_was_imported_before_is_left_as_it_is() -> None:
    code = """
import lance_namespace
from mcp_memory.store import importing
lancedb = importing.imported_lancedb()
print(type(lance_namespace).__name__, lancedb.namespace.LanceNamespace is lance_namespace.LanceNamespace)
"""
    assert told(code) == "module True"


def test_a_name_that_is_nowhere_is_an_import_error() -> None:
    code = """
from mcp_memory.store import importing
importing.imported_lancedb()
try:
    from lance_namespace import NoSuchThing
except ImportError as error:
    print("NoSuchThing" in str(error))
"""
    assert told(code) == "True"
