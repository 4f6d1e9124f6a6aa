"""Write the page about all findings: `python -m analysis.findings > docs/FINDINGS.md`."""

from __future__ import annotations

import sys
from textwrap import dedent
from typing import TYPE_CHECKING

from analysis.findings.registry import FINDINGS

if TYPE_CHECKING:
    from analysis.findings.registry import FindingModule

HEAD = """# Findings

What the engine looks for when it compares a baseline (A) with a suspect (B). A finding is silent without a change
between the two. Where several explain the same nanoseconds, the more fundamental one is the cause and the others are
listed under it: failures before changed calls, changed calls before slow processes, those before single slow
operations. Findings that explain no time are told among what else changed.

This page is made from the docstrings in `analysis/findings/`: `python -m analysis.findings > docs/FINDINGS.md`.
"""


def page() -> str:
    """Return the page as Markdown."""
    contents = "\n".join(f"- [{finding.TITLE}](#{finding.CODE})" for finding in FINDINGS)
    return "\n".join([HEAD, contents, *map(_section, FINDINGS)]) + "\n"


def _section(finding: FindingModule) -> str:
    """Turn a docstring into a section: its sentence, its drawings as they are, its paragraphs."""
    head, *paragraphs = (finding.__doc__ or "").strip("\n").split("\n\n")
    lines = [f"\n## {finding.CODE}\n", f"**{finding.TITLE}.** {_sentence(head)}\n"]
    for paragraph in paragraphs:
        drawn = paragraph.startswith("    ")
        lines.append(f"```text\n{dedent(paragraph)}\n```\n" if drawn else f"{paragraph}\n")
    return "\n".join(lines).rstrip("\n")


def _sentence(head: str) -> str:
    """Return the first sentence without the code in front of it."""
    text = " ".join(head.split()).split(": ", 1)[-1]
    return text[:1].upper() + text[1:]


if __name__ == "__main__":
    sys.stdout.write(page())
