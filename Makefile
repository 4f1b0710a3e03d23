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
	set -e; python=$$(tests/python/setup.sh); FORECAST_PYTHON=$$python $(CARGO) test --workspace --locked

verify: ## the long simulations and fault rounds; output kept in docs/
	@mkdir -p docs/verify
	$(CARGO) build --release --locked -p shared --example calibration
	{ printf '# Calibration of the gate on forecast tables\n\n```\ncargo run --release -p shared --example calibration -- --runs 20000 --seed 20261123\n```\n\n'; \
	  target/release/examples/calibration --runs 20000 --seed 20261123; } > docs/verify/calibration.tmp && mv docs/verify/calibration.tmp docs/verify/calibration.md
	PROPTEST_CASES=20000 $(CARGO) test --release --locked -p shared -p bench-compare
	FAULT_ROUNDS=500 $(CARGO) test --locked -p e2e faults
	$(CARGO) test --locked -p manifest-gen --no-run
	{ printf '# Changed bytes and kills\n\nTen thousand single-byte changes of a signed release, its registry entry and published copies; `kill -9` at every\nsystem call of a promotion that writes or opens a file, then `repair`.\n\n```\nTAMPER_ROUNDS=10000 cargo test -p manifest-gen --test it -- tamper:: crash:: --nocapture\n```\n\n```\n'; \
	  TAMPER_ROUNDS=10000 $(CARGO) test --locked -p manifest-gen --test it -- tamper:: crash:: --nocapture 2>/dev/null && printf '```\n'; } > docs/verify/manifest-gen.tmp \
	  && mv docs/verify/manifest-gen.tmp docs/verify/manifest-gen.md
	$(CARGO) build --release --locked -p drift-watch --example alarms
	{ printf '# Alarms of drift-watch: how often without a change, how soon after one\n\nEvery run learns its baseline anew. `*`: measured, not promised. BROKEN: a bound is not kept. Steps are target times; promise 5,000.\n\n```\ncargo run --release -p drift-watch --example alarms -- --runs 400 --seed 20261123\n```\n\n'; \
	  target/release/examples/alarms --runs 400 --seed 20261123; \
	  printf '\n## Fleets\n\nHourly, baselines of 14 days, watched for 90 days.\n\n```\ncargo run --release -p drift-watch --example alarms -- --fleet --runs 200 --seed 20261123\n```\n\n'; \
	  target/release/examples/alarms --fleet --runs 200 --seed 20261123; } > docs/verify/alarms.tmp && mv docs/verify/alarms.tmp docs/verify/alarms.md
	$(CARGO) test --locked -p drift-watch --test it --no-run
	{ printf '# Kills of a running daemon\n\n`kill -9` of `drift-watch run` at random moments: while records are appended in pieces, posted (what is not answered is sent\nagain), while files rotate, while a webhook is told, while the daemon starts and ends. After each round the canonical state is that of an\nundisturbed run and of a replay, to the byte, and each alert that began or ended is told and logged once. Where files are copied and\nemptied, rows may be read twice, and the counts of odd rows are compared apart.\n\n```\nCRASH_ROUNDS=1000 cargo test --quiet -p drift-watch --test it -- crash:: --nocapture\n```\n\n```\n'; \
	  CRASH_ROUNDS=1000 $(CARGO) test --quiet --locked -p drift-watch --test it -- crash:: --nocapture 2>&1 && printf '```\n'; } > docs/verify/drift-watch.tmp \
	  && mv docs/verify/drift-watch.tmp docs/verify/drift-watch.md
	$(CARGO) test --release --locked -p rebench-cron --no-run
	{ printf '# Schedules of rebench-cron against every minute\n\nAll time zones, every change of their clocks from 2020 to 2037, twelve schedules in four dialects under four rules: `next` and\n`prev` against an oracle that looks at every minute of three days. Then 20,000 random expressions for each property.\n\n```\nCRON_ZONES=all PROPTEST_CASES=20000 cargo test --release -p rebench-cron --test it -- zones:: properties:: --nocapture\n```\n\n```\n'; \
	  CRON_ZONES=all PROPTEST_CASES=20000 $(CARGO) test --release --locked -p rebench-cron --test it -- zones:: properties:: --nocapture 2>/dev/null && printf '```\n'; } > docs/verify/rebench-cron.tmp \
	  && mv docs/verify/rebench-cron.tmp docs/verify/rebench-cron.md
	$(CARGO) test --locked -p rebench-cron --test it --no-run
	{ printf '# The alarm of rebench-cron over two years of weekly looks\n\nSimulated series, judged by what judges the records; 5 %% false alarms are promised for looks that are not correlated.\n\n```\nSIM_HISTORIES=20000 cargo test --release -p rebench-cron --test it -- simulation:: --nocapture --test-threads 1\n```\n\n'; \
	  SIM_HISTORIES=20000 $(CARGO) test --release --quiet --locked -p rebench-cron --test it -- simulation:: --nocapture --test-threads 1 2>/dev/null; } > docs/verify/rebench-cron-alarm.tmp \
	  && mv docs/verify/rebench-cron-alarm.tmp docs/verify/rebench-cron-alarm.md
	{ printf '# Kills of the daemon of rebench-cron, and races for slots\n\n`kill -9` of `rebench-cron run` as soon as a run is seen in a given state, and at random moments, while jobs run, fail, are judged and alerts\nare told. Then a daemon finishes what is left: the records are whole, each slot from the first to the last is there once and none is open,\nno process of any run is left, each transition of an alert was told and nothing else. A transition is told again where the kill fell between\nthe telling and the note of it; receivers know it by its key. Then two daemons on one state folder, with slots that are all due in one second.\n\n```\nCRASH_ROUNDS=200 RACE_SLOTS=1000 cargo test --quiet -p rebench-cron --test it -- crash::kills race::two_daemons --nocapture --test-threads 1\n```\n\n```\n'; \
	  CRASH_ROUNDS=200 RACE_SLOTS=1000 $(CARGO) test --quiet --locked -p rebench-cron --test it -- crash::kills race::two_daemons --nocapture --test-threads 1 2>&1 && printf '```\n'; } > docs/verify/rebench-cron-daemon.tmp \
	  && mv docs/verify/rebench-cron-daemon.tmp docs/verify/rebench-cron-daemon.md
	{ printf '# Exports of rebench-cron, run by the engines\n\n```\ntests/exports/airflow.sh\n```\n\n```\n'; tests/exports/airflow.sh && \
	  printf '```\n\n```\ntests/exports/slurm.sh\n```\n\n```\n' && tests/exports/slurm.sh && printf '```\n'; } > docs/verify/exports.tmp \
	  && mv docs/verify/exports.tmp docs/verify/exports.md
	{ printf '# Packages, installed and removed\n\n```\npackaging/verify.sh\n```\n\n```\n'; packaging/verify.sh && printf '```\n'; } > docs/verify/packaging.tmp \
	  && mv docs/verify/packaging.tmp docs/verify/packaging.md
	set -e; data=$$(tests/python/nannyml_data.sh); NANNYML_DATA=$$data $(CARGO) test --locked -p drift-watch --test it chunks::

check: ## formatting, lints, documentation, licences
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --locked
	$(CARGO) build --locked -p bench-compare --no-default-features
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) fetch --locked && $(CARGO) deny --offline check licenses bans sources; \
	 else echo 'cargo-deny is not installed: licences are not checked'; fi

bench: ## score against polars, hashing against openssl, side by side (needs python3 with polars, numpy, pyarrow); detectors; schedules; jobs that are due together
	$(CARGO) build --release --locked -p bench-compare -p manifest-gen
	bench/score_vs_polars.sh
	bench/hashing.sh 5
	$(CARGO) bench --locked -p drift-watch --bench detectors --bench parse --bench engine
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
