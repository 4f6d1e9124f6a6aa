"""The registry and the page that is made of it."""

from __future__ import annotations

from pathlib import Path

from analysis.findings.__main__ import page
from analysis.findings.registry import FINDINGS

PAGE = Path(__file__).parents[3] / "docs" / "FINDINGS.md"


def test_the_page_of_findings_is_current() -> None:
    """docs/FINDINGS.md says what the docstrings say; made again with `python -m analysis.findings`."""
    assert PAGE.read_text() == page()


def test_every_finding_has_a_code_a_title_and_a_drawing() -> None:
    """Codes are unique, docstrings start with them and draw what the finding sees."""
    assert len({finding.CODE for finding in FINDINGS}) == len(FINDINGS)
    for finding in FINDINGS:
        assert finding.TITLE
        assert finding.__doc__.startswith(f"{finding.CODE}: "), finding.CODE
        assert "    " in finding.__doc__, finding.CODE
