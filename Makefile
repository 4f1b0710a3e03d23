# The front door. `make` alone lists what there is.

CARGO   ?= cargo
PREFIX  ?= /usr/local
DESTDIR ?=
SYSCONFDIR ?= /etc
TOOLS   := bench-compare manifest-gen drift-watch rebench-cron
BIN     := target/release
INSTALL ?= install

.PHONY: help demo test verify check bench docs man build install install-daemons uninstall wheel deb sbom clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

build: ## release binaries of all tools
	$(CARGO) build --release --locked $(TOOLS:%=-p %)

demo: build ## a promotion from evidence to rollback, on real data (examples/promotion)
	@$(MAKE) --no-print-directory -C examples/promotion demo BIN=../../$(BIN)

test: ## all tests; does its own set-up
	set -e; python=$$(tests/setup.sh); FORECAST_PYTHON=$$python $(CARGO) test --workspace --locked

verify: ## the long simulations and fault rounds; output kept in docs/verify
	tests/verify.sh

check: ## formatting, lints, documentation, licences
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --locked
	$(CARGO) build --locked -p bench-compare --no-default-features
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) fetch --locked && $(CARGO) deny --offline check licenses bans sources; \
	 else echo 'cargo-deny is not installed: licences are not checked'; fi

bench: ## score against polars and DuckDB, leaderboards, caches, hashing against openssl, detectors, live records, a fleet, schedules (needs python3 with polars, duckdb, pyarrow; nats-server)
	$(CARGO) build --release --locked -p bench-compare -p manifest-gen
	$(CARGO) build --release --locked -p bench-compare --example decode
	bench/score_vs_engines.sh
	bench/growth.sh
	bench/cache.sh
	@if [ -n "$(FEV_BENCH)" ]; then bench/leaderboard_vs_fev.sh 5 "$(FEV_BENCH)"; \
	 else echo 'FEV_BENCH names no folder of fev-bench files: the leaderboard is not compared with that of fev (needs fev)'; fi
	bench/leaderboard_at_scale.sh
	bench/hashing.sh 5
	$(CARGO) bench --locked -p drift-watch --bench detectors --bench parse --bench engine
	$(CARGO) build --release --locked -p drift-watch
	bench/live.py $(BIN)/drift-watch
	PATH="$$PATH:/usr/sbin" && bench/fleet.py $(BIN)/drift-watch "$$(command -v nats-server)"
	bench/fleet_balance.py
	$(CARGO) bench --locked -p rebench-cron --bench schedule --bench daemon

docs: ## refresh the documents that are made from the code
	$(CARGO) run --locked -q -p e2e --bin generate-docs

man: docs

install: build ## binaries, manual pages, completions, licences below PREFIX
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
	  $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d $(DESTDIR)$(PREFIX)/share/doc/forecast-promotion
	$(INSTALL) -m 755 $(TOOLS:%=$(BIN)/%) $(DESTDIR)$(PREFIX)/bin
	$(INSTALL) -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	$(INSTALL) -m 644 docs/man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5
	$(INSTALL) -m 644 LICENSE LICENSE-APACHE LICENSE-MIT docs/EXIT-CODES.md $(DESTDIR)$(PREFIX)/share/doc/forecast-promotion
	set -e; for tool in $(TOOLS); do \
	  $(BIN)/$$tool --no-config completions bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$tool; \
	  $(BIN)/$$tool --no-config completions zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_$$tool; \
	  $(BIN)/$$tool --no-config completions fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/$$tool.fish; \
	done

DAEMONS := examples/live/drift-watch.service examples/rebench/rebench-cron.service

install-daemons: install ## also the units, users and settings of the daemons, for root; none is enabled
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(SYSCONFDIR)/forecast-promotion
	set -e; for unit in $(DAEMONS); do \
	  sed 's|/usr/bin/|$(PREFIX)/bin/|' $$unit > $(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/}; done
	$(INSTALL) -m 644 packaging/forecast-promotion.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d
	test -e $(DESTDIR)$(SYSCONFDIR)/forecast-promotion/promotion.toml \
	  || $(INSTALL) -m 644 packaging/promotion.toml $(DESTDIR)$(SYSCONFDIR)/forecast-promotion

uninstall: ## what install and install-daemons put there; settings and records stay
	for tool in $(TOOLS); do rm -f $(DESTDIR)$(PREFIX)/bin/$$tool $(DESTDIR)$(PREFIX)/share/man/man1/$$tool.1 \
	  $(DESTDIR)$(PREFIX)/share/man/man1/$$tool-*.1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$tool \
	  $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_$$tool $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/$$tool.fish; done
	rm -f $(DESTDIR)$(PREFIX)/share/man/man5/promotion.toml.5
	rm -f $(DESTDIR)$(PREFIX)/lib/systemd/system/drift-watch.service $(DESTDIR)$(PREFIX)/lib/systemd/system/rebench-cron.service \
	  $(DESTDIR)$(PREFIX)/lib/sysusers.d/forecast-promotion.conf
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/forecast-promotion

wheel: ## a wheel with the four tools, in build/wheel
	packaging/wheel.sh

deb: ## a Debian package, in build (needs cargo-deb)
	rm -rf build/deb
	$(MAKE) install-daemons DESTDIR=build/deb PREFIX=/usr
	$(CARGO) deb --no-build --locked -p forecast-promotion -o build

sbom: ## what the tools are built from, as CycloneDX, in build/sbom (needs cargo-cyclonedx)
	packaging/sbom.sh

clean: ## build output
	$(CARGO) clean
