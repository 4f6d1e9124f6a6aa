"""What is sensitive goes, and nothing else: the whole text that is left, to the character."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from analysis import compare
from analysis.options import CompareOptions
from analysis.redact import redact
from analysis.sensitive import CARD, MARGIN, MASK, MAX_TEXT, Redactor, redacted

if TYPE_CHECKING:
    from analysis.comparison import Comparison
    from analysis.model import AttributeValue

VISA = "4111 1111 1111 1111"
LONG = "4291417776317066903"  # nineteen digits


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("SELECT a FROM t WHERE name = 'Jane'", "SELECT a FROM t WHERE name = ?"),
        ("run: SELECT a FROM t WHERE id = 12 and 'b'", "run: SELECT a FROM t WHERE id = ? and ?"),
        ("SELECT a FROM t WHERE n IN ('a', 2, 'b') AND x > 4711 LIMIT 5", "SELECT a FROM t WHERE n IN (?) AND x > ? LIMIT ?"),
        # A list is one value, whatever it begins with: of a row that is written, no number stays.
        ("INSERT INTO users (a, b) VALUES ('Jane', 4711)", "INSERT INTO users (a, b) VALUES (?)"),
        ("INSERT INTO users (a, b) VALUES (4711, 'Jane', ?)", "INSERT INTO users (a, b) VALUES (?)"),
        ("SELECT concat('a', name) FROM t", "SELECT concat(?, name) FROM t"),
        ('SELECT concat("a", name) FROM t', "SELECT concat(?, name) FROM t"),
        ("SELECT a FROM t JOIN u ON u.id = 4711", "SELECT a FROM t JOIN u ON u.id = ?"),
        ("SELECT a FROM t WHERE id IN (1, 2)", "SELECT a FROM t WHERE id IN (?)"),
        ("SELECT a FROM t LIMIT 5", "SELECT a FROM t LIMIT ?"),
        ("SELECT a->'b' FROM t", "SELECT a->'b' FROM t"),
        ("where is the file 'a'", "where is the file 'a'"),
    ],
)  # fmt: skip
def test_a_statement_keeps_everything_but_its_values(text, left) -> None:
    """Literals and lists of them become placeholders; words before them, columns and functions stay."""
    assert redacted(text) == left
    assert redacted(left) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (VISA, CARD),
        (f"card {VISA}, 12 items", f"card {CARD}, 12 items"),
        (f"{VISA} 12", f"{CARD} 12"),
        (f"{VISA} 1111", f"{CARD} 1111"),
        (f"12 {VISA}", f"12 {CARD}"),
        (f"1234 {VISA} 123", f"1234 {CARD} 123"),
        (f"{VISA} {VISA}", f"{CARD} {CARD}"),
        (f"{VISA} 77 {VISA} 88", f"{CARD} 77 {CARD} 88"),
        ("4111111111111111 12345 4111111111111111", f"{CARD} 12345 {CARD}"),
        (LONG, CARD),
        (f"{LONG[:4]} {LONG[4:8]} {LONG[8:12]} {LONG[12:16]} {LONG[16:]}", CARD),
        ("3782 822463 10005", CARD),
        # No card: its groups are not a card's, its digits are none that were given out, or they do not add up.
        ("4111 1111 1111 11 11", "4111 1111 1111 11 11"),
        ("411 11111 1111 1111", "411 11111 1111 1111"),
        ("1729141777631706", "1729141777631706"),
        ("9291417776317062", "9291417776317062"),
        ("4111 1111 1111 1112", "4111 1111 1111 1112"),
        ("4\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661",) * 2,
    ],
)
def test_a_card_goes_and_the_digits_around_it_stay(text, left) -> None:
    """In one piece or in groups, beside other numbers and other cards."""
    assert redacted(text) == left


def encoded(said: bytes) -> str:
    """Write it in base64."""
    return base64.b64encode(said).decode()


@pytest.mark.parametrize("end", ["ttery", "tter", "tte", "tt"])
def test_a_secret_in_base64_goes_with_any_padding_or_none(end) -> None:
    """Also in the alphabet that URLs use, and over several lines."""
    said = f"user=bob\r\n\tpassword=h0rseba{end}".encode()
    assert redacted(f"sent {encoded(said)} to A") == f"sent {MASK} to A"
    assert redacted(encoded(said).rstrip("=")) == MASK
    assert redacted(base64.urlsafe_b64encode("password=ÿÿ¿¾~~ÿ".encode() + end.encode()).decode()) == MASK


@pytest.mark.parametrize(
    "word",
    [
        encoded(b"user=bob, nothing to see here"),
        encoded(b"user=bob\x00password=h0rsebattery."),
        encoded(b"\xff\xfe\xfd password=h0rsebattery"),
        "a" * 25,
    ],
)
def test_what_is_no_secret_when_it_is_read_as_base64_stays(word) -> None:
    """Harmless words, bytes that are no text, and what is no base64 at all."""
    assert redacted(word) == word


def test_a_text_is_cut_where_it_says_and_what_is_behind_the_cut_is_looked_at() -> None:
    """Up to the limit everything stays; beyond it a mark; a secret across the limit leaves no part of itself."""
    assert redacted("a " * (MAX_TEXT // 2)) == "a " * (MAX_TEXT // 2)
    assert redacted("a " * MAX_TEXT) == "a " * (MAX_TEXT // 2) + "…"
    before = ("a " * MAX_TEXT)[: MAX_TEXT - 10]
    assert redacted(f"{before}jane.doe@example.com{' b' * MARGIN}") == f"{before}[redac…"


def test_names_and_patterns_of_ones_own_are_secret() -> None:
    """Names in any case and literally, with what follows them; patterns as they are written."""
    own = Redactor(names=["x.internal", "badge"], patterns=[r"case-\d+", r"room \w"])
    assert own.value("the.X.Internal.id", "7") == MASK
    assert own.value("xyinternal", "7") == "7"
    assert own.value("BADGE", "7") == MASK
    assert own.value("db.password", "7") == MASK
    assert own.text("BADGE: 7x, xyinternal=8") == f"BADGE: {MASK}, xyinternal=8"
    assert own.text("case-12 in room B of CASE-3") == f"{MASK} in {MASK} of CASE-3"
    assert own.text("badge token=h0rse") == f"badge token={MASK}"
    plain = Redactor()
    assert plain.value("BADGE", "7") == "7"
    assert plain.text("BADGE: 7x, case-12") == "BADGE: 7x, case-12"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("http.request.header.Authorization", "x", MASK),
        ("password.set", True, "true"),
        ("password", 12, MASK),
        ("count", 12, "12"),
        ("note", "naïve", "naïve"),
        ("note", "jane@example.com", "[redacted-email]"),
        ("note", {"naïve": 1, "token": "t", "jane@example.com": ["a", 2]}, f'{{"naïve": 1, "token": {MASK}, "[redacted-email]": ["a", 2]}}'),
        ("notes", ["a", "jane@example.com", {"pwd": 1}], f'["a", "[redacted-email]", {{"pwd": {MASK}}}]'),
        ("raw", [b"\x00"], r"""["b'\\x00'"]"""),
        ("none", None, "null"),
    ],
)  # fmt: skip
def test_an_attribute_is_written_as_it_may_be_shown(name: str, value: AttributeValue, shown: str) -> None:
    """Lists and maps as JSON, with what is secret by name or by shape gone at any depth; a switch is no secret."""
    assert Redactor().value(name, value) == shown


def test_a_redactor_is_made_of_what_the_options_say() -> None:
    """None at all when nothing is to be redacted."""
    assert Redactor.of(CompareOptions(redact=False)) is None
    own = Redactor.of(CompareOptions(secret_names=("badge",), secret_patterns=("room .",)))
    assert own is not None
    assert own.text("badge=7 in room B") == f"badge={MASK} in {MASK}"


def slower(trace, name: str, version: str) -> Comparison:
    """Compare two requests one of whose calls became slower, with nothing redacted yet."""
    sides = []
    for took, said in ((10, "1"), (400, version)):
        t = trace()
        root = t.span("GET /", 0, took + 10, resource={"service.version": said})
        t.span(name, 5, took + 5, root)
        sides.append(t.build())
    return compare(*sides, options=CompareOptions(redact=False))


def test_a_comparison_without_secrets_is_the_very_same(trace) -> None:
    """Nothing is written anew where there is nothing to hide; ids are ours and hide nothing."""
    plain = slower(trace, "work", "2")
    assert redact(plain, Redactor()) is plain
    assert redact(plain, Redactor(patterns=[plain.suspect.trace_id])) is plain


@pytest.mark.parametrize(("name", "version"), [("password=h0rse", "2"), ("work", "password=h0rse")])
def test_a_secret_anywhere_in_a_comparison_is_gone_from_all_of_it(trace, name, version) -> None:
    """In a name or in a version alone: what is left differs in nothing but the secret."""
    said = slower(trace, name, version)
    left = redact(said, Redactor())
    assert left.to_json().decode() == said.to_json().decode().replace("password=h0rse", f"password={MASK}")


@pytest.mark.parametrize("place", ["operation", "detail", "path", "versions", "service of versions"])
def test_what_is_said_in_one_place_alone_is_looked_at_there(trace, place) -> None:
    """One text of one group, or of the map of versions, is enough to write the comparison anew."""
    said = slower(trace, "work", "2")
    secret, left = "password=h0rse", f"password={MASK}"
    first = said.contributions[0]

    def saying(text: str) -> Comparison:
        if place.endswith("versions"):
            versions = {"shop": text} if place == "versions" else {text: "1"}
            return structs.replace(said, suspect=structs.replace(said.suspect, versions=versions))
        changed = {place: ((*first.path[-1][:1], text, *first.path[-1][2:]),) if place == "path" else text}
        return structs.replace(said, contributions=(structs.replace(first, **changed), *said.contributions[1:]))

    assert redact(saying(secret), Redactor()) == saying(left)
