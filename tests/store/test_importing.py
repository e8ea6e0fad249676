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


def test_arrows_data_sets_and_file_systems_are_not_imported_and_are_whole_when_asked_for() -> None:
    code = """
import sys
from mcp_memory.store import importing
importing.imported_lancedb()
import pyarrow
from lancedb.scannable import to_scannable
to_scannable(pyarrow.table({"a": [1]}))
print([name for name in sys.modules if name in ("pyarrow._s3fs", "pyarrow._dataset", "pyarrow._fs")])
from pyarrow import fs
import pyarrow.dataset as ds
print(fs.LocalFileSystem().type_name, issubclass(ds.Dataset, object))
told = ds.dataset(pyarrow.table({"a": [1, 2]}))
print(isinstance(told, pyarrow.dataset.Dataset), to_scannable(told).num_rows, ds.Dataset.__module__)
"""
    assert told(code).splitlines() == ["[]", "local True", "True 2 pyarrow._dataset"]


def test_data_sets_that_were_imported_before_are_left_as_they_are() -> None:
    code = """
import sys
import pyarrow.dataset
from mcp_memory.store import importing
importing.imported_lancedb()
print(type(pyarrow.dataset).__name__, type(sys.modules["lance_namespace"]).__name__)
"""
    assert told(code) == "module _Unrun"
