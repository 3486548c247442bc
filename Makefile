# Set up and use sar_ssl. Only Python 3.11 and make are needed; `make help` lists the targets.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# Idle threads sleep instead of spin, because several processes may share the cores.
export OMP_WAIT_POLICY ?= PASSIVE
# Progress bars are text everywhere; tqdm need not say in every notebook that it has no widgets.
export PYTHONWARNINGS ?= ignore:IProgress not found
# The kernel named python3 is this environment's, whatever kernels the user has.
export JUPYTER_PREFER_ENV_PATH := 1
# Cells that look at real chips are skipped where there are none.
ifneq ($(wildcard ../shared/data/.),)
export SAR_SSL_REAL_DATA ?= $(abspath ../shared/data)
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test lab docs bench reproduce

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

install: $(VENV)/.installed  ## create .venv and install everything into it, pinned; every other target does it first

demo: install  ## run the main job on simulated chips, from nothing to runs/demo/report.html
	@$(BIN)/sar-ssl study demo
	@echo "report: runs/demo/report.html"

test: install  ## run every notebook and every other test; ends with counts
	@$(BIN)/python tools/run_tests.py

lab: install  ## open JupyterLab on the notebooks, reachable from this machine only
	$(BIN)/jupyter lab --notebook-dir=nbs --ip=127.0.0.1 $(if $(filter 0,$(shell id -u)),--allow-root) \
	    --FileContentsManager.pre_save_hook=nbdev.clean.clean_jupyter $(LAB)

docs: install  ## build the site into _docs, without Quarto and without a network
	@$(BIN)/python tools/build_docs.py

reproduce: install  ## run tutorials and results again, and compare every number that they print
	@$(BIN)/python tools/reproduce.py

bench: install  ## measure speed beside references and print ratios; make bench CHIPS=2000 is quick
	@$(BIN)/python tools/bench.py $(if $(CHIPS),--chips $(CHIPS))

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 is needed and neither python3.11 nor python3 was found"; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(v < (3, 11) and "Python 3.11 or newer is needed, \
	$(PYTHON) is %d.%d; name another with: make install PYTHON=/path/to/python3.11" % v)'
	@echo "creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# torch first: with its pair pinned, nothing that follows can bring a second torch along.
$(VENV)/.installed: constraints.txt settings.ini setup.py pyproject.toml tools/torchvision_guard.py | $(BIN)/python
	@echo "installing torch and torchvision (1 of 2; some minutes the first time)"
	@$(PIP) install -q -c constraints.txt torch torchvision
	@echo "installing the rest (2 of 2)"
	@$(PIP) install -q -c constraints.txt -e '.[dev]'
	@$(BIN)/python tools/torchvision_guard.py
	@$(BIN)/jupyter labextension disable --level=sys_prefix @jupyterlab/apputils-extension:announcements 2>/dev/null
	@if git rev-parse --git-dir >/dev/null 2>&1; then \
	    git config merge.nbdev-merge.driver "$(CURDIR)/$(BIN)/nbdev_merge %O %A %B %P"; fi  # .gitattributes names it
	@touch $@
