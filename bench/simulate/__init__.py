"""A simulator of distributed systems: labelled pairs of traces, healthy and with one fault each.

    program.py          what a system consists of: services, stores, operations as small programs
    topology.py         random systems          styles.py   how they are instrumented
    execution.py        runs one request in virtual time, under `conditions.py`
    instrumentation.py  what of that the spans show (names and attributes: naming.py)
    faults/             one function per fault
    labels.py           what an expert would say about a pair
    pairs.py            labelled pairs and populations; `python -m bench.simulate` writes them as files
    wire.py             Jaeger and OTLP JSON, readable trees
    big.py              traces of any size for the benchmarks of speed

Everything follows from seeds; nothing here is used by the product.
"""
