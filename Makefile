# Two commands do everything: `make demo` and `make test`. The others are parts of them, and `make bench`.
.PHONY: demo test servers lint unit docs bench clean

# The main job in the embedded mode, over the shipped samples. Needs cargo and a C compiler.
demo:
	cargo build --package clinflow
	rm -rf out/demo
	target/debug/clinflow run --out out/demo --data out/demo/data \
	  samples/ae-report samples/patient-narrative samples/protocol-amendment samples/lab-report

# Everything: installs the servers the tests need where they are missing, starts private ones on free ports.
test: servers lint unit docs

# RabbitMQ, Redis and a Python environment, where they are missing. Starts nothing.
servers:
	tests/servers.sh

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

# Programs first: the integration tests run the eight services as processes.
unit:
	cargo build --workspace --bins
	cargo test --workspace --all-features --no-fail-fast

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

# Throughput, latency, CPU and memory of the eight processes, beside a bare pipeline of the same shape.
bench: servers
	cargo build --release --workspace --bins
	cargo run --release --package clinflow-integration --bin bench

clean:
	cargo clean
	rm -rf out
