"""How the services of one system are instrumented: an ecosystem of habits with exceptions, as companies have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bench.simulate.program import Style
from bench.simulate.vocabulary import LANGUAGES

if TYPE_CHECKING:
    import random


def make_styles(rng: random.Random, number: int) -> list[Style]:
    """Return a style for each of `number` services."""
    kind = rng.choices(("otel", "mixed", "mesh-only", "mesh-and-app", "zipkin", "opentracing"), (45, 25, 5, 8, 7, 10))[
        0
    ]
    resources = rng.choices(("k8s", "host", "bare"), (65, 25, 10))[0]
    house = _style(rng, kind, resources)
    styles = []
    for _ in range(number):
        style = house if rng.random() < (0.6 if kind != "mixed" else 0.2) else _style(rng, kind, resources)
        styles.append(_exceptions(rng, replace(style, language=rng.choice(LANGUAGES)), kind))
    return styles


def _style(rng: random.Random, kind: str, resources: str) -> Style:
    if kind == "zipkin":
        return Style(
            "java", "old", server_name="verb", client_name="verb", query_name=rng.choice(("verb", "database")),
            shared_ids=rng.random() < 0.7, resolution_ns=1_000, resources=resources,
        )  # fmt: skip
    if kind == "opentracing":
        return Style(
            "java", "opentracing", server_name=rng.choice(("handler", "verb", "method-route")),
            client_name=rng.choice(("verb", "http-method")), query_name=rng.choice(("verb", "system-verb")),
            kinds=rng.random() < 0.7, resolution_ns=1_000, resources=resources,
        )  # fmt: skip
    mesh = kind.startswith("mesh")
    return Style(
        "java",
        rng.choices(("new", "old", "mixed"), (50, 35, 15))[0],
        server_name=rng.choices(("method-route", "route", "http-method", "handler"), (70, 12, 8, 10))[0],
        client_name=rng.choices(("method", "http-method", "method-host", "method-template"), (55, 20, 12, 13))[0],
        query_name=rng.choices(("verb", "verb-target", "verb-database", "database", "system-verb"), (35, 25, 20, 8, 12))[0],
        literals=rng.random() < 0.25,
        server_spans=kind != "mesh-only",
        client_spans=kind != "mesh-only",
        query_spans=kind != "mesh-only",
        asgi=rng.random() < 0.15,
        controller=rng.random() < 0.2,
        housekeeping=rng.random() < 0.12,
        mesh=mesh,
        resolution_ns=rng.choices((1, 1_000, 1_000_000), (70, 25, 5))[0],
        resources=resources,
    )  # fmt: skip


def _exceptions(rng: random.Random, style: Style, kind: str) -> Style:
    """Some services lack some spans: nobody installed that instrumentation."""
    if kind == "mesh-only":
        return style
    if rng.random() < 0.10:
        style = replace(style, client_spans=False)
    if rng.random() < 0.10:
        style = replace(style, query_spans=False)
    if rng.random() < 0.04:
        style = replace(style, server_spans=False)
    return style
