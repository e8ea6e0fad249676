"""Importing LanceDB without what a local store never uses: models of its REST client, Arrow's data sets."""

import importlib
import importlib.util
import re
import sys
from types import ModuleType
from typing import Any

_NAMESPACE, _CLIENT = "lance_namespace", "lance_namespace_urllib3_client"
_MODELS = f"{_CLIENT}.models"
_PACKAGES = (_CLIENT, _MODELS, _NAMESPACE)
"""Each runs 160 modules of pydantic models when it is imported: more than half of LanceDB's time."""
_ARROWS = ("pyarrow.fs", "pyarrow.dataset")
"""Their libraries for S3, Google, Azure and Parquet take 14 MB of memory."""
_STOOD_FOR = {
    _NAMESPACE: frozenset({"LanceNamespace", "connect"}),
    "pyarrow.fs": frozenset({"FileSystem"}),
    "pyarrow.dataset": frozenset({"Dataset", "Scanner"}),
}
"""What LanceDB takes from there, beside models, to annotate, to register and to call when asked."""
_HEAD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def imported_lancedb() -> ModuleType:
    """LanceDB, imported once; takes half a second.

    Until it is imported those packages and modules stand in `sys.modules` with their folders, without
    having run their code. A model that LanceDB asks them for is imported from its own file, and is
    the real class; two other names are stood for. Trap: what asks for anything else, then or later,
    runs the real `__init__` in the same module; and where one of them is imported already, nothing
    is changed and nothing is saved.
    """
    unrun = [_unrun(name) for name in _missing() if importlib.util.find_spec(name)]
    try:
        return importlib.import_module("lancedb")
    finally:
        for module in unrun:
            module.standing = None


def _missing() -> tuple[str, ...]:
    """Those modules that are not imported yet, and are LanceDB's alone to import."""
    if "lancedb" in sys.modules:
        return ()
    arrows = tuple(name for name in _ARROWS if name not in sys.modules)
    return arrows if any(name in sys.modules for name in _PACKAGES) else (*_PACKAGES, *arrows)


class _Unrun(ModuleType):
    """A package or module whose code has not been run, and will be once a name needs it."""

    standing: dict[str, type] | None
    """What stands for other names; None once LanceDB is imported."""

    def __getattr__(self, name: str) -> Any:
        """A name that the package gives; one that is no model runs the whole."""
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        found = _model(name) if self.__name__ in _PACKAGES else None
        if found is not None:
            return found
        if self.standing is not None and name in _STOOD_FOR.get(self.__name__, ()):
            return self.standing.setdefault(name, _standing_for(self, name))
        return getattr(_whole(self), name)


def _unrun(name: str) -> _Unrun:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    module = _Unrun(name)
    module.__spec__, module.__loader__, module.__file__ = spec, spec.loader, spec.origin
    if spec.submodule_search_locations is not None:
        module.__path__ = list(spec.submodule_search_locations)
    module.standing = {}
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)
    return module


def _whole(package: ModuleType) -> ModuleType:
    """The package with its real `__init__` run, once."""
    if isinstance(package, _Unrun):
        package.__class__ = ModuleType  # type: ignore[assignment] # a plain package from here on
        assert package.__spec__ is not None
        assert package.__spec__.loader is not None
        package.__spec__.loader.exec_module(package)
    return package


def _model(name: str) -> Any:
    """The model of this name, imported from its own file; None where there is none."""
    file = f"{_MODELS}.{_HEAD.sub('_', name).lower()}"
    if not name[:1].isupper() or importlib.util.find_spec(file) is None:
        return None
    return getattr(importlib.import_module(file), name, None)


def _standing_for(package: ModuleType, name: str) -> type:
    """A class in the place of another: called, looked into or compared with, it is the real one."""

    class Standing(type):
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            return getattr(_whole(package), name)(*args, **kwargs)

        def __getattr__(cls, attribute: str) -> Any:
            # What reads annotations asks every class for names like `__origin__`.
            if attribute.startswith("__"):
                raise AttributeError(attribute)
            return getattr(getattr(_whole(package), name), attribute)

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, getattr(_whole(package), name))

        def __subclasscheck__(cls, subclass: type) -> bool:
            return subclass is cls or issubclass(subclass, getattr(_whole(package), name))

    return Standing(name, (), {"__module__": package.__name__})
