# make report   the whole report -> build/report.pdf      make test   lint and the whole suite
# Both set everything up first: a virtual environment in .venv, from wheels alone, without root.
#
#   PROFILE=smoke|quick|paper   how long the training runs (default: paper with CUDA; else the recorded training, or
#                               quick where DATA= or P= is given)
#   DATA=folder or .zip         your own faces in two classes (default: faces drawn by the program)
#   P="beta=4 epochs=50"        single parameters of the chapters
#   WHY=1                       says of each chapter that runs which of its inputs changed
#   make watch                  builds again after each save, until Ctrl-C; takes the same three
#   make why LABEL=fig-x        where a result of the last build comes from; also LABEL=notebooks/04_vae.py:143
#   make diff A=… B=…           what differs between two reports: hand-ins, or folders as build/executed
#   make zip LASTNAME=… STUDENT=…
#   make sweep BETA="1 4" GAMMA="0 10" SEEDS=5   FactorVAEs compared on images with known factors -> build/sweep/results.json
#       WORLD=sprites|faces EPOCHS=… IMAGES=… JOBS=… (default: the cores) SCHEDULER=tcp://host:8786 (a Dask cluster)
#   make lint                   ruff and mypy, with which make test begins
#   make conformance            the wide and slow sets, of which make test has a small sample each
#       WORKERS=2               the tests' processes, one for each core that is free

PYTHON  ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(if $(shell $(name) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(name))))
PROFILE ?=
DATA    ?=
P       ?=
WORKERS ?= 2

VENV     := .venv
GOZARESH := $(VENV)/bin/gozaresh
PIP      := $(VENV)/bin/python -m pip --disable-pip-version-check install
PYTEST    = $(VENV)/bin/python -m pytest --numprocesses $(WORKERS) --dist worksteal
CHOICE    = $(if $(PROFILE),--profile $(PROFILE)) $(if $(DATA),--data "$(DATA)") $(if $(P),--set $(P))

CHAPTERS := $(shell sed -n 's|^ *"notebooks/\(.*\)\.py".*|\1|p' report/report.toml)
SHEETS   := $(CHAPTERS:%=build/chapters/%.typ)
ENGINE   := $(wildcard src/gozaresh/*.py src/gozaresh/*/*.py)
SCIENCE  := $(wildcard src/dgm/*.py src/dgm/*/*.py src/dgm/*/*/*.py)
SETTINGS := $(wildcard report/*.toml report/*.bib)
RECORDS  := $(wildcard report/runs/*/*.json)
THEME    := $(wildcard src/gozaresh/theme/*.typ report/theme/*)

SWEEP = $(if $(BETA),--beta $(BETA)) $(if $(GAMMA),--gamma $(GAMMA)) $(if $(SEEDS),--seeds $(SEEDS)) \
        $(if $(WORLD),--world $(WORLD)) $(if $(EPOCHS),--epochs $(EPOCHS)) $(if $(IMAGES),--images $(IMAGES)) \
        $(if $(JOBS),--jobs $(JOBS)) $(if $(SCHEDULER),--scheduler $(SCHEDULER))

.PHONY: report typeset watch why diff test conformance lint check zip sweep clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:

# All steps in one process, which takes what is unchanged from build/, and ends at once where all of it is.
report: $(VENV)/ready
	@$(GOZARESH) build . $(CHOICE) $(if $(WHY),--why)
	@echo "report: build/report.pdf"

# The steps by themselves, one file each: percent script -> notebook -> executed notebook -> Typst

build/notebooks/%.ipynb: notebooks/%.py $(SETTINGS) $(ENGINE) build/choice | $(VENV)/ready
	@$(GOZARESH) source $* $(CHOICE)
	@touch $@

build/executed/%.ipynb: build/notebooks/%.ipynb $(SCIENCE) $(RECORDS)
	@$(GOZARESH) execute $* $(CHOICE) $(if $(WHY),--why)
	@touch $@

build/chapters/%.typ: build/executed/%.ipynb
	@$(GOZARESH) export $* $(CHOICE)
	@touch $@

typeset: $(SHEETS) $(THEME)
	@$(GOZARESH) typeset $(CHOICE)

# What was chosen on the command line, and which data lie there; touched only when it changes.
build/choice: FORCE
	@mkdir -p build
	@{ printf '%s\n' 'PROFILE=$(PROFILE)' 'DATA=$(DATA)' 'P=$(P)'; \
	   if [ -n "$(DATA)" ] && [ -e "$(DATA)" ]; then find "$(DATA)" -type f -exec ls -ln {} + | cksum; fi; } > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

watch: $(VENV)/ready
	@exec $(GOZARESH) watch $(CHOICE)

why: | $(VENV)/ready
	@$(GOZARESH) why "$(LABEL)"

# gozaresh diff has the statuses of diff(1); to make, a difference is no failure
diff: | $(VENV)/ready
	@$(GOZARESH) diff "$(A)" "$(B)" || [ $$? -eq 1 ]

check: $(VENV)/ready
	@$(GOZARESH) check $(CHOICE)

zip: report
	@$(GOZARESH) zip --lastname "$(LASTNAME)" --student "$(STUDENT)" $(CHOICE)

sweep: $(VENV)/ready
	@$(VENV)/bin/python -m dgm.vae sweep $(SWEEP)

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
	@echo "setting up $(VENV) with $(PYTHON) (once; a few minutes, most of it PyTorch)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps --quiet --editable .
	@touch $@

$(VENV)/ready-to-test: requirements-test.txt $(VENV)/ready
	@echo "adding what the tests need"
	@$(PIP) -r requirements-test.txt
	@touch $@

clean:
	rm -rf build figures
