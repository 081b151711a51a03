# `make roles` and `make test` set everything up themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: roles test test-all docs clean

$(STAMP): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[torch,demo,docs,test]'
	touch $@

roles: $(STAMP)
	$(BIN)/hebbsim run roles --timescales 2,8,32

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "not slow" --numprocesses 2 --dist loadfile

test-all: $(STAMP)
	$(BIN)/pytest --hypothesis-profile new-examples

# The site, in docs/_build/html: no network is used, and a warning is an error.
docs: $(STAMP)
	$(BIN)/sphinx-build --nitpicky --fail-on-warning --keep-going --quiet docs docs/_build/html
	@echo docs/_build/html/index.html

clean:
	rm -rf $(VENV) build dist *.egg-info docs/_build docs/api docs/experiments/measured docs/notebooks
