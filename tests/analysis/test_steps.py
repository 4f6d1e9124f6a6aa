"""Next steps: something concrete to do about every cause."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from requests_drawn import queried

from analysis import compare
from analysis.comparison import CauseKind
from analysis.steps import next_steps


@pytest.mark.parametrize("peer", ["ledger", None])
@pytest.mark.parametrize("kind", CauseKind)
def test_every_kind_of_cause_has_advice_that_names_what_is_known(trace, kind, peer) -> None:
    """Where the other end is not known it is not spoken of; names are told as they are, whatever they contain."""
    found = compare(queried(trace).build(), queried(trace, query=900).build())
    cause = replace(
        found.causes[0], finding="by-kind", kind=kind, peer_service=peer, service="shop {0}", operation="GET /{id}"
    )
    (step,) = next_steps(found.verdict, (cause,), [], None)
    assert "shop {0}" in step.text or "GET /{id}" in step.text
    assert "None" not in step.text
    assert [link.kind for link in step.links] == ["span", "logs"]


def test_a_cause_without_spans_links_to_logs_alone(trace) -> None:
    """A link needs something to lead to; what is gone is shown in the baseline."""
    found = compare(queried(trace).build(), queried(trace, query=900).build())
    (cause, baseline_ids) = found.causes[0], found.causes[0].baseline_span_ids
    for ids, sides in ((baseline_ids, ["baseline", "suspect"]), ((), ["suspect"])):
        (step,) = next_steps(found.verdict, (replace(cause, suspect_span_ids=(), baseline_span_ids=ids),), [], None)
        assert [link.side for link in step.links] == sides
