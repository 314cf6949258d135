# make report   the whole report -> build/report.pdf      make test   the whole suite      make help   all of this
# Both set everything up first: a virtual environment in .venv, from wheels alone, without root. They fetch 1.5 GB, or
# 5.2 GB where PyTorch comes with CUDA.
#
#   PROFILE=smoke|quick|paper   how long the training runs (default: paper with CUDA; else the recorded training, or
#                               quick where DATA= or P= is given)
#   DATA=folder or .zip         your own faces in two classes (default: faces drawn by the program)
#   P="beta=4 epochs=50"        single parameters of the chapters
#   WHY=1                       says of each chapter that runs which of its inputs changed
#   make watch                  builds again after each save, until Ctrl-C; takes the same three
#   make why LABEL=fig-vae-history   where a result of the last build comes from; also LABEL=notebooks/04_vae.py:LINE
#   make diff A=… B=…           what differs between two reports: hand-ins, or folders as build/executed
#   make zip LASTNAME=… STUDENT=…   the hand-in; without PROFILE=, DATA= or P= that of the last build's choice
#   make sweep BETA="1 4" GAMMA="0 10" SEEDS=5   FactorVAEs compared on images with known factors -> build/sweep/results.json
#       WORLD=sprites|faces EPOCHS=… IMAGES=… JOBS=… (default: the cores) SCHEDULER=tcp://host:8786 (a Dask cluster)

PYTHON  ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(if $(shell $(name) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(name))))
PROFILE ?=
DATA    ?=
P       ?=
WORKERS ?= 2

VENV     := .venv
GOZARESH := $(VENV)/bin/gozaresh
PIP      := $(VENV)/bin/python -m pip --disable-pip-version-check install
PYTEST    = $(VENV)/bin/python -m pytest --numprocesses $(WORKERS) --dist worksteal

# What is given on the command line reaches the shell as the value of a variable, never as a part of its commands; make
# itself does not expand it either.
GIVEN := PROFILE DATA P WHY LABEL A B LASTNAME STUDENT BETA GAMMA SEEDS WORLD EPOCHS IMAGES JOBS SCHEDULER
$(foreach name,$(GIVEN),$(eval override $(name) := $$(value $(name))))
export $(GIVEN)
CHOICE := $${PROFILE:+--profile="$$PROFILE"} $${DATA:+--data="$$DATA"} $${P:+--set="$$P"}

# An environment that cannot start the program, as after a stopped set-up or an upgrade of Python, is made anew.
ifneq ($(wildcard $(VENV)/ready),)
ifneq ($(shell $(VENV)/bin/python -c 'import gozaresh.cli' 2>&1),)
$(shell rm -f $(VENV)/ready)
endif
endif

CHAPTERS := $(shell sed -n 's|^ *"notebooks/\(.*\)\.py".*|\1|p' report/report.toml)
SHEETS   := $(CHAPTERS:%=build/chapters/%.typ)
ENGINE   := $(wildcard src/gozaresh/*.py src/gozaresh/*/*.py)
SCIENCE  := $(wildcard src/dgm/*.py src/dgm/*/*.py src/dgm/*/*/*.py)
SETTINGS := $(wildcard report/*.toml report/*.bib)
RECORDS  := $(wildcard report/runs/*/*.json)
THEME    := $(wildcard src/gozaresh/theme/*.typ report/theme/*)

SWEEP := set -f; $(VENV)/bin/python -m dgm.vae sweep $${BETA:+--beta $$BETA} $${GAMMA:+--gamma $$GAMMA} \
         $${SEEDS:+--seeds "$$SEEDS"} $${WORLD:+--world "$$WORLD"} $${EPOCHS:+--epochs "$$EPOCHS"} \
         $${IMAGES:+--images "$$IMAGES"} $${JOBS:+--jobs "$$JOBS"} $${SCHEDULER:+--scheduler "$$SCHEDULER"}

.PHONY: help report typeset watch why diff test conformance lint check zip sweep clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

# All steps in one process, which takes what is unchanged from build/, and ends at once where all of it is.
report: $(VENV)/ready
	@$(GOZARESH) build . $(CHOICE) $${WHY:+--why}
	@echo "report: build/report.pdf"

# The steps by themselves, one file each: percent script -> notebook -> executed notebook -> Typst

build/notebooks/%.ipynb: notebooks/%.py $(SETTINGS) $(ENGINE) build/choice | $(VENV)/ready
	@$(GOZARESH) source $* $(CHOICE)
	@touch $@

build/executed/%.ipynb: build/notebooks/%.ipynb $(SCIENCE) $(RECORDS)
	@$(GOZARESH) execute $* $(CHOICE) $${WHY:+--why}
	@touch $@

build/chapters/%.typ: build/executed/%.ipynb
	@$(GOZARESH) export $* $(CHOICE)
	@touch $@

typeset: $(SHEETS) $(THEME)
	@$(GOZARESH) typeset $(CHOICE)

# What was chosen on the command line, and which data lie there; touched only when it changes.
build/choice: FORCE
	@mkdir -p build
	@{ printf '%s\n' "PROFILE=$$PROFILE" "DATA=$$DATA" "P=$$P"; \
	   if [ -n "$$DATA" ] && [ -e "$$DATA" ]; then find -H "$$DATA" -type f -exec ls -ln {} + 2>/dev/null | cksum; fi; \
	 } > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

watch: $(VENV)/ready
	@exec $(GOZARESH) watch $(CHOICE)

why: | $(VENV)/ready
	@$(GOZARESH) why "$$LABEL"

# gozaresh diff has the statuses of diff(1); to make, a difference is no failure
diff: | $(VENV)/ready
	@$(GOZARESH) diff "$$A" "$$B" || [ $$? -eq 1 ]

check: $(VENV)/ready
	@$(GOZARESH) check $(CHOICE)
	@$(VENV)/bin/python -m dgm.graphs.load report/graphs.toml

# Without a choice of its own, the one of the last build.
zip: $(VENV)/ready
	@if [ -n "$$PROFILE$$DATA$$P" ]; then $(GOZARESH) build . $(CHOICE); else $(GOZARESH) build . --again; fi
	@$(GOZARESH) zip --lastname="$$LASTNAME" --student="$$STUDENT"

sweep: $(VENV)/ready
	@$(SWEEP)

test: lint
	$(PYTEST)

# The wide and slow sets, of which the suite has a small sample each
conformance: $(VENV)/ready-to-test
	$(PYTEST) tests/conformance

lint: $(VENV)/ready-to-test
	$(VENV)/bin/ruff check src tests notebooks benchmarks
	$(VENV)/bin/mypy

$(VENV)/ready: requirements.txt pyproject.toml
	@$(if $(PYTHON),,echo "error: no Python 3.11 or newer found; name one with PYTHON=…" >&2; exit 1)
	@echo "setting up $(VENV) with $(PYTHON) (once; it fetches 1.5 GB, or 5.2 GB with CUDA, most of it PyTorch)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) --quiet -r requirements.txt
	@$(PIP) --no-deps --quiet --editable .
	@touch $@

$(VENV)/ready-to-test: requirements-test.txt $(VENV)/ready
	@echo "adding what the tests need"
	@$(PIP) -r requirements-test.txt
	@touch $@

clean:
	rm -rf build figures
