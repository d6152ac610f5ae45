"""Reads CloudFormation templates: the short forms (`!Sub x`) as the long ones (`{"Fn::Sub": x}`)."""

import json
import sys
from pathlib import Path

import yaml

AWS = Path(__file__).parent.parent / "aws"


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags."""


def _tag(loader: Loader, suffix: str, node: yaml.Node) -> dict:
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".")
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", _tag)


def load(name: str) -> dict:
    """The template `deploy/aws/<name>`, with each `Fn::ForEach` of its resources written out."""
    template = yaml.load((AWS / name).read_text(), Loader)  # noqa: S506 - a SafeLoader
    resources = {}
    for key, value in template["Resources"].items():
        if key.startswith("Fn::ForEach::"):
            variable, values, body = value
            for one in values:
                resources |= _replace(body, "${" + variable + "}", one)
        else:
            resources[key] = value
    return {**template, "Resources": resources}


def _replace(value, what: str, by: str):
    if isinstance(value, dict):
        return {key.replace(what, by): _replace(one, what, by) for key, one in value.items()}
    if isinstance(value, list):
        return [_replace(one, what, by) for one in value]
    return value.replace(what, by) if isinstance(value, str) else value


def text(value, name: str = "clinflow") -> str:
    """A value as one text: the stack is called `name`, what only AWS knows stays in its `${...}`."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and "Fn::Sub" in value:
        inner, variables = value["Fn::Sub"], {}
        if isinstance(inner, list):
            inner, variables = inner
        for key, one in variables.items():
            inner = inner.replace("${" + key + "}", text(one, name))
        return inner.replace("${Name}", name)
    if isinstance(value, dict) and "Fn::ImportValue" in value:
        return "import:" + text(value["Fn::ImportValue"], name)
    if isinstance(value, dict) and "Ref" in value:
        return "ref:" + value["Ref"]
    raise SystemExit(f"cloudformation.py: `{value}` is of a form that is not read here: teach `text`")


def tables() -> dict[str, dict]:
    """The input of `create-table` for every table of data.yaml, by name."""
    made = {}
    for resource in load("data.yaml")["Resources"].values():
        if resource["Type"] == "AWS::DynamoDB::Table":
            properties = resource["Properties"]
            keep = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
            name = text(properties["TableName"])
            made[name] = {"TableName": name} | {key: properties[key] for key in keep if key in properties}
    return made


def statements(policy: dict) -> list[dict]:
    """The statements of a policy document, those under a condition too."""
    found = []
    for statement in policy["Statement"]:
        if "Fn::If" in statement:
            found += [one for one in statement["Fn::If"][1:] if "Effect" in one]
        else:
            found.append(statement)
    return found


def many(value) -> list:
    """One or many, as many."""
    return value if isinstance(value, list) else [value]


def write_out(folder: Path) -> None:
    """Every template with nothing left to expand, as JSON, for tools that do not know `Fn::ForEach`."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted([*AWS.glob("*.yaml"), *AWS.glob("*.json")]):
        template = load(file.name)
        template.pop("Transform", None)
        (folder / f"{file.stem}.json").write_text(json.dumps(template, indent=2, default=str) + "\n")


if __name__ == "__main__":
    write_out(Path(sys.argv[1]))
