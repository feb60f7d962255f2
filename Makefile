# Every target works right after a clone, with Python 3.11 or newer, make and git. LocalStack also needs a
# Python 3.13.
# Targets read settings from the command line: `make run PORT=9000 DATA=/var/lib/parley`, `make test ARGS="tests/unit -k cursor"`.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run chalice-local chat test test-all lint check bench openapi lock clean
.PHONY: needs-user needs-url needs-source package preflight deploy undeploy costs import-users localstack test-localstack ministack test-ministack test-deployed

# Candidates are run, not only looked up: a version manager's stub can be on PATH and still fail.
CANDIDATES = python3 python3.13 python3.12 python3.11 python3.14
NEW_ENOUGH = import sys; sys.exit(sys.version_info < (3, 11))
HAS_VENV = import venv, ensurepip
runs = $(shell "$(PYTHON)" -c '$(1)' >/dev/null 2>&1 && echo yes)
PYTHON = $(shell for p in $(CANDIDATES); do "$$p" -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && echo "$$p" && break; done)

VENV := .venv
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/installed-run ## Start Parley and its store; options: PORT, PARLEY_HOST, DATA, WORKERS, REDIS_URL.
	@exec $(BIN)/python -m infra.local --end-with-parent 1

chalice-local: $(VENV)/installed-run ## Start Chalice's own server, slow and without WebSockets; options: REDIS_URL, PORT (8000).
	@exec $(BIN)/chalice local --stage local --port $(or $(PORT),8000)

# These prerequisites come first, so that a missing variable is reported before the slow install.
needs-user:
	$(if $(call given,USER),,$(error Who are you? make chat USER=alice, and in another terminal make chat USER=bob))
needs-url:
	$(if $(URL),,$(error Which server? make test-deployed URL=https://abc.execute-api.us-east-1.amazonaws.com/prod))
needs-source:
	$(if $(and $(URL),$(MAPPING)),,$(error From where? make import-users URL=https://api.example.com/users MAPPING=mapping.json; docs/import.md says more))

# Only variables from make's command line: USER is set in every shell, and TOKEN may belong to another program.
given = $(if $(filter command line,$(origin $1)),$(value $1))
CHAT = --user '$(call given,USER)' --url '$(or $(call given,URL),http://127.0.0.1:$(or $(call given,PORT),8080))'

chat: export PARLEY_PASSWORD := $(or $(call given,PASSWORD),$(value PARLEY_PASSWORD))
chat: export PARLEY_TOKEN := $(or $(call given,TOKEN),$(value PARLEY_TOKEN))
chat: needs-user $(VENV)/installed-chat ## Chat in the terminal: USER=alice TO=bob, or ROOM=lobby; options: URL or PORT, PASSWORD or TOKEN.
	@PYTHONPATH=clients/python exec $(BIN)/python -m parley_client.chat $(CHAT) \
		$(if $(call given,TO),--to '$(call given,TO)') $(if $(call given,ROOM),--room '$(call given,ROOM)')

# Images of Python often set that variable: then each of a run's hundreds of processes compiles every module.
PYTEST = env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal

# The last -m counts: ARGS="-m long tests/store" runs the long tests of the store.
SHORT = -m 'not long and not localstack and not ministack'

test: $(VENV)/installed-dev ## Run the short tests, some 3 minutes on 2 cores; ARGS goes to pytest.
	@echo "Running the short tests. make test-all runs the long ones and the other kinds of store as well."
	@$(PYTEST) $(SHORT) $(ARGS)

test-all: $(VENV)/installed-dev ## Run all tests, on every kind of store, some 10 minutes on 2 cores; ARGS goes to pytest.
	@echo "Running all tests. make test leaves the long ones out."
	@$(PYTEST) $(ARGS)

NO_LIMITS = PARLEY_RATE_LIMITS=read=9999999,write=9999999,search=9999999,auth=9999999,frame=9999999 PARLEY_ARGON2=m=1024,t=1,p=1

test-localstack: $(VENV)/installed-dev ## Run the tests that need LocalStack; they start their own.
	@$(PYTEST) --dist=loadgroup -m localstack tests/aws tests/localstack
	@$(NO_LIMITS) $(BIN)/python -m infra.localstack --port 0 --ephemeral -- \
		$(PYTEST) tests/deployed --url {url} --rpc-function {rpc}

# The tests that walk the whole OpenAPI document run on the gateway and on LocalStack only: MiniStack is slow.
test-ministack: $(VENV)/installed-dev ## Run the conformance suite with WebSockets on MiniStack; it starts its own.
	@$(PYTEST) --dist=loadgroup -m ministack tests/ministack
	@$(NO_LIMITS) $(BIN)/python -m infra.ministack --port 0 --ephemeral -- \
		$(PYTEST) tests/deployed --ignore tests/deployed/test_openapi.py --url {url} --rpc-function {rpc}

test-deployed: needs-url $(VENV)/installed-dev ## Run the conformance suite on a server: URL=https://… and RPC=the rpc function.
	@$(PYTEST) tests/deployed --url $(URL) $(if $(RPC),--rpc-function $(RPC)) $(ARGS)

lint: $(VENV)/installed-dev ## Check style, types and the direction of imports.
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: lint test-all ## Run everything that a change must pass: lint, then all tests.

bench: $(VENV)/installed-dev ## Measure rates, latencies, memory and sizes on this machine; AGAINST=commit to compare with.
	@$(BIN)/python -m bench --write $(if $(AGAINST),--against $(AGAINST)) $(ARGS)

package: $(VENV)/installed-dev ## Build the Lambda package of the last commit in dist/, for STAGE (prod).
	@$(BIN)/python -m infra.package --stage $(or $(STAGE),prod)

NEEDS_STAGE = $(if $(STAGE),,$(error Which stage? make $(firstword $(MAKECMDGOALS)) STAGE=prod, or STAGE=localstack))
DEPLOY = $(BIN)/python -m infra.deploy --stage $(STAGE) $(if $(NAME),--name $(NAME))

# Runs before the slow install, on any Python: checks the stage, and lists everything that AWS needs and is missing.
CHECKER = $(or $(wildcard $(BIN)/python),$(PYTHON))
preflight:
	$(NEEDS_STAGE)
	@$(if $(CHECKER),"$(CHECKER)" -m infra.deploy.preflight '$(STAGE)')

deploy: preflight $(VENV)/installed-dev ## Deploy the last commit to AWS: STAGE=prod; DRY_RUN=1 only shows; PARAMETERS="Name=value …", docs/aws.md.
	@$(DEPLOY) $(if $(DRY_RUN),--dry-run) $(if $(REPLACE_DATA),--replace-data) \
		$(foreach value,$(PARAMETERS),--parameter $(value))

undeploy: preflight $(VENV)/installed-dev ## Delete a deployed stack: STAGE=prod; YES=1 does not ask.
	@$(DEPLOY) --delete $(if $(YES),--yes)

import-users: needs-source $(VENV)/installed-dev ## Import users from another server: URL=https://… MAPPING=file.json; docs/import.md.
	@$(BIN)/python -m infra.import_users --url '$(URL)' --mapping '$(MAPPING)' $(if $(DRY_RUN),--dry-run) \
		$(if $(CODES),--codes '$(CODES)') $(if $(REPORT),--report '$(REPORT)') \
		$(if $(FUNCTION),--function '$(FUNCTION)') $(if $(STAGE),--stage '$(STAGE)')

costs: $(VENV)/installed-dev ## Compute the costs of a deployment on AWS; ARGS=--help lists the options.
	@$(BIN)/python -m infra.costs $(ARGS)

localstack: $(VENV)/installed-dev ## Start LocalStack without Docker and deploy to it; option: LOCALSTACK_PORT.
	@exec $(BIN)/python -m infra.localstack --end-with-parent

ministack: $(VENV)/installed-dev ## Start MiniStack, which has WebSockets, and deploy to it; option: MINISTACK_PORT.
	@exec $(BIN)/python -m infra.ministack --end-with-parent

LOCK = UV_NO_CONFIG=1 $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock'

openapi: $(VENV)/installed-dev ## Generate docs/openapi.json, docs/asyncapi.json, the protobuf module and the table of keys.
	@$(BIN)/python -m infra.openapi

lock: $(VENV)/installed-dev ## Pin the newest versions that the .in files allow, with hashes.
	@$(LOCK) --upgrade requirements-dev.in -o requirements-dev.txt
	@$(LOCK) -c requirements-dev.txt requirements.in -o requirements.txt
	@$(LOCK) -c requirements-dev.txt infra/local/requirements.in -o infra/local/requirements.txt
	@$(LOCK) -c requirements-dev.txt infra/deploy/requirements.in -o infra/deploy/requirements.txt
	@$(LOCK) -c requirements-dev.txt clients/python/requirements.in -o clients/python/requirements.txt
	@$(LOCK) --upgrade infra/localstack/functions.in -o infra/localstack/functions.txt
	@$(LOCK) --upgrade infra/ministack/requirements.in -o infra/ministack/requirements.txt
	@$(filter-out --universal,$(LOCK:3.11=3.13)) --upgrade infra/localstack/requirements.in -o infra/localstack/requirements.txt

clean: ## Remove the virtual environment, caches and packages; the messages in .data stay.
	rm -rf $(VENV) dist .localstack/server .localstack/functions .ministack/server .chalice/deployments .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# After an upgrade of Python the virtual environment cannot run; then create it again.
$(shell test -x $(BIN)/python || rm -f $(VENV)/pyvenv.cfg)

$(VENV)/pyvenv.cfg:
	$(if $(PYTHON),,$(error No Python 3.11 or newer found; install one, or name it: make PYTHON=/path/to/python3))
	$(if $(call runs,$(NEW_ENOUGH)),,$(error $(PYTHON) is not a Python 3.11 or newer))
	$(if $(call runs,$(HAS_VENV)),,$(error $(PYTHON) has no venv; on Debian and Ubuntu: apt-get install python3-venv))
	@echo "Creating a virtual environment in $(VENV)" && "$(PYTHON)" -m venv --clear $(VENV)

# Makes the checkout's parley_client importable with a path file, like an editable install, without a build or download.
HAVE_CLIENT = $(BIN)/python -c 'import os, sysconfig; path = os.path.abspath("clients/python") + "\n"; \
	open(os.path.join(sysconfig.get_path("purelib"), "parley_client.pth"), "w").write(path)'

$(VENV)/installed-run: infra/local/requirements.txt $(VENV)/pyvenv.cfg
	@echo "Installing $< (once)" && $(INSTALL) -r $< && $(HAVE_CLIENT) && touch $@

$(VENV)/installed-chat: clients/python/requirements.txt $(VENV)/pyvenv.cfg
	@echo "Installing $< (once)" && $(INSTALL) -r $< && $(HAVE_CLIENT) && touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/pyvenv.cfg
	@echo "Installing $< (once)" && $(INSTALL) -r $< && $(HAVE_CLIENT) && touch $@
