"""Operation keys: the same operation under whatever ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.model import SpanKind
from analysis.operation_key import OperationKeys, operation_key, statement_template, template


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/users/123/orders/9f8b3c2a", "/users/{}/orders/{}"),
        ("/api/v1/items", "/api/v1/items"),
        ("GET /cart/u1795487467", "GET /cart/u{}"),
        ("order:550e8400-e29b-41d4-a716-446655440000", "order:{}"),
        ("worker shard-17", "worker shard-{}"),
        ("SET SET SET", "SET"),
        ("decade", "decade"),
        ("oauth2 token", "oauth2 token"),
    ],
)
def test_names_lose_their_ids(text, expected) -> None:
    """Ids, uuids and numbers become placeholders; words and versions stay."""
    assert template(text) == expected


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("SELECT * FROM t WHERE id IN (1, 2, 3) -- trace=ab12", "SELECT * FROM t WHERE id IN (4) -- trace=cd34"),
        ("/* traceparent=1 */ SELECT a FROM x WHERE b='it''s'", "SELECT a FROM x WHERE b='other'"),
        ("INSERT INTO o (a, b) VALUES ($1, $2), ($3, $4)", "INSERT INTO o (a, b) VALUES ($1, $2)"),
        ("MGET ? ? ? ?", "MGET ? ?"),
        ("SET ? ? SET ? ?", "SET ? ?"),
        ("GET user:123", "GET user:456"),
    ],
)
def test_statements_differing_in_literals_are_one(one, two) -> None:
    """Literals, list lengths, batch sizes and comments do not make another statement."""
    assert statement_template(one) == statement_template(two)


def test_statements_tell_queries_of_one_name_apart(trace) -> None:
    """Two spans called SELECT are two operations when their statements differ."""
    t = trace()
    db = {"db.system": "postgresql"}
    one = t.span("SELECT", 0, 1, kind=SpanKind.CLIENT, attributes=db | {"db.statement": "SELECT a FROM x"})
    two = t.span("SELECT", 0, 1, kind=SpanKind.CLIENT, attributes=db | {"db.statement": "SELECT b FROM y"})
    keys = OperationKeys()
    assert keys.number(one) != keys.number(two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"messaging.system": "kafka", "messaging.destination": "orders"}, {"messaging.destination": "mails"}),
        ({"rpc.service": "Cart", "rpc.method": "Add"}, {"rpc.method": "Empty"}),
        ({"http.method": "GET", "http.url": "/items", "net.peer.name": "stock"}, {"net.peer.name": "cart"}),
        ({"http.method": "GET", "http.url": "http://mesh/items", "peer.service": "stock"}, {"peer.service": "cart"}),
        ({"peer.service": "stock"}, {"peer.service": "cart"}),
    ],
)
def test_calls_of_one_name_to_two_places_are_two_operations(trace, one, two) -> None:
    """What a call goes to tells it from others of its name, in whichever attribute its instrumentation says so."""
    t = trace()
    keys = OperationKeys()
    numbers = {
        keys.number(t.span("call", 0, 1, kind=SpanKind.CLIENT, attributes=attributes))
        for attributes in (one, one | two)
    }
    assert len(numbers) == 2


def test_an_address_is_no_place_of_its_own(trace) -> None:
    """Pods come and go with their addresses: calls to two of them are one operation, calls to two names are two."""
    t = trace()
    keys = [
        operation_key(t.span("GET", 0, 1, kind=SpanKind.CLIENT, attributes={"http.url": f"http://{host}/items"}))
        for host in ("10.1.2.3:8080", "10.9.8.7:8080", "stock:8080", "cart:8080")
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_old_and_new_conventions_give_one_key(trace) -> None:
    """An upgraded instrumentation library does not make another operation."""
    t = trace()
    old = {"http.method": "GET", "http.url": "http://stock:8080/items/17", "net.peer.name": "stock"}
    new = {"http.request.method": "GET", "url.full": "http://stock:9090/items/42", "server.address": "stock"}
    one = t.span("GET", 0, 1, kind=SpanKind.CLIENT, attributes=old)
    two = t.span("GET", 0, 1, kind=SpanKind.CLIENT, attributes=new)
    assert operation_key(one) == operation_key(two)


@given(st.text(max_size=200))
def test_templates_are_stable(text) -> None:
    """A template of a template is itself, and any text has one."""
    once = template(text)
    assert template(once) == once
    statement_template(text)


def test_graphql_operations_of_one_span_name_are_two(trace) -> None:
    """The operation's name tells executions apart; a client that names it still goes where its URL says."""
    t = trace()
    keys = OperationKeys()
    one, two = ({"graphql.operation.name": name, "url.full": "http://shop/graphql"} for name in ("Cart", "Search"))
    for kind in (SpanKind.INTERNAL, SpanKind.SERVER):
        spans = [t.span("execute", 0, 1, kind=kind, attributes=said) for said in (one, two)]
        assert len({keys.number(span) for span in spans}) == 2
    assert operation_key(t.span("POST", 0, 1, kind=SpanKind.CLIENT, attributes=one)).detail == "shop/graphql"
