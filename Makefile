# `make demo` and `make test` set up everything on a fresh machine: .venv once, then the work.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SET_UP := $(VENV)/.set-up

.PHONY: demo test lint docs blender clean

demo: $(SET_UP)
	$(BIN)/facegen demo --out demo

# One thread for each test process: two processes that both want both cores only slow each other down.
test: $(SET_UP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n 2

lint: $(SET_UP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

# The pages of docs/ as a site, in site/. The code is read, not imported: what builds the site is all that is installed.
docs: $(VENV)/docs/.set-up
	$(VENV)/docs/bin/zensical build --clean --strict

$(VENV)/docs/.set-up: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)/docs
	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"], sep="\n")' > $(VENV)/docs/wanted.txt
	$(VENV)/docs/bin/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -r $(VENV)/docs/wanted.txt
	@touch $@

# Blender as a Python module, 1.4 GB, for the tests that open exported files in it; it wants an older numpy than facegen.
blender: $(SET_UP)
	$(BIN)/python -m venv $(VENV)/blender
	$(VENV)/blender/bin/python -m pip install --disable-pip-version-check --quiet bpy==5.0.1
	$(BIN)/python -m pytest tests/exporters/test_elsewhere.py

# openmesh comes as source: it needs a C++ compiler and cmake, and with cmake 4 the policy that its build files ask for.
$(SET_UP): pyproject.toml constraints.txt $(wildcard facegen/nn/native/*.cpp facegen/nn/native/*.h)
	@command -v $(or $(CXX),g++) >/dev/null 2>&1 || { \
	  echo "facegen needs a C++ compiler to build openmesh: apt install g++ (Debian, Ubuntu), dnf install gcc-c++ (Fedora), xcode-select --install (macOS)" >&2; exit 2; }
	@command -v cmake >/dev/null 2>&1 || { \
	  echo "facegen needs cmake to build openmesh: apt install cmake (Debian, Ubuntu), dnf install cmake (Fedora), brew install cmake (macOS)" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' || { \
	  echo "facegen needs Python 3.11 or 3.12, $(PYTHON) is another; name one: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	CMAKE_POLICY_VERSION_MINIMUM=3.5 $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[video,photo,usd,abc,dev]'
	@# Tests open .glb in the Khronos validator and in three.js where there is npm, and do without where there is none.
	@! command -v npm >/dev/null 2>&1 || { mkdir -p $(VENV)/elsewhere && cp tests/exporters/elsewhere/package.json $(VENV)/elsewhere && \
	  npm install --prefix $(VENV)/elsewhere --silent --no-audit --no-fund --no-package-lock; } || \
	  echo "npm could not install the glTF validator and three.js: the tests that ask for them will be skipped" >&2
	@touch $@

clean:
	rm -rf $(VENV) demo
