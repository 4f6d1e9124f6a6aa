"""What is secret here beside what is secret everywhere: the part of the settings that says it.

The engine knows credentials, e-mail addresses and card numbers by name and by shape; customer numbers and names of
fields of one's own it cannot know. What stands here holds for traces, in the process that compares them, and for what
logs and metrics say.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from analysis.redact import Redactor


def _pattern(text: str) -> str:
    try:
        empty = re.compile(text).search("") is not None
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    if empty:
        raise ValueError("matches an empty text: it would hide everything")
    return text


class Redaction(BaseModel):
    """Further secrets, beside those that are known everywhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (), description="attributes whose names contain one of these, in any case, are secret"
    )
    patterns: tuple[Annotated[str, AfterValidator(_pattern)], ...] = Field(
        (), description="regular expressions of texts that are secret wherever they stand"
    )

    def redacted(self, text: str) -> str:
        """Return one text without secrets; nothing of it is kept, as a `Redactor` does for the texts of one trace."""
        return Redactor(self.names, self.patterns).text(text)
