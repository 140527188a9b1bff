# The commands of a working day. Everything is built into .venv and target/; nothing outside the
# clone is changed, except that `make test` as root installs the Debian packages its tests drive.

VENV := .venv
PYTHON := $(VENV)/bin/python
# pyo3's build script looks for an interpreter: the environment's, not whichever PATH has. What it
# links is an extension, so no libpython is needed to compile or lint it.
export PYO3_PYTHON := $(CURDIR)/$(VENV)/bin/python
export PYO3_BUILD_EXTENSION_MODULE := 1
# maturin develop installs into the environment that this names.
export VIRTUAL_ENV := $(CURDIR)/$(VENV)

RUST_SOURCES := Cargo.toml Cargo.lock $(shell find crates -name '*.rs' -o -name Cargo.toml)
PARALLEL_TESTS := $(wildcard tests/unit tests/property tests/configs tests/conformance)
# The proxy's tests between namespaces measure time and share the machine's names: one at a time.
SERIAL_TESTS := $(wildcard tests/netns)
# The builder's tests each have a network world of their own.
WORLD_TESTS := $(wildcard tests/netns/network)
FUZZ_SECONDS ?= 60
LOAD_SECONDS ?= 600

.PHONY: help demo test test-rust test-python test-netns \
	test-vm test-vm-if-possible lint lint-style lint-types lint-sizes \
	lint-rustfmt lint-clippy lint-rustdoc lint-advisories bench bench-net load fuzz wheel lock clean

help:
	@echo 'make demo    build, then show three tenants with overlapping addresses behind one proxy'
	@echo 'make test    install what the tests need and run them all'
	@echo 'make test-vm boot a virtual machine whose kernel has what this one may lack; test there'
	@echo 'make lint    formatting, types, lints, sizes, documentation'
	@echo 'make bench   cost per operation beside HAProxy, networks beside ip(8), on this machine'
	@echo 'make load    mixed HTTP traffic for $(LOAD_SECONDS) seconds: nothing lost, nothing leaked'
	@echo 'make fuzz    each fuzz target for $(FUZZ_SECONDS) seconds'
	@echo 'make wheel   a wheel for CPython 3.11 and later, in dist/'
	@echo 'make lock    choose the newest versions for requirements.lock (needs uv)'
	@echo 'make clean   remove .venv, target and dist'

# ---- what the rest stands on; stamps keep a second `make` from installing again ----

$(VENV)/.installed: requirements.lock scripts/make-venv.sh
	scripts/make-venv.sh $(VENV)
	touch $@

# The native module exists in one build at a time: release to show and to measure, dev to test
# (fat link-time optimisation takes longer than all tests together).
# A stamp says when a build began: what changes while it runs is built the next time.
$(VENV)/.native-release: $(VENV)/.installed pyproject.toml $(RUST_SOURCES)
	touch $@.began
	$(VENV)/bin/maturin develop --release --locked
	rm -f $(VENV)/.native-dev
	mv $@.began $@

$(VENV)/.native-dev: $(VENV)/.installed pyproject.toml $(RUST_SOURCES)
	touch $@.began
	$(VENV)/bin/maturin develop --locked
	rm -f $(VENV)/.native-release
	mv $@.began $@

$(VENV)/.rust-components: | $(VENV)/.installed
	scripts/rust-components.sh
	touch $@

$(VENV)/.debian-packages: scripts/debian-packages.sh | $(VENV)/.installed
	scripts/debian-packages.sh
	touch $@

# ---- the commands ----

demo: $(VENV)/.native-release
	$(VENV)/bin/isthmus lab demo

test: test-rust test-python test-netns test-vm-if-possible

# The seam is a Python extension: it links only inside an interpreter, so pytest tests it.
test-rust: $(VENV)/.installed
	scripts/cargo-test.sh --workspace --exclude isthmus-py --locked

test-python: $(VENV)/.native-dev $(VENV)/.debian-packages
ifneq ($(PARALLEL_TESTS),)
	$(PYTHON) -m pytest -ra -n 2 $(PARALLEL_TESTS)
endif

test-netns: $(VENV)/.native-dev $(VENV)/.debian-packages
ifneq ($(SERIAL_TESTS),)
	$(PYTHON) -m pytest -ra $(SERIAL_TESTS) $(addprefix --ignore=,$(WORLD_TESTS))
	$(PYTHON) -m pytest -ra -n 2 $(WORLD_TESTS)
endif

# VLANs, ipvlan, VRF, netem and wireguard, which the kernel of a build machine may lack. QEMU and a
# kernel are unpacked into target/vm. PYTEST takes pytest's arguments, such as PYTEST='-k vlan'.
test-vm: $(VENV)/.native-dev $(VENV)/.debian-packages
	$(PYTHON) scripts/vm/run.py $(PYTEST)

test-vm-if-possible: $(VENV)/.native-dev $(VENV)/.debian-packages
	$(PYTHON) scripts/vm/run.py --optional $(PYTEST)

# One target for each tool, so that `make --keep-going lint` shows what all of them say.
lint: lint-style lint-types lint-sizes lint-rustfmt lint-clippy lint-rustdoc lint-advisories

lint-style: $(VENV)/.installed
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

lint-types: $(VENV)/.installed
	$(VENV)/bin/mypy

lint-sizes: $(VENV)/.installed
	$(PYTHON) scripts/check_sizes.py

lint-rustfmt: $(VENV)/.rust-components
	cargo fmt --all --check
	$(if $(wildcard fuzz/Cargo.toml),cargo fmt --manifest-path fuzz/Cargo.toml --check)

lint-clippy: $(VENV)/.installed $(VENV)/.rust-components
	cargo clippy --workspace --all-targets --locked -- -D warnings

lint-rustdoc: $(VENV)/.installed
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked

lint-advisories: $(VENV)/.installed
	scripts/check-advisories.sh $(VENV)

bench: $(VENV)/.native-release $(VENV)/.debian-packages
	$(PYTHON) bench/run.py
	$(PYTHON) bench/net/run.py

# No request lost or doubled, memory and descriptors flat, under mixed traffic.
load: $(VENV)/.native-release $(VENV)/.debian-packages
	$(PYTHON) bench/mixed/run.py --secs $(LOAD_SECONDS)

bench-net: $(VENV)/.native-release $(VENV)/.debian-packages
	$(PYTHON) bench/net/run.py

fuzz:
	scripts/fuzz.sh $(FUZZ_SECONDS)

wheel: $(VENV)/.installed
	$(VENV)/bin/maturin build --release --locked --out dist

lock: requirements.in
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		requirements.in -o requirements.lock

clean:
	rm -rf $(VENV) target dist
