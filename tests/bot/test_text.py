"""Text from traces: whatever it holds, it is shown as one line of itself and nothing more."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.text import clean, escaped

ENTITY = re.compile(r"&(?:amp|lt|gt);")
HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from("<>&|!@#`*_~:\n\r\t\0 \u202e\u2066\u200b\u200d\ufeff\u3164\U000e0041é統🙂"), st.characters()
    )
)


@given(HOSTILE, st.integers(8, 200))
def test_escaped_text_is_within_its_width_and_made_of_whole_entities(text, width) -> None:
    """Limits count after escaping, and a cut never leaves half an entity behind."""
    out = escaped(text, width)
    assert len(out) <= width
    assert not {"<", ">"} & set(out)
    assert "&" not in ENTITY.sub("", out)


@given(HOSTILE)
def test_nothing_invisible_is_left(text) -> None:
    """No direction, joiner, tag, filler, control or half character gets through."""
    out = clean(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in out)
    assert not set(out) & set("\u3164\u2800\u115f\u1160\uffa0")
    assert out == out.strip()


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"]), max_size=50))
def test_visible_text_is_left_alone(text) -> None:
    """Cleaning takes nothing away that can be seen."""
    seen = "".join(char for char in text if char not in "\u2800\u115f\u1160\u3164\uffa0\u17b4\u17b5\u034f")
    assert clean(text, 60) == seen


@pytest.mark.parametrize(
    "attack",
    ["<!channel>", "<!here|x>", "<@U123>", "<#C1|general>", "<!subteam^S1>", "<!date^1^{date}|x>", "<https://evil.example|a>",
     "&lt;!channel&gt;", "<\u200b!channel>", "<!chan\u00adnel>"],
)  # fmt: skip
def test_no_control_sequence_of_slack_survives(attack) -> None:
    """Each way to call people or to hide a link comes out as the characters that were typed."""
    out = escaped(f"span {attack} name")
    assert "<" not in out
    assert "&amp;lt;" in out if attack.startswith("&") else "&lt;" in out


def test_a_cut_keeps_both_ends_and_says_so() -> None:
    """The end of a name often tells more than its middle."""
    assert clean("a" * 50 + "z" * 50, 11) == "aaaaaa…zzzz"
    assert escaped("&" * 100, 12) == "&amp;&amp;…"
