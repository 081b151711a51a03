"""Which modules load heavy packages, and when: from the source, and in a fresh process."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import hebbsim

ROOT = Path(hebbsim.__file__).parent
#: At the top of a file; elsewhere in them, too.
HOMES = ("baselines", "lm", "rivals")


def imports_of(tree, inside=False):
    """Every imported module with whether a function imports it."""
    for node in ast.iter_child_nodes(tree):
        within = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if isinstance(node, ast.Import):
            yield from ((name.name, within) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", within
        yield from imports_of(node, within)


def torch_imports(root):
    """File by file, whether torch is imported at the top of it."""
    found = {}
    for path in root.rglob("*.py"):
        for module, inside in imports_of(ast.parse(path.read_text(encoding="utf-8"))):
            if module.split(".")[0] == "torch":
                name = path.relative_to(root).as_posix()
                found[name] = found.get(name, False) or not inside
    return found


def test_torch_is_imported_in_its_homes_alone():
    found = torch_imports(ROOT)
    assert any(found.values())
    for name, at_the_top in found.items():
        contender = name.startswith("bench/") and not at_the_top
        assert name.split("/")[0] in HOMES or contender, name


def test_an_import_anywhere_in_a_file_is_found(tmp_path):
    (tmp_path / "a.py").write_text("def f():\n    if True:\n        from torch import nn\n")
    (tmp_path / "b.py").write_text("try:\n    import torch.nn\nexcept ImportError:\n    pass\n")
    (tmp_path / "c.py").write_text("text = 'import torch'\nimport torchless\n")
    assert torch_imports(tmp_path) == {"a.py": False, "b.py": True}


def test_importing_what_uses_torch_does_not_import_torch():
    code = (
        "import sys, pkgutil, importlib, hebbsim.baselines, hebbsim.experiments as e, hebbsim.lm\n"
        "import hebbsim.rivals.masked, hebbsim.rivals.skipgram\n"
        "for module in pkgutil.walk_packages(e.__path__, f'{e.__name__}.'):\n"
        "    importlib.import_module(module.name)\n"
        "import hebbsim.probes.identity, hebbsim.doctor\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=300, check=False).returncode == 0


def test_a_learner_learns_without_scikit_learn_and_pandas():
    code = (
        "import sys, hebbsim\n"
        "hebbsim.RoleNetwork(n_clusters=5).fit([['the', 'dog', 'saw', 'a', 'cat']] * 20)\n"
        "sys.exit(', '.join({'sklearn', 'pandas', 'scipy.stats'} & set(sys.modules)) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
