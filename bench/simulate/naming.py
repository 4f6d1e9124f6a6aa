"""Span names and attributes, as instrumentation libraries of several generations write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.model import AttributeValue
    from bench.simulate.conditions import Failure
    from bench.simulate.program import Operation, Publish, Query, Style

Named = dict[str, "AttributeValue"]
SQL = frozenset({"postgresql", "mysql", "mssql", "cassandra"})


def operation_name(operation: Operation, style: Style) -> str:
    """Return the name of the span in which an operation is served."""
    if operation.protocol == "grpc":
        return f"{operation.route}/{operation.method}"
    if operation.protocol == "consumer":
        return f"{operation.route} process" if style.convention == "old" else f"process {operation.route}"
    if operation.protocol == "job":
        return operation.route
    match style.server_name:
        case "route":
            return operation.route
        case "http-method":
            return f"HTTP {operation.method}"
        case "handler":
            return f"{operation.handler.split('_', 1)[1].title()}Controller.{operation.handler}"
        case "verb":
            return f"{operation.method.lower()} {operation.route}"
        case _:
            return f"{operation.method} {operation.route}"


def call_name(operation: Operation, style: Style) -> str:
    """Return the name of the client span of a call to an operation."""
    if operation.protocol == "grpc":
        return f"{operation.route}/{operation.method}"
    match style.client_name:
        case "http-method":
            return f"HTTP {operation.method}"
        case "method-host":
            return f"{operation.method} {operation.service.name}"
        case "method-template":
            return f"{operation.method} {operation.route}"
        case "verb":
            return operation.method.lower()
        case _:
            return operation.method


def query_name(query: Query, style: Style) -> str:
    """Return the name of the client span of a query."""
    store = query.store
    if store.system == "http":
        return {"http-method": f"HTTP {query.verb}", "method-host": f"{query.verb} {store.host}", "verb": query.verb.lower()}.get(
            style.client_name, query.verb
        )  # fmt: skip
    if store.system == "mongodb":
        return f"{query.target}.{query.verb}"
    if store.system == "dynamodb":
        return f"DynamoDB.{query.verb}"
    database = store.name.split("-")[0]
    match style.query_name:
        case "verb-target":
            return f"{query.verb} {query.target}" if store.system in SQL else query.verb
        case "verb-database":
            return f"{query.verb} {database}" if store.system in SQL else query.verb
        case "database":
            return database if store.system in SQL else query.verb
        case "system-verb":
            return f"{store.system}.{query.verb.lower()}"
        case _:
            return query.verb


def publish_name(publish: Publish, style: Style) -> str:
    """Return the name of a producer span."""
    return f"{publish.topic} send" if style.convention == "old" else f"send {publish.topic}"


def http_client(method: str, host: str, path: str, style: Style, status: int | None) -> Named:
    """Return the attributes of an outgoing HTTP request."""
    url = f"http://{host}{path}"
    if style.convention in ("old", "opentracing"):
        named: Named = {"http.method": method, "http.url": url}
        named["peer.hostname" if style.convention == "opentracing" else "net.peer.name"] = host
        if style.convention == "opentracing":
            named["peer.service"] = host.split(".", maxsplit=1)[0]
        if status is not None:
            named["http.status_code"] = status
        return named
    named = {"http.request.method": method, "url.full": url, "server.address": host, "server.port": 8080}
    if status is not None:
        named["http.response.status_code"] = status
    return named


def http_server(operation: Operation, path: str, style: Style, status: int) -> Named:
    """Return the attributes of a served HTTP request."""
    if style.convention == "new":
        return {
            "http.request.method": operation.method, "http.route": operation.route, "url.path": path, "url.scheme": "http",
            "http.response.status_code": status, "user_agent.original": f"{style.language}-client/2.1",
        }  # fmt: skip
    if style.convention == "opentracing":
        return {"http.method": operation.method, "http.url": path, "http.status_code": status, "component": "servlet"}
    return {
        "http.method": operation.method, "http.route": operation.route, "http.target": path, "http.scheme": "http",
        "http.status_code": status,
    }  # fmt: skip


def rpc(operation: Operation, style: Style, failure: Failure | None) -> Named:
    """Return the attributes of a gRPC call, on either side."""
    named: Named = {"rpc.system": "grpc", "rpc.service": operation.route, "rpc.method": operation.method}
    if style.convention == "opentracing":
        return {"component": "grpc"}
    named["rpc.grpc.status_code"] = failure.grpc if failure is not None else 0
    return named


def statement(query: Query, style: Style, values: tuple[int, ...]) -> Named:
    """Return the attributes of a database or cache call."""
    old = style.convention in ("old", "opentracing", "mixed")
    marks = [str(v) if style.literals else ("$1" if query.store.system == "postgresql" else "?") for v in values]
    text = query.text.replace("{{}}", marks[0])
    for mark in marks:
        text = text.replace("{}", mark, 1)
    if query.store.system in ("redis", "memcached"):
        text = query.text.replace("{}", str(values[0])) if style.literals else f"{query.verb} ?"
    named: Named = {"db.system" if old else "db.system.name": query.store.system}
    if text:
        named["db.statement" if old else "db.query.text"] = text
    if query.store.system in SQL:
        named["db.name" if old else "db.namespace"] = query.store.name.split("-")[0]
    named["net.peer.name" if old else "server.address"] = query.store.host
    return named


def messaging(system: str, topic: str, operation: str, style: Style) -> Named:
    """Return the attributes of a message sent or processed."""
    if style.convention in ("old", "opentracing"):
        return {"messaging.system": system, "messaging.destination": topic, "messaging.operation": operation}
    return {"messaging.system": system, "messaging.destination.name": topic, "messaging.operation.type": operation}
