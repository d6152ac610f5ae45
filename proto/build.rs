//! Compiles the contract with protox, so that no protoc is needed on the machine.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const FILES: [&str; 10] = [
    "clinflow/v1/common.proto",
    "clinflow/v1/pipeline.proto",
    "clinflow/v1/side_events.proto",
    "clinflow/v1/ingest.proto",
    "clinflow/v1/executions.proto",
    "clinflow/v1/audit.proto",
    "clinflow/v1/operations.proto",
    "clinflow/v1/reviews.proto",
    "clinflow/v1/questions.proto",
    "clinflow/v1/costs.proto",
];

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script where to write through the environment"
)]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=clinflow");
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    let mut names = tonic_prost_build::Config::new();
    names.enable_type_names();
    tonic_prost_build::configure().bytes(".").compile_fds_with_config(descriptors, names)?;
    Ok(())
}
