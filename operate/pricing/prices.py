"""What AWS asks, by region: the table that comes with this program, and what a user says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from operate.errors import InvalidRequestError
from ring.settings.errors import did_you_mean
from ring.settings.yaml_text import read_yaml

SHIPPED = Path(__file__).parent / "prices.yaml"
_STAND_IN = "us-east-1"


@dataclass(frozen=True)
class Prices:
    """In US dollars.

    write, replicated_write, read, requests, gb_seconds, transitions and puts are of a million,
    transfer, internet and logs of a GB, metrics, alarms (by the metrics that they look at) and
    dashboards of one and a month.
    """

    write: float
    replicated_write: float
    read: float
    requests: float
    gb_seconds: float
    transfer: float
    logs: float
    metrics: float
    internet: float
    transitions: float
    puts: float
    alarms: float
    dashboards: float


NAMES = tuple(one.name for one in fields(Prices))
_MAX_PRICE = 1e9
"""US dollars a unit; a mistake where it is more."""


@dataclass
class PriceList:
    """The prices of regions, and since when they are known."""

    date: str
    regions: dict[str, Prices]
    changed: dict[str, dict[str, float]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path = SHIPPED) -> PriceList:
        """Read a file of the form of `prices.yaml`. InvalidRequestError if it is none."""
        try:
            document = read_yaml(path)
            regions = {
                name: Prices(**{key: _price(value) for key, value in listed.items()})
                for name, listed in document["regions"].items()
            }
            return cls(str(document["date"]), regions)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise InvalidRequestError(
                f"{path} is no price list: {error}. It needs `date:` and, under `regions:`, for "
                f"each region {', '.join(NAMES)}; {SHIPPED} is one."
            ) from error

    def change(self, texts: Iterable[str]) -> None:
        """Take prices such as `write=0.7` or `eu-west-1.write=0.7`. Raises InvalidRequestError."""
        for text in texts:
            path, _, value = text.partition("=")
            region, _, name = path.rpartition(".")
            if name not in NAMES:
                raise InvalidRequestError(
                    f"--price {text}: there is no {name!r}. {', '.join(NAMES)}"
                )
            try:
                price = _price(value)
            except ValueError as error:
                raise InvalidRequestError(f"--price {text}: {error}.") from error
            self.changed.setdefault(region, {})[name] = price

    def of_all(self, regions: Sequence[str]) -> list[Prices]:
        """Return the prices of these regions. Raises InvalidRequestError if others were changed."""
        for region in self.changed:
            if region and region not in regions:
                hint = did_you_mean(region, dict.fromkeys(regions), among="Members are in")
                raise InvalidRequestError(f"--price {region}.…: no member is in {region}. {hint}")
        return [self.of(region) for region in regions]

    def of(self, region: str) -> Prices:
        """The prices of a region: its own, or where none are known, those of us-east-1."""
        prices = self.regions.get(region) or self.regions.get(_STAND_IN)
        own: Mapping[str, Any] = self.changed.get("", {}) | self.changed.get(region, {})
        if prices is None:
            if set(own) < set(NAMES):
                raise InvalidRequestError(
                    f"No prices of {region} are known: say them in --prices FILE."
                )
            return Prices(**own)
        return replace(prices, **own)

    def regions_without_prices(self, regions: Iterable[str]) -> list[str]:
        """Those of some regions whose prices are not known, in whole or in part."""
        said = {name: self.changed.get("", {}) | self.changed.get(name, {}) for name in regions}
        return [
            name
            for name, own in said.items()
            if name not in self.regions and set(own) != set(NAMES)
        ]


def _price(value: Any) -> float:
    price = float(value)
    if not 0 <= price <= _MAX_PRICE:
        raise ValueError(f"{value!r} is no price")
    return price
