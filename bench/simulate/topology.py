"""Random systems: which services there are, what their operations do, whom they call.

Services are layered so that nobody calls himself; an operation may be called from several places. Every choice
follows from the seed.
"""

from __future__ import annotations

import random
from itertools import count

from bench.simulate.program import (
    Branch,
    Cached,
    Inner,
    Instance,
    Operation,
    Parallel,
    Publish,
    Query,
    Remote,
    Repeat,
    Service,
    Step,
    Store,
    Work,
    World,
    inner_steps,
)
from bench.simulate.styles import make_styles
from bench.simulate.vocabulary import COLUMNS, DOMAINS, INNER, LETTERS, NOUNS, THIRD_PARTIES, VERBS, ZONES

SIZES = ((2, 3), (3, 5), (4, 7), (5, 9), (7, 13), (12, 30))  # services: from tiny to large
DATABASES = ("postgresql", "mysql", "mongodb", "cassandra", "elasticsearch", "dynamodb", "mssql")
CACHES = ("redis", "redis", "memcached")
BROKERS = ("kafka", "rabbitmq", "aws_sqs", "nats")


MOST_CALLS = 2_500  # a request with more is drawn again; big traces are made by `big.py`


def make_world(seed: int) -> World:
    """Return the system of a seed."""
    for attempt in count():
        world = _Builder(random.Random((seed * 64 + attempt) * 7919 + 13), seed).world()
        if 2 <= _calls(world.root.steps) <= MOST_CALLS:
            return world
    raise AssertionError("count() never ends")


def _calls(steps: tuple[Step, ...]) -> int:
    """Return about how many calls some steps make."""
    total = 0
    for step in steps:
        times = step.count if isinstance(step, Repeat) else 1
        total += times * _calls(inner_steps(step))
        if isinstance(step, Query):
            total += 1
        elif isinstance(step, Remote):
            total += 1 + _calls(step.operation.steps)
        elif isinstance(step, Publish):
            total += 1 + _calls(step.consumer.steps)
    return total


class _Builder:
    def __init__(self, rng: random.Random, seed: int) -> None:
        self.rng = rng
        self.seed = seed
        self.ids = count(1)
        self.pace = rng.lognormvariate(0.2, 1.2)  # how slow this system is altogether
        self.services: list[Service] = []
        self.stores: list[Store] = []
        self.operations: list[Operation] = []
        self.layer_of: dict[str, int] = {}
        self.by_size = rng.random() < 0.6

    def world(self) -> World:
        rng = self.rng
        self._services(rng.randint(*rng.choice(SIZES)))
        self._stores()
        depth = rng.choice((2, 3, 3, 4, 4, 5, 6, 8))
        protocol = rng.choices(("http", "grpc", "consumer", "job"), (70, 8, 10, 12))[0]
        self.budget = rng.choice((4, 8, 15, 25, 40, 60))  # calls below the root, roughly
        root = self._operation(self.services[0], depth, protocol)
        self.budget = rng.choice((4, 8, 15))
        sibling = self._operation(self.services[0], depth, "http")
        caller = rng.choice(("", "", "", "", "browser", "load-generator")) if protocol in ("http", "grpc") else ""
        return World(
            seed=self.seed,
            services=self.services,
            stores=self.stores,
            operations=self.operations,
            root=root,
            sibling=sibling,
            caller=caller,
            noise=rng.uniform(0.08, 0.3),
            size_spread=rng.choice((0.0, 0.15, 0.3)),
            network_ms=rng.uniform(0.08, 0.5),
        )

    # Parts ---------------------------------------------------------------------------------------

    def _services(self, number: int) -> None:
        rng = self.rng
        names = list(rng.choice(tuple(DOMAINS.values())))
        rng.shuffle(names)
        names += [f"{a}-{b}" for a in names[:8] for b in ("worker", "adapter")]
        suffix = rng.choice(("", "", "", "-service", "svc", "-api"))
        styles = make_styles(rng, number)
        nodes = [f"node-{i}" for i in range(rng.randint(2, 6))]
        for index in range(number):
            name = (
                rng.choice(("gateway", "web-bff", "edge-api", "frontend")) if index == 0 else names[index - 1] + suffix
            )
            version = f"{rng.randint(0, 4)}.{rng.randint(0, 30)}.{rng.randint(0, 9)}"
            service = Service(name, version, styles[index])
            template = "".join(rng.choices(LETTERS, k=9))
            for _ in range(rng.choice((1, 1, 2, 3, 5))):
                node = rng.choice(nodes)
                service.instances.append(
                    Instance(
                        service,
                        pod=f"{name}-{template}-{''.join(rng.choices(LETTERS, k=5))}",
                        host=node,
                        zone=ZONES[nodes.index(node) % 3],
                        address=f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
                        slowness=rng.lognormvariate(0.0, 0.08),
                    )
                )
            self.services.append(service)
            self.layer_of[name] = index

    def _stores(self) -> None:
        rng = self.rng
        for _ in range(rng.randint(1, 4)):
            system = rng.choice(DATABASES)
            name = f"{rng.choice(NOUNS)}-{system}"
            self.stores.append(Store(name, system, f"{name}.data.svc", rng.uniform(0.05, 0.6)))
        self.cache = Store("cache", rng.choice(CACHES), "cache.data.svc", rng.uniform(0.05, 0.2))
        self.broker = Store("broker", rng.choice(BROKERS), "broker.data.svc", rng.uniform(0.1, 0.5))
        self.third = Store("third", "http", rng.choice(THIRD_PARTIES), rng.uniform(4, 30))

    def _operation(self, service: Service, depth: int, protocol: str = "") -> Operation:
        rng = self.rng
        protocol = protocol or rng.choices(("http", "grpc"), (70, 30))[0]
        noun, verb = rng.choice(NOUNS), rng.choice(VERBS)
        handler = f"{verb}_{noun}"
        if protocol == "http":
            method = rng.choice(("GET", "GET", "GET", "POST", "PUT"))
            route = f"/{rng.choice(('api/', 'v1/', ''))}{service.name.split('-')[0]}/{noun}"
            route += rng.choice(("", "/{id}", "/{id}", "/search"))
        elif protocol == "grpc":
            method = verb.capitalize() + noun.capitalize()
            route = f"{rng.choice(('acme.v1', 'internal', 'core'))}.{service.name.title().replace('-', '')}"
        elif protocol == "consumer":
            method, route = "process", f"{noun}.{rng.choice(('created', 'changed', 'requested'))}"
        else:
            method, route = "run", f"{verb}-{noun}"
        operation = Operation(
            next(self.ids), service, protocol, method, route, handler,
            request_bytes=rng.randint(80, 2_000), response_bytes=int(rng.lognormvariate(7.5, 1.3)),
        )  # fmt: skip
        operation.steps = self._steps(service, depth)
        self.operations.append(operation)
        return operation

    # Programs --------------------------------------------------------------------------------------

    def _steps(self, service: Service, depth: int) -> tuple[Step, ...]:
        rng = self.rng
        steps: list[Step] = [self._work(0.4)]
        for _ in range(rng.randint(1, 4) if depth > 1 else rng.randint(0, 3)):
            if self.budget <= 0:
                break
            steps.append(self._block(service, depth))
            if rng.random() < 0.6:
                steps.append(self._work(0.3))
        steps.append(self._work(0.5))
        return tuple(steps)

    def _block(self, service: Service, depth: int) -> Step:
        rng = self.rng
        below = [s for s in self.services if self.layer_of[s.name] > self.layer_of[service.name]]
        remote = depth > 1 and below
        kinds = ["query", "cached", "repeat", "inner", "third", "publish", "branch"]
        weights = [30, 14, 8, 8, 4, 5, 4]
        if remote:
            kinds += ["remote", "parallel", "repeat-remote"]
            weights += [60, 26, 6]
        kind = rng.choices(kinds, weights)[0]
        next_id = next(self.ids)
        match kind:
            case "remote":
                return self._remote(service, depth)
            case "parallel":
                return Parallel(next_id, tuple(self._call(service, depth) for _ in range(rng.randint(2, 6))))
            case "repeat-remote":
                return Repeat(next_id, rng.randint(2, 5), (self._remote(service, 2),), by_size=self.by_size)
            case "repeat":
                times = rng.choice((2, 2, 3, 4, 6, 12, 40))
                self.budget -= times // 2
                return Repeat(next_id, times, (self._query(),), by_size=self.by_size)
            case "cached":
                miss: tuple[Step, ...] = (self._query(),)
                if rng.random() < 0.5:
                    miss = (*miss, self._cache("SET"))
                return Cached(next_id, self._cache("GET"), miss, rng.choice((0.6, 0.9, 0.97, 0.99)))
            case "inner":
                inside: tuple[Step, ...] = (self._work(1.0),)
                if rng.random() < 0.5:
                    inside = (self._work(0.2), self._query(), self._work(0.2))
                return Inner(next_id, rng.choice(INNER), inside)
            case "branch":
                return Branch(next_id, rng.choice((0.1, 0.5, 0.9)), (self._query(),), (self._work(0.5),))
            case "third":
                return self._third_party()
            case "publish":
                return self._publish(service, below)
            case _:
                return self._query()

    def _call(self, service: Service, depth: int) -> Step:
        return self._remote(service, depth) if self.rng.random() < 0.75 else self._query()

    def _remote(self, service: Service, depth: int) -> Remote:
        rng = self.rng
        layer = self.layer_of[service.name]
        self.budget -= 1
        known = [
            o for o in self.operations
            if self.layer_of[o.service.name] > layer and o.protocol in ("http", "grpc")
        ]  # fmt: skip
        if known and (rng.random() < 0.3 or self.budget <= 0):
            target = rng.choice(known)
        else:
            target = self._operation(rng.choice(self.services[layer + 1 :]), depth - 1 if self.budget > 0 else 1)
        return Remote(next(self.ids), target, critical=rng.random() < 0.75)

    def _work(self, scale: float) -> Work:
        return Work(next(self.ids), self.rng.lognormvariate(0.0, 0.7) * scale * self.pace)

    def _query(self) -> Query:
        rng = self.rng
        self.budget -= 1
        store, table = rng.choice(self.stores), rng.choice(NOUNS)
        some, where = rng.sample(COLUMNS, 3), rng.choice(COLUMNS)
        ms = rng.lognormvariate(0.0, 0.9) * 2.0 * self.pace
        match store.system:
            case "mongodb":
                verb = rng.choice(("find", "aggregate", "update"))
                text = f'{{"{verb}":"{table}","filter":{{"{where}":"{{}}"}}}}'
            case "elasticsearch":
                verb, text = "search", f'{{"query":{{"term":{{"{where}":"{{}}"}}}}}}'
            case "dynamodb":
                verb, text = rng.choice(("GetItem", "Query", "PutItem")), ""
            case _:
                verb = rng.choices(("SELECT", "INSERT", "UPDATE"), (75, 15, 10))[0]
                text = {
                    "SELECT": f"SELECT {', '.join(some)} FROM {table} WHERE {where} = {{}}",
                    "INSERT": f"INSERT INTO {table} ({', '.join(some)}) VALUES ({{}}, {{}}, {{}})",
                    "UPDATE": f"UPDATE {table} SET {some[0]} = {{}} WHERE {where} = {{}}",
                }[verb]
        return Query(next(self.ids), store, verb, table, text, ms, critical=rng.random() < 0.85)

    def _cache(self, verb: str) -> Query:
        prefix = self.rng.choice(NOUNS)
        return Query(
            next(self.ids),
            self.cache,
            verb,
            prefix,
            f"{verb} {prefix}:{{}}",
            self.rng.uniform(0.1, 0.5),
            critical=False,
        )

    def _third_party(self) -> Query:
        rng = self.rng
        self.budget -= 1
        path = f"/v{rng.randint(1, 3)}/{rng.choice(NOUNS)}"
        ms = rng.lognormvariate(3.0, 0.6)
        return Query(next(self.ids), self.third, rng.choice(("GET", "POST")), path, "", ms, critical=rng.random() < 0.7)

    def _publish(self, service: Service, below: list[Service]) -> Publish:
        rng = self.rng
        saved, self.budget = self.budget, min(self.budget, 3)
        consumer = self._operation(rng.choice(below or [service]), 1, "consumer")
        self.budget = saved - 2
        return Publish(next(self.ids), self.broker, consumer.route, consumer, rng.uniform(0.5, 8.0))
