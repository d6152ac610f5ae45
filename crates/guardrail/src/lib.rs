//! The guardrail: a policy in the shape of `AWS::Bedrock::Guardrail`, and the engine that enforces it here.
