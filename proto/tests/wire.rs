//! Holds the wire still: a changed field number or type is a diff in `snapshots/`, to be read before it is taken.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

use std::fmt::Write as _;

use clinflow_proto::DESCRIPTORS;
use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorSet, field_descriptor_proto::Label};

#[test]
fn field_numbers_and_types_are_what_they_were() {
    let set = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let mut table = String::new();
    for file in set.file.iter().filter(|file| file.package() == "clinflow.v1") {
        for message in &file.message_type {
            fields(&mut table, message);
        }
        for one in &file.enum_type {
            for value in &one.value {
                writeln!(table, "{}.{} = {}", one.name(), value.name(), value.number()).unwrap();
            }
        }
        for service in &file.service {
            for method in &service.method {
                let stream = |streaming| if streaming { "stream " } else { "" };
                writeln!(
                    table,
                    "{}.{}({}{}) -> {}{}",
                    service.name(),
                    method.name(),
                    stream(method.client_streaming()),
                    method.input_type(),
                    stream(method.server_streaming()),
                    method.output_type()
                )
                .unwrap();
            }
        }
    }
    insta::assert_snapshot!(table);
}

fn fields(table: &mut String, message: &DescriptorProto) {
    for field in &message.field {
        let repeated = if field.label() == Label::Repeated { "repeated " } else { "" };
        let kind =
            if field.type_name().is_empty() { field.r#type().as_str_name() } else { field.type_name() };
        writeln!(table, "{}.{} = {} {repeated}{kind}", message.name(), field.name(), field.number()).unwrap();
    }
}

#[test]
fn every_field_of_the_contract_has_a_comment() {
    for file in [
        "common",
        "pipeline",
        "side_events",
        "ingest",
        "executions",
        "audit",
        "operations",
        "reviews",
        "questions",
        "costs",
    ] {
        let path = format!("{}/clinflow/v1/{file}.proto", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap();
        let mut before = "";
        for (number, line) in text.lines().enumerate() {
            let declares = line.trim_start();
            let is_member = declares.starts_with("rpc ")
                || declares.starts_with("message ")
                || declares.starts_with("enum ")
                || declares.starts_with("service ")
                || (declares.contains(" = ") && declares.ends_with(';') && !declares.starts_with("syntax"));
            assert!(
                !is_member || before.trim_start().starts_with("//"),
                "{file}.proto:{}: `{declares}` has no comment",
                number + 1
            );
            before = line;
        }
    }
}
