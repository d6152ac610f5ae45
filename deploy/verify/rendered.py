"""A rendered overlay: its objects, and how they find each other."""

from pathlib import Path

import yaml


class Rendered:
    """The objects of one `kubectl kustomize`."""

    def __init__(self, file: str) -> None:
        self.objects = [one for one in yaml.safe_load_all(Path(file).read_text()) if one]

    def all(self, kind: str) -> list[dict]:
        """Every object of a kind."""
        return [one for one in self.objects if one["kind"] == kind]

    def get(self, kind: str, name: str) -> dict | None:
        """The object of a kind with a name."""
        return next((one for one in self.all(kind) if one["metadata"]["name"] == name), None)

    def services(self) -> dict[str, dict]:
        """The Deployments by the role they run: `nlp`."""
        return {one["metadata"]["name"].removeprefix("clinflow-"): one for one in self.all("Deployment")}

    def workloads(self) -> list[dict]:
        """Everything that has pods of its own."""
        return self.all("Deployment") + self.all("StatefulSet") + self.all("Job")


def pod(workload: dict) -> dict:
    """The template of a workload's pods."""
    return workload["spec"]["template"]


def container(workload: dict) -> dict:
    """The one container of a workload's pods."""
    (one,) = pod(workload)["spec"]["containers"]
    return one


def selects(selector: dict, labels: dict) -> bool:
    """Whether a selector by labels selects them. One without labels selects everything."""
    return set(selector.get("matchLabels", {}).items()) <= set(labels.items())
