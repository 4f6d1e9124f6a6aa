"""What a simulated system consists of: services on instances, and operations as small programs of steps.

An operation's steps say what its handler does, in order. Faults never change a program: they replace or
insert steps by id for one execution (`conditions.py`), so the same request can run with and without a fault.

    GET /orders/{id}                       Operation of service "orders"
      Work(0.4)                            own CPU time
      Cached(GET order:{id})               a look-up; on a miss:
        Query(SELECT ... FROM orders)        a leaf call: database, cache, third party
      Parallel
        Remote(GET /users/{id})            an operation of another service
        Remote(Pricing/Quote)
      Repeat(items)                        as many times as the request has items
        Query(INSERT ...)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, eq=False, slots=True)
class Instance:
    """One process of a service: a pod on a node, or a process on a host."""

    service: Service
    pod: str
    host: str
    zone: str
    address: str
    slowness: float  # 1.0 = as fast as its service usually is


@dataclass(eq=False, slots=True)
class Service:
    """An application with its replicas; `style` (see `instrumentation.py`) says how it emits spans."""

    name: str
    version: str
    style: Style
    instances: list[Instance] = field(default_factory=list)


@dataclass(frozen=True, eq=False, slots=True)
class Store:
    """Something that is called and sends no spans: a database, a cache, a broker, a third party."""

    name: str
    system: str  # as in db.system; "http" for third parties; "kafka", "rabbitmq", ... for brokers
    host: str
    distance_ms: float  # one way


@dataclass(frozen=True, slots=True)
class Style:
    """How one service is instrumented."""

    language: str
    convention: str = "new"  # "new" | "old" | "mixed" semantic conventions | "opentracing"
    server_name: str = "method-route"  # | "route" | "http-method" | "handler" | "verb"
    client_name: str = "method"  # | "http-method" | "method-host" | "method-template" | "verb"
    query_name: str = "verb"  # | "verb-target" | "verb-database" | "database" | "system-verb"
    literals: bool = False  # statements with their values, as some instrumentations send them
    server_spans: bool = True
    client_spans: bool = True
    query_spans: bool = True
    asgi: bool = False  # `http receive` / `http send` children
    controller: bool = False  # an internal span around the handler
    housekeeping: bool = False  # pool and connection spans around statements
    mesh: bool = False  # sidecars send spans too
    shared_ids: bool = False  # Zipkin: client and server span have one id
    kinds: bool = True  # False: no span kind at all
    resolution_ns: int = 1
    resources: str = "k8s"  # | "host" | "bare"


@dataclass(frozen=True, eq=False, slots=True)
class Work:
    """The handler computes; takes longer on a slow or throttled instance."""

    id: int
    ms: float
    faulty: bool = False
    exact: bool = False  # without noise


@dataclass(frozen=True, eq=False, slots=True)
class Wait:
    """The handler waits without computing: a lock, a sleep, a pool."""

    id: int
    ms: float
    faulty: bool = False
    span: str = ""  # name of the span that shows the wait; "" = nothing shows it


@dataclass(frozen=True, eq=False, slots=True)
class Query:
    """A leaf call to a store."""

    id: int
    store: Store
    verb: str
    target: str  # table, key prefix, path
    text: str  # `{}` stands for a value
    ms: float
    critical: bool = True  # its failure fails the handler
    faulty: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Remote:
    """A call to an operation of another service."""

    id: int
    operation: Operation
    critical: bool = True
    faulty: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Parallel:
    """Steps that run at the same time, at most `width` of them (0 = all)."""

    id: int
    steps: tuple[Step, ...]
    width: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Repeat:
    """The same steps `count` times in a row; `by_size`: times the size of the request."""

    id: int
    count: int
    steps: tuple[Step, ...]
    by_size: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Cached:
    """A cache look-up; `miss` runs when the cache has nothing."""

    id: int
    lookup: Query
    miss: tuple[Step, ...]
    hit_rate: float


@dataclass(frozen=True, eq=False, slots=True)
class Inner:
    """Steps under an internal span."""

    id: int
    name: str
    steps: tuple[Step, ...]
    faulty: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Branch:
    """One of two paths, by chance of the request (an existing or a new customer)."""

    id: int
    share: float  # how often `steps` run
    steps: tuple[Step, ...]
    otherwise: tuple[Step, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Publish:
    """A message to a topic; its consumer runs later and nobody waits for it."""

    id: int
    broker: Store
    topic: str
    consumer: Operation
    lag_ms: float


Step: TypeAlias = "Work | Wait | Query | Remote | Parallel | Repeat | Cached | Inner | Branch | Publish"


@dataclass(eq=False, slots=True)
class Operation:
    """What a service does for one kind of request."""

    id: int
    service: Service
    protocol: str  # "http" | "grpc" | "consumer" | "job"
    method: str  # "GET", or the gRPC method
    route: str  # "/orders/{id}", the gRPC service, the topic, the job's name
    handler: str  # the function behind it
    steps: tuple[Step, ...] = ()
    request_bytes: int = 300
    response_bytes: int = 2_000


@dataclass(eq=False, slots=True)
class World:
    """A whole system, and the operation whose requests are traced."""

    seed: int
    services: list[Service]
    stores: list[Store]
    operations: list[Operation]
    root: Operation
    sibling: Operation  # another request that the root's service serves
    caller: str  # "" or the kind of client that starts the trace: "browser", "load-generator", "gateway"
    noise: float  # sigma of the log-normal noise of one operation
    size_spread: float  # sigma of the request's size
    network_ms: float  # one way inside a zone


def inner_steps(step: Step) -> tuple[Step, ...]:
    """Return the steps directly inside a step."""
    match step:
        case Parallel() | Repeat() | Inner():
            return step.steps
        case Branch():
            return step.steps + step.otherwise
        case Cached():
            return (step.lookup, *step.miss)
        case _:
            return ()
