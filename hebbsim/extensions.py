"""Import of the user's Python files, which add decoders or learning rules."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from hebbsim.errors import BadInputError


def import_file(path: str | Path) -> ModuleType:
    """Import a Python file by path, once.

    Raises
    ------
    BadInputError
        The file does not exist or cannot be imported.
    """
    file = Path(path).resolve()
    name = f"hebbsim_file:{file}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise BadInputError(f"{path}: is no Python file; give one whose name ends in .py")
        sys.modules[name] = made = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(made)
        except (Exception, SystemExit) as error:  # a script may exit when it is imported
            del sys.modules[name]
            raise BadInputError(
                f"{path}: cannot be imported ({type(error).__name__}: {error})"
            ) from None
    return sys.modules[name]
