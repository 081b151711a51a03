"""What the tests leave out where a package is absent that few machines have."""

from importlib.util import find_spec

# Doctests import every module; this one is Triton code from its first line.
collect_ignore = [] if find_spec("triton") else ["hebbsim/lm/triton_traces.py"]
