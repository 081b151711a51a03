"""Every public class shows how it is used, by an example that runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import hebbsim


def public_classes():
    """Classes that a package exports: hebbsim, hebbsim.engine, hebbsim.probes.identity, ..."""
    found = {}
    packages = ["hebbsim"] + [
        module.name
        for module in pkgutil.walk_packages(hebbsim.__path__, "hebbsim.")
        if module.ispkg and not any(part.startswith("_") for part in module.name.split("."))
    ]
    for package in map(importlib.import_module, packages):
        for name in getattr(package, "__all__", ()):
            if inspect.isclass(exported := getattr(package, name)):
                found[f"{exported.__module__}.{exported.__qualname__}"] = exported
    return found


CLASSES = public_classes()


def examples(cls):
    """Examples of its own docstring that doctest runs; an inherited text shows another class."""
    text = cls.__dict__.get("__doc__") or ""
    return [
        example
        for example in doctest.DocTestParser().get_examples(text)
        if not example.options.get(doctest.SKIP)
    ]


def test_classes_are_found():
    assert {"hebbsim.engine.trace_engine.TraceEngine"} < {*CLASSES}
    assert "hebbsim.runs.report.build.Report" in CLASSES
    assert len(CLASSES) > 30


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_public_class_has_an_example_that_runs(name, pytestconfig):
    shown = [example.source for example in examples(CLASSES[name])]
    assert any("import" not in source for source in shown), f"{name}: its docstring has no example"
    # pytest comes by it.
    assert "--doctest-modules" in pytestconfig.getini("addopts")
    assert "hebbsim" in pytestconfig.getini("testpaths")
