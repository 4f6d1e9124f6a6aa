"""The registry and the page that is made of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from analysis import compare
from analysis.findings.__main__ import page
from analysis.findings.registry import FINDINGS
from analysis.model import SpanKind
from analysis.options import DEFAULTS

PAGE = Path(__file__).parents[3] / "docs" / "FINDINGS.md"


def test_the_page_of_findings_is_current() -> None:
    """docs/FINDINGS.md says what the docstrings say; made again with `python -m analysis.findings`."""
    assert PAGE.read_text() == page()
    printed = subprocess.run(
        [sys.executable, "-m", "analysis.findings"], cwd=PAGE.parents[1], capture_output=True, check=True
    )
    assert printed.stdout.decode() == page()


def test_every_finding_has_a_code_a_title_and_a_drawing() -> None:
    """Codes are unique, docstrings start with them and draw what the finding sees."""
    assert len({finding.CODE for finding in FINDINGS}) == len(FINDINGS)
    for finding in FINDINGS:
        assert finding.TITLE
        assert finding.__doc__.startswith(f"{finding.CODE}: "), finding.CODE
        assert "    " in finding.__doc__, finding.CODE


def test_of_very_many_findings_the_largest_are_kept(trace) -> None:
    """When everything changed, the list stays readable and the cause stays in it."""
    sides = []
    for slow in (1, 3):
        t = trace()
        root = t.span("GET /", 0, 5_000 * slow + 400, kind=SpanKind.SERVER)
        for i in range(500):
            name = f"step {chr(97 + i % 26)}{chr(97 + i // 26)}"
            t.span(name, i * 10 * slow, i * 10 * slow + (10 if i != 77 else 12) * slow, root)
        sides.append(t.build())
    result = compare(*sides)
    assert len(result.findings) == DEFAULTS.max_findings
    assert result.causes[0].summary in {finding.summary for finding in result.findings}
