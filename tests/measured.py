"""By how much the bot's metrics change while something happens."""

from __future__ import annotations

from bot import metrics


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
