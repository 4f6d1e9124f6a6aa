"""The errors of the engine, as one tree.

    AnalysisError                 something the engine was asked to do cannot be done
    ├── DecodeError               these bytes are not a trace: says what is wrong and where
    │   └── EmptyTraceError       well-formed, but without a single span (an unknown trace id looks like this)
    └── PopulationError           stored bytes are no population of this version, or two cannot be merged

`compare` itself never raises for any pair of decoded traces: what it cannot judge becomes a verdict
(`not_comparable`) or a note.
"""


class AnalysisError(Exception):
    """Base of everything the engine raises on purpose; its text is one sentence for people."""


class DecodeError(AnalysisError):
    """The body is not a trace in any supported format.

    `where` names the place (a byte offset or a JSON path), when it is known.
    """

    def __init__(self, what: str, where: str = "") -> None:
        self.what = what
        self.where = where
        super().__init__(f"{what} ({where})" if where else what)


class EmptyTraceError(DecodeError):
    """The body is well-formed but holds no span."""


class PopulationError(AnalysisError):
    """A stored population cannot be read, or two populations belong to two operations."""
