# Two commands do everything: `make demo` and `make test`. The others are parts of them, and `make bench`.
.PHONY: demo test servers lint unit policy docs bench verify-deploy clean

# The main job in the embedded mode, over the shipped samples: once with the local model, for nothing, and the adverse
# event reports once more with a model of Bedrock that a stand-in plays, at list prices. Needs cargo and a C compiler.
demo:
	cargo build --package clinflow --package clinflow-stand-in-bedrock
	rm -rf out/demo out/demo-bedrock
	target/debug/clinflow run --out out/demo --data out/demo/data \
	  samples/ae-report samples/patient-narrative samples/protocol-amendment samples/lab-report
	@printf '\n\nThe adverse event reports again, with a model of Amazon Bedrock. A stand-in plays it: real protocol, list prices.\n\n'
	target/debug/stand-in-bedrock -- target/debug/clinflow run --model bedrock:us.anthropic.claude-sonnet-5-5 \
	  --out out/demo-bedrock --data out/demo-bedrock/data samples/ae-report

# Everything: installs the servers the tests need where they are missing, starts private ones on free ports.
test: servers lint unit policy docs

# RabbitMQ, Redis and a Python environment, where they are missing. Starts nothing.
servers:
	tests/servers.sh

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

# Programs first: the integration tests run the eight services as processes, one fleet at a time, because each takes all
# of a small machine.
unit:
	cargo build --workspace --bins
	cargo test --workspace --all-features --no-fail-fast --exclude clinflow-integration
	cargo test --package clinflow-integration --all-features --no-fail-fast -- --test-threads=1

# The shipped guardrail against its cases, as an operator would test one.
policy:
	target/debug/clinflow policy check workflows/guardrails/pharma-clinical.yaml
	target/debug/clinflow policy test workflows/guardrails/pharma-clinical.yaml crates/guardrail/tests/cases.jsonl

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

# Throughput, latency, CPU and memory of the eight processes, beside a bare pipeline of the same shape.
bench: servers
	cargo build --release --workspace --bins
	cargo run --release --package clinflow-integration --bin bench

# Kubernetes, AWS, Docker, rules and dashboards against the programs, without a cluster or an account.
verify-deploy: servers
	deploy/verify.sh

clean:
	cargo clean
	rm -rf out
