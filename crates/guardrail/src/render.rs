//! The policy as a CloudFormation template, so that Bedrock enforces the same one.

use serde_json::{Value, json};

use crate::Policy;

/// A template with the guardrail and a version of it. A version is immutable and made when its description changes, so
/// the description holds the policy's hash: another policy is another version.
pub fn template(policy: &Policy) -> Value {
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("Guardrail {}, rendered from its policy file.", policy.name),
        "Resources": {
            "Guardrail": {
                "Type": "AWS::Bedrock::Guardrail",
                "Properties": policy.properties,
            },
            "GuardrailVersion": {
                "Type": "AWS::Bedrock::GuardrailVersion",
                "Properties": {
                    "GuardrailIdentifier": {"Fn::GetAtt": ["Guardrail", "GuardrailId"]},
                    "Description": format!("policy sha256 {}", policy.sha256),
                },
            },
        },
        "Outputs": {
            "GuardrailId": {"Value": {"Fn::GetAtt": ["Guardrail", "GuardrailId"]}},
            "GuardrailArn": {"Value": {"Fn::GetAtt": ["Guardrail", "GuardrailArn"]}},
            "GuardrailVersion": {"Value": {"Fn::GetAtt": ["GuardrailVersion", "Version"]}},
        },
    })
}
