"""A real Prometheus that holds what the tests want it to have seen: span metrics of all generations."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from metrics_setup import find
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BASE_PATH = "/prom"  # as behind a proxy
SCRAPE_S = 60
BOUNDS_MS = (2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500)


def at(text: str) -> int:
    """Return a time of the sample traces' night as unix seconds."""
    return int(datetime.fromisoformat(f"2026-11-24T{text}+00:00").timestamp())


FIRST, LAST = at("02:00:00") - 6 * 3600, at("02:50:00")


class Traffic(Struct, frozen=True, kw_only=True):
    """How one operation's requests went: how long those of each minute took (ms), and how many of ten failed."""

    service: str
    operation: str
    took_ms: Callable[[int], list[float]]
    failed: Callable[[int], int] = lambda _: 0
    generation: str = "tempo"


NAMES = {  # generation -> (histogram, bounds in, counter, label of the service, label of the operation)
    "tempo": ("traces_spanmetrics_latency", "s", "traces_spanmetrics_calls", "service", "span_name"),
    "connector": ("traces_span_metrics_duration_milliseconds", "ms", "traces_span_metrics_calls", "service_name", "span_name"),
    "processor": ("latency", "ms", "calls", "service_name", "operation"),
}  # fmt: skip


def openmetrics(traffic: list[Traffic], more: str = "") -> str:
    """Write down what a scrape of every minute would have seen."""
    lines: list[str] = []
    for its in traffic:
        histogram, unit, counter, service, operation = NAMES[its.generation]
        labels = f'{service}="{_label(its.service)}",{operation}="{_label(its.operation)}"'
        lines += [f"# TYPE {histogram} histogram", f"# TYPE {counter} counter"]
        counts = dict.fromkeys([*BOUNDS_MS, float("inf")], 0)
        good = bad = 0
        for second in range(FIRST, LAST, SCRAPE_S):
            requests = its.took_ms(second)
            for bound in counts:
                counts[bound] += sum(took <= bound for took in requests)
            failed = len(requests) * its.failed(second) // 10
            good, bad = good + len(requests) - failed, bad + failed
            lines += [
                f'{histogram}_bucket{{{labels},le="{_le(bound, unit)}"}} {count} {second}'
                for bound, count in counts.items()
            ]
            lines.append(f'{counter}_total{{{labels},status_code="STATUS_CODE_UNSET"}} {good} {second}')
            if bad:
                lines.append(f'{counter}_total{{{labels},status_code="STATUS_CODE_ERROR"}} {bad} {second}')
    head = sorted({line for line in lines if line.startswith("#")})
    families = {line.split()[2]: [line] for line in head}
    for line in lines:
        if not line.startswith("#"):
            name = line.split("{")[0].removesuffix("_bucket").removesuffix("_total")
            families[name].append(line)
    return "\n".join([*(line for family in families.values() for line in family), *more.splitlines(), "# EOF", ""])


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _le(bound_ms: float, unit: str) -> str:
    if bound_ms == float("inf"):
        return "+Inf"
    return str(bound_ms / 1_000) if unit == "s" else str(float(bound_ms))


@contextmanager
def prometheus(folder: Path, text: str) -> Iterator[str]:
    """Run a Prometheus that has seen this; yields its address, with a base path."""
    programs = find()
    if programs is None:
        say = pytest.fail if shutil.which("apt-get") or os.environ.get("CI") else pytest.skip
        say("there is no Prometheus: run `python tests/metrics_setup.py`, or install the package `prometheus`")
    (folder / "seen.txt").write_text(text)
    data, config = folder / "data", folder / "prometheus.yml"
    subprocess.run(
        [programs / "promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", folder / "seen.txt", data],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    config.write_text("{}")
    port = _free_port()
    url = f"http://127.0.0.1:{port}{BASE_PATH}"
    server = subprocess.Popen(
        [
            programs / "prometheus", f"--config.file={config}", f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}",
            f"--web.external-url={url}", "--log.level=error",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(f"{url}/-/ready", server)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    ending = time.monotonic() + 60
    while time.monotonic() < ending:
        if server.poll() is not None:
            raise RuntimeError(f"Prometheus ended with status {server.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own address
                if response.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("Prometheus does not become ready")


def level_from(
    moment: str, before_ms: float, after_ms: float, share: float = 1.0, rate: int = 20
) -> Callable[[int], list[float]]:
    """Return requests of which from a moment on a share takes another time."""
    since = at(moment)

    def took(second: int) -> list[float]:
        slow = round(rate * share) if second >= since else 0
        return [after_ms] * slow + [before_ms] * (rate - slow)

    return took
