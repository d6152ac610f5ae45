"""Renders every PDF under `samples/` and writes `samples/gold/*.jsonl` from the sources in this folder.

Usage: python3 render.py [--check]      --check renders to a temporary folder and compares bytes instead
"""

import importlib.util
import json
import sys
import tempfile
from pathlib import Path

import gold_notes

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parent
WORKFLOWS = ("ae-report", "patient-narrative", "protocol-amendment", "lab-report")
FIELD_ORDER = ("name", "group", "index", "value", "normalized", "unit", "assertion")


def build_pdf(source: Path, out: Path):
    """Runs the `build` function of one document source."""
    spec = importlib.util.spec_from_file_location("document_source", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    out.parent.mkdir(parents=True, exist_ok=True)
    module.build(out)


def gold_line(record: dict) -> str:
    fields = [{key: field[key] for key in FIELD_ORDER if key in field} for field in record["fields"]]
    return json.dumps(record | {"fields": fields}, ensure_ascii=False, separators=(",", ":"))


def render(to: Path):
    """Writes all PDFs and gold files below `to`; returns the paths written, relative to it."""
    written = []
    for folder in (*WORKFLOWS, "broken"):
        for source in sorted((HERE / folder).glob("*.py")):
            build_pdf(source, to / folder / f"{source.stem}.pdf")
            written.append(f"{folder}/{source.stem}.pdf")
    for workflow in WORKFLOWS:
        lines = []
        for note in sorted((HERE / workflow).glob("*.gold")):
            kind = "pdf" if note.with_suffix(".py").exists() else "txt"
            lines.append(gold_line(gold_notes.read(note, f"{workflow}/{note.stem}.{kind}")))
        target = to / "gold" / f"{workflow}.jsonl"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        written.append(f"gold/{workflow}.jsonl")
    return written


def main():
    if "--check" not in sys.argv[1:]:
        print(f"wrote {len(render(SAMPLES))} files")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        written = render(Path(folder))
        stale = [name for name in written if not (SAMPLES / name).exists()
                 or (SAMPLES / name).read_bytes() != (Path(folder) / name).read_bytes()]
    for name in stale:
        print(f"{name}: differs from its source; run render.py")
    print(f"{len(written) - len(stale)} of {len(written)} files are as their sources give them")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
