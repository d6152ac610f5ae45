"""What a check found wrong: collected, said together, and the exit code."""

import sys


class Findings:
    """Counts what was checked and keeps what was wrong."""

    def __init__(self) -> None:
        self.checked = 0
        self.wrong: list[str] = []

    def expect(self, right: bool, complaint: str) -> bool:
        """Counts one check; keeps the complaint unless it holds."""
        self.checked += 1
        if not right:
            self.wrong.append(complaint)
        return bool(right)

    def end(self, what: str) -> None:
        """Says what came out, and ends the process with 1 when something was wrong."""
        for complaint in self.wrong:
            print(f"{what}: {complaint}", file=sys.stderr)
        print(f"{what}: {self.checked} checks, {len(self.wrong)} wrong")
        # A check that looked at nothing has not checked.
        sys.exit(1 if self.wrong or not self.checked else 0)
