"""Releases of the sample: their files without bytes, sets of them, and the requests they came from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from jobserver.models import AuditType
from jobserver.models.choices import AirlockEventType, ReleaseRequestState, Role
from jobserver.scripts.sampling.people import NextId, Person, Place, Site
from jobserver.scripts.sampling.plan import BUSIEST, Outcome, Planned
from jobserver.scripts.sampling.size import Size, share_out
from jobserver.scripts.sampling.trail import event

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_KINDS = ("tables/table_{}.csv", "figures/figure_{}.png", "models/model_{}.csv", "logs/log_{}.txt")
_E, _S = AirlockEventType, ReleaseRequestState
# The way of a request to its release, in days after it was submitted, and the ends of those without one.
_TO_RELEASE = (
    (_E.SUBMITTED, 0.0),
    (_E.PARTIALLY_REVIEWED, 1.0),
    (_E.REVIEWED, 2.0),
    (_E.APPROVED, 2.2),
    (_E.RELEASED, 2.3),
)
_OTHERS = (
    (_S.SUBMITTED, (_E.SUBMITTED,)),
    (_S.PARTIALLY_REVIEWED, (_E.SUBMITTED, _E.PARTIALLY_REVIEWED)),
    (_S.RETURNED, (_E.SUBMITTED, _E.PARTIALLY_REVIEWED, _E.RETURNED)),
    (_S.REJECTED, (_E.SUBMITTED, _E.REJECTED)),
    (_S.WITHDRAWN, (_E.SUBMITTED, _E.WITHDRAWN)),
)
Rows = dict[str, list[dict[str, object]]]
# In an order in which each table comes after those that it refers to.
TABLES = (
    "release",
    "release_file",
    "snapshot",
    "snapshot_file",
    "publish_request",
    "release_request",
    "release_request_event",
    "auditable_event",
)


@dataclass
class Releases:
    """Makes the rows: of succeeded requests, evenly over the years."""

    size: Size
    site: Site
    plan: Sequence[Planned]
    backends: Sequence[int]
    next_id: NextId
    random: Random
    rows: Rows = field(default_factory=lambda: {table: [] for table in TABLES})

    def all(self) -> Rows:
        """Everything, by table."""
        self.checkers = [each for each in self.site.people if Role.OUTPUT_CHECKER in each.roles]
        succeeded = [each for each in self.plan if each.outcome is Outcome.SUCCEEDED]
        number = min(self.size.releases, len(succeeded))
        chosen = [succeeded[index * len(succeeded) // number] for index in range(number)]
        largest = self.size.files_of_largest_release
        files = share_out(self.size.released_files - largest, number - 1, 4.0, self.random)
        busy = [index for index, each in enumerate(chosen) if each.workspace == BUSIEST]
        files.insert(busy[len(busy) // 2] if busy else 0, largest)
        for index, (planned, count) in enumerate(zip(chosen, files, strict=True)):
            self._release(index, planned, count)
        for index in range(self.size.releases // 20):
            planned = succeeded[-1 - index * 3 % len(succeeded)]
            self._request(self._ulid(planned.at), planned, *_OTHERS[index % len(_OTHERS)])
        return self.rows

    def _release(self, index: int, planned: Planned, count: int) -> None:
        place, checker = self.site.places[planned.workspace], self.random.choice(self.checkers)
        at = min(planned.at + timedelta(days=2.2), self.size.until - timedelta(hours=2))
        id_ = self._ulid(at)
        self.rows["release"].append(
            {
                "id": id_,
                "workspace_id": place.id,
                "backend_id": self._backend(place),
                "status": "APPROVED",
                "requested_files": "[]",
                "metadata": '{"tool": "airlock"}',
                "created_at": at,
                "created_by_id": checker.id,
            }
        )
        # Of the newest ones something has not arrived.
        last = index > self.size.releases - 4
        files = [
            self._file(id_, place, number, at, checker, arrives=not (last and number % 3 == 0))
            for number in range(count)
        ]
        self.rows["auditable_event"].append(
            event(
                AuditType.RELEASE_CREATED,
                at,
                checker,
                target=("Release", id_),
                parent=("Workspace", place.id),
            )
        )
        if index % 2 == 0:
            end = _S.APPROVED if last else _S.RELEASED
            kinds = [kind for kind, _ in _TO_RELEASE][: 4 if last else 5]
            self._request(id_, planned, end, kinds)
        if index % 40 in {0, 1, 20}:
            self._snapshot(place, files[:500], at + timedelta(hours=1), is_public=index % 40 == 0)

    def _file(
        self, release: str, place: Place, number: int, at: datetime, checker: Person, *, arrives: bool
    ) -> str:
        name = f"output/{_KINDS[number % len(_KINDS)].format(number + 1)}"
        workspace = self.site.rows["workspace"][place.number]["name"]
        redacted = arrives and self.random.random() < 0.01
        id_ = self._ulid(at)
        self.rows["release_file"].append(
            {
                "id": id_,
                "release_id": release,
                "workspace_id": place.id,
                "name": name,
                "path": f"{workspace}/releases/{release}/{name}" if arrives else "",
                "filehash": self.random.randbytes(32).hex(),
                "size": self.random.randrange(200, 2_000_000),
                "mtime": at - timedelta(days=3),
                "uploaded_at": at + timedelta(minutes=1) if arrives else None,
                "uploaded_by_id": checker.id if arrives else None,
                "deleted_at": at + timedelta(hours=1) if redacted else None,
                "deleted_by_id": checker.id if redacted else None,
                "deleted_reason": "Counts below six" if redacted else "",
                "created_at": at,
                "created_by_id": checker.id,
            }
        )
        return id_

    def _snapshot(self, place: Place, files: Sequence[str], at: datetime, *, is_public: bool) -> None:
        maker, id_ = self.site.people[place.developers[0]], self.next_id("snapshot")
        self.rows["snapshot"].append(
            {
                "id": id_,
                "workspace_id": place.id,
                "digest": self.random.randbytes(32).hex(),
                "title": f"Tables and figures {id_}",
                "summary": "By age, sex and region. Counts are *rounded to five*.",
                "created_at": at,
                "created_by_id": maker.id,
            }
        )
        self.rows["snapshot_file"] += [
            {"snapshot_id": id_, "release_file_id": file, "workspace_id": place.id} for file in files
        ]
        self.rows["publish_request"].append(
            {
                "id": self.next_id("publish_request"),
                "snapshot_id": id_,
                "decision": "approved" if is_public else None,
                "decision_at": at + timedelta(minutes=30) if is_public else None,
                "decision_by_id": self.site.people[0].id if is_public else None,
                "created_at": at,
                "created_by_id": maker.id,
            }
        )

    def _request(
        self, id_: str, planned: Planned, state: ReleaseRequestState, kinds: Sequence[AirlockEventType]
    ) -> None:
        place = self.site.places[planned.workspace]
        author = self.site.people[self.random.choice(place.developers)]
        days = dict(_TO_RELEASE)
        latest = self.size.until - timedelta(hours=2)
        times = [min(planned.at + timedelta(days=days.get(kind, 2.5)), latest) for kind in kinds]
        self.rows["release_request"].append(
            {
                "id": id_,
                "workspace_id": place.id,
                "backend_id": self._backend(place),
                "author_id": author.id,
                "state": state.value,
                "created_at": times[0],
                "state_since": times[-1],
            }
        )
        for kind, at in zip(kinds, times, strict=True):
            by = author if kind in {_E.SUBMITTED, _E.WITHDRAWN} else self.random.choice(self.checkers)
            self.rows["release_request_event"].append(
                {
                    "id": self.next_id("release_request_event"),
                    "release_request_id": id_,
                    "event_type": kind.value,
                    "turn": 1,
                    "issue_at": at,
                    "slack_at": at,
                    "mail_at": at,
                    "created_at": at,
                    "created_by_id": by.id,
                }
            )

    def _backend(self, place: Place) -> int:
        return self.backends[place.number % len(self.backends)]

    def _ulid(self, at: datetime) -> str:
        number = int(at.timestamp() * 1000) << 80 | self.random.getrandbits(80)
        return "".join(_DIGITS[number >> shift & 31] for shift in range(125, -1, -5))
