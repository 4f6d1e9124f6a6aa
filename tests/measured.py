"""The bot's metrics: as Prometheus reads them, and by how much they change while something happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from bot.telemetry import metrics

if TYPE_CHECKING:
    from world import World


class Watch:
    """Says by how much measurements changed since it was made."""

    def __init__(self) -> None:
        self._before = self._read()

    @staticmethod
    def _read() -> dict[tuple, float]:
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in metrics.REGISTRY.collect()
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        """Return the change of one measurement."""
        key = (name, *sorted(labels.items()))
        return self._read().get(key, 0.0) - self._before.get(key, 0.0)


async def scrape(world: World, accept: str = "") -> tuple[str, str]:
    """Read the metrics as Prometheus does; returns content type and text."""
    url = f"http://127.0.0.1:{world.bot.ops.port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url, headers={"Accept": accept}) as response:
        assert response.status == 200
        return response.headers["Content-Type"], await response.text()
