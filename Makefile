# `make roles` and `make test` set everything up themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: roles test test-all lint clean

$(STAMP): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[torch,demo,test]'
	touch $@

roles: $(STAMP)
	$(BIN)/hebbsim run roles --timescales 2,8,32

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -m "not slow" --numprocesses 2 --dist loadfile

test-all: $(STAMP)
	$(BIN)/pytest --hypothesis-profile new-examples

clean:
	rm -rf $(VENV) build dist *.egg-info
