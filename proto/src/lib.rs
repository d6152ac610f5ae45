//! The wire contract of clinflow: messages on the exchange and the gRPC services, generated from `clinflow/v1`.

/// Version 1 of the contract.
#[expect(clippy::all, clippy::allow_attributes, reason = "generated")]
pub mod v1 {
    tonic::include_proto!("clinflow.v1");
}

/// The compiled descriptors, for gRPC reflection and for the wire snapshot.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
