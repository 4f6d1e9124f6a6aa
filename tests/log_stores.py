"""Log stores for tests: local servers that hold lines and answer the questions that the bot asks.

No Loki can be had from pip, npm or Debian, so its half answers in the shape that its documentation gives ("Loki HTTP
API", `query_range`, result type `streams`) and evaluates what of LogQL the bot uses. Nor can an Elasticsearch or an
OpenSearch: its half answers in the shape of the reference of both ("Search API", response body) and evaluates what of the
query language the bot uses, over documents in the shapes of ECS, of OpenTelemetry's data streams and of Fluent Bit.
"""

from __future__ import annotations

import re
from contextlib import asynccontextmanager

from aiohttp import web
from msgspec import Struct
from world import serve

NS = 10**9


class Entry(Struct, frozen=True, kw_only=True):
    """A line in a log store: when (unix s), of whom, and what the store knows beside it."""

    at: float
    service: str
    text: str
    known: dict[str, str] = {}


class Loki:
    """A Loki that holds lines; without `levels` it is an old one, which knows none."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self.asked: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        """Answer `labels` and `query_range`."""
        if request.path.endswith("/labels"):
            return web.json_response({"status": "success", "data": ["service_name"]})
        query = dict(request.query)
        self.asked.append(query)
        start, end, limit = int(query["start"]), int(query["end"]), int(query["limit"])
        found = [its for its in self.entries if start <= its.at * NS < end and matches(query["query"], its)]
        newest = sorted(found, key=lambda its: -its.at)[:limit]
        streams: dict[tuple, list] = {}
        for its in newest:
            streams.setdefault(tuple(({"service_name": its.service} | its.known).items()), []).append(
                [str(int(its.at * NS)), its.text]
            )
        result = [{"stream": dict(labels), "values": values} for labels, values in streams.items()]
        return web.json_response(
            {"status": "success", "data": {"resultType": "streams", "result": result, "stats": {}}}
        )


def matches(query: str, entry: Entry) -> bool:
    """Evaluate a query of the form `{label=~"re"} |= "text"`, `|~ "re"` or `| label=~"re" or label="text"`."""
    selector, rest = re.fullmatch(r'\{((?:[^"}]|"[^"]*")*)\}\s*(.*)', query, re.DOTALL).groups()
    labels = {"service_name": entry.service} | entry.known
    if not all(_matcher(each, labels) for each in re.findall(r'\w+=~?"[^"]*"', selector)):
        return False
    if rest.startswith("|="):
        return _text(rest[2:]) in entry.text
    if rest.startswith("|~"):
        return re.search(_text(rest[2:]), entry.text) is not None
    return any(_matcher(each, labels) for each in re.findall(r'\w+=~?"[^"]*"', rest))


def _matcher(matcher: str, labels: dict[str, str]) -> bool:
    name, regex, value = re.fullmatch(r'(\w+)=(~?)(".*")', matcher).groups()
    said, wanted = labels.get(name, ""), _text(value)
    return re.fullmatch(wanted, said) is not None if regex else said == wanted


def _text(quoted: str) -> str:
    """Read a string literal: nothing but hexadecimal escapes may stand in it."""
    inner = re.fullmatch(r'"((?:[^"\\]|\\x[0-9a-f]{2})*)"', quoted.strip()).group(1)
    return re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match.group(1), 16)), inner)


class Elastic:
    """An Elasticsearch that holds documents, by the word: no analysis, and numbers are no words."""

    def __init__(self, documents: list[dict]) -> None:
        self.documents = documents
        self.asked: list[dict] = []
        self.paths: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        """Answer `_search`."""
        self.paths.append(request.path_qs)
        question = await request.json() if request.can_read_body else {"query": {"bool": {"filter": []}}, "size": 0}
        self.asked.append(question)
        found = [its for its in self.documents if fits(question["query"], its)]
        found.sort(key=lambda its: at(its, "@timestamp"), reverse=True)
        hits = [
            {"_index": "logs", "_id": str(i), "_score": None, "_source": its, "sort": [0]}
            for i, its in enumerate(found[: question["size"]])
        ]
        shards = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
        return web.json_response(
            {"took": 3, "timed_out": False, "_shards": shards, "hits": {"max_score": None, "hits": hits}}
        )


def fits(query: dict, document: dict) -> bool:
    """Evaluate a query of `bool`, `range`, `terms` and `multi_match`."""
    ((kind, its),) = query.items()
    if kind == "bool":
        some = its.get("should", [])
        return all(fits(each, document) for each in its.get("filter", [])) and (
            not some or any(fits(each, document) for each in some)
        )
    if kind == "query_string":
        return its["query"] == 'deployed AND "catalog"'
    if kind == "multi_match":
        return any(its["query"] in str(at(document, name)).split() for name in its["fields"])
    ((name, asked),) = its.items()
    said = at(document, name)
    if kind == "terms":
        return said in asked
    if kind == "range" and said is not None:
        return (asked["gte"] <= said <= asked["lte"]) if "lte" in asked else said >= asked["gte"]
    return False


def at(document: dict, name: str):
    """Return a field of a document, which may be nested."""
    if name in document:
        return document[name]
    head, _, rest = name.partition(".")
    inner = document.get(head)
    return at(inner, rest) if rest and isinstance(inner, dict) else None


@asynccontextmanager
async def store(its):
    """Serve a log store; yields its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", its.answer)
    async with serve(app) as url:
        yield url
