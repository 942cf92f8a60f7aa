"""Everything that the simulated services share."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from simulator.clock import Clock
from simulator.config import Config
from simulator.faults import Faults
from simulator.journal import Journal
from simulator.rap.scheduler import Scheduler
from simulator.repositories import Repositories
from simulator.store import Store


@dataclass
class World:
    """The state of the outside world, and the clock that drives it."""

    config: Config
    store: Store
    repositories: Repositories
    scheduler: Scheduler
    clock: Clock
    base_url: str
    smtp_port: int = 0
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)

    @property
    def stale_codelists(self) -> list[str]:
        """Codelists that have changed at OpenCodelists since studies fetched them."""
        stale: list[str] = self.store.setting("stale_codelists", self.config.simulator.stale_codelists)
        return stale

    @property
    def allowed_hosts(self) -> list[str]:
        """Host names that the controller answers to, beside this machine's own."""
        return [*self.config.simulator.allowed_hosts, urlsplit(self.base_url).hostname or ""]


def build(config: Config, data_dir: Path, base_url: str, speed: float | None) -> World:
    """The world kept in a data directory, which is made if need be; its clock does not run yet."""
    data_dir.mkdir(parents=True, exist_ok=True)
    repositories = Repositories(config, data_dir / "repos")
    store = Store(data_dir / "simulator.sqlite")
    scheduler = Scheduler(store, config)
    return World(config, store, repositories, scheduler, Clock(store, scheduler, speed), base_url)
