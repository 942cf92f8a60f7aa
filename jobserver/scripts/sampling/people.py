"""People, organisations, projects, repositories and workspaces of the sample."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random

from jobserver.models.choices import DATASET_PERMISSIONS, ProjectCategory, ProjectStatus, Role
from jobserver.scripts.sampling import words
from jobserver.scripts.sampling.plan import BUSIEST, LARGEST
from jobserver.scripts.sampling.size import SPAN, Size

# By this domain sample data are recognised.
DOMAIN = "sample.example.org"
_STAFF_ROLES = (
    Role.STAFF_AREA_ADMINISTRATOR,
    Role.SERVICE_ADMINISTRATOR,
    Role.TECH_SUPPORT,
    Role.OUTPUT_CHECKER,
    Role.OUTPUT_PUBLISHER,
    Role.DEPLOYMENT_ADMINISTRATOR,
    Role.SIGN_OFF_REPO_WITH_OUTPUTS,
)
_GITHUB_ORGS = ("sample-studies", "opensafely-samples")
_FIRST_UID = 9_000_000_000
# So many administrators come first, and then so many output checkers.
_ADMINISTRATORS, _CHECKERS = 5, 2
# So large a part of the people is there from the beginning.
_EARLY = 0.25

NextId = Callable[[str], int]


@dataclass
class Person:
    """A user."""

    id: int
    username: str
    fullname: str
    joined: datetime
    roles: list[str]
    org: int
    backends: list[int] = field(default_factory=list)


@dataclass
class Place:
    """A workspace with what its requests need to know."""

    id: int
    number: int
    branch: str
    developers: list[int]  # positions among the people


@dataclass
class Site:
    """Everything that requests are made in, and the rows of the tables around them."""

    people: list[Person] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    rows: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def add(self, table: str, **values: object) -> None:
        """One row more."""
        self.rows.setdefault(table, []).append(values)


def people_and_places(
    size: Size, random: Random, next_id: NextId, backends: Sequence[int], first_number: int
) -> Site:
    """The whole site without its requests. ``first_number``: the first free number of a project."""
    site = Site()
    orgs = _organisations(site, size, next_id)
    _people(site, size, random, next_id, orgs, backends)
    numbers = map(str, count(first_number))
    for index in range(size.projects):
        _project(site, index, size, random, next_id, orgs, next(numbers))
    return site


def _organisations(site: Site, size: Size, next_id: NextId) -> list[int]:
    orgs = []
    for index in range(size.orgs):
        town = words.TOWNS[index % len(words.TOWNS)]
        orgs.append(next_id("org"))
        site.add(
            "org",
            id=orgs[-1],
            name=f"{town} Institute of Health Data",
            slug=f"{town.lower()}-health-data",
            description=f"Studies of routine care from {town}.",
            github_orgs=list(_GITHUB_ORGS[: 1 + index % 2]),
            created_at=size.since,
            updated_at=size.since,
        )
    return orgs


def _people(
    site: Site, size: Size, random: Random, next_id: NextId, orgs: list[int], backends: Sequence[int]
) -> None:
    staff = max(_ADMINISTRATORS + _CHECKERS, size.users // 40)
    for index, fullname in zip(range(size.users), _names(), strict=False):
        username = fullname.lower().replace(" ", "-")
        joined = size.since + max(0.0, index / size.users - _EARLY) * SPAN
        person = Person(next_id("user"), username, fullname, joined, [], random.choice(orgs))
        if index < staff:
            person.roles = [_staff_role(index, random).value]
        if index == 0:
            # Who decides what of the sample is public.
            person.roles.append(Role.OUTPUT_PUBLISHER.value)
        site.people.append(person)
        disabled = index >= staff and random.random() < 0.02
        site.add(
            "user",
            id=person.id,
            username=username,
            email=f"{username}@{DOMAIN}",
            fullname=fullname,
            date_joined=joined,
            last_login=size.until - timedelta(days=random.randrange(1, 400)),
            roles=person.roles,
            disabled_at=size.until - timedelta(days=30) if disabled else None,
            disabled_by_id=site.people[0].id if disabled else None,
        )
        site.add(
            "github_identity",
            id=next_id("github_identity"),
            user_id=person.id,
            uid=str(_FIRST_UID + index),
            login=username,
            created_at=joined,
            modified_at=joined,
        )
        site.add(
            "org_membership",
            id=next_id("org_membership"),
            org_id=person.org,
            user_id=person.id,
            created_at=joined,
            created_by_id=site.people[0].id,
        )
        person.backends = sorted(random.sample(backends, random.choice((0, 1, 1, len(backends)))))
        for backend in person.backends:
            site.add(
                "backend_membership",
                id=next_id("backend_membership"),
                backend_id=backend,
                user_id=person.id,
                created_at=joined,
                created_by_id=site.people[0].id,
            )


def _staff_role(index: int, random: Random) -> Role:
    if index < _ADMINISTRATORS:
        return Role.STAFF_AREA_ADMINISTRATOR
    return Role.OUTPUT_CHECKER if index < _ADMINISTRATORS + _CHECKERS else random.choice(_STAFF_ROLES)


def _names() -> Iterator[str]:
    """Full names, each once: the first of every last name, then the second …"""
    for turn in count():
        suffix = "" if turn < len(words.FIRST_NAMES) else f" {turn // len(words.FIRST_NAMES) + 1}"
        for position, last in enumerate(words.LAST_NAMES):
            yield f"{words.FIRST_NAMES[(turn + position) % len(words.FIRST_NAMES)]} {last}{suffix}"


def _project(
    site: Site, index: int, size: Size, random: Random, next_id: NextId, orgs: list[int], number: str
) -> None:
    lead, *others = random.sample(orgs, min(len(orgs), random.choice((1, 1, 1, 2, 3))))
    creator = random.choice(site.people[:_ADMINISTRATORS])
    begun = max(0.0, index / size.projects - 0.2)
    created = size.since + begun * SPAN
    title = _title(index)
    id_ = next_id("project")
    once = {
        "created_at": created,
        "created_by_id": creator.id,
        "updated_at": created,
        "updated_by_id": creator.id,
    }
    site.add(
        "project",
        id=id_,
        name=title,
        slug=title.lower().replace(" ", "-"),
        number=number if index % 10 else None,
        org_id=lead,
        category=random.choice(list(ProjectCategory)),
        status=random.choice(list(ProjectStatus)),
        copilot_id=creator.id if index % 3 == 0 else None,
        **once,
    )
    for org in (lead, *others):
        site.add(
            "project_collaboration", id=next_id("project_collaboration"), org_id=org, project_id=id_, **once
        )
    known = range(int(size.users * min(1.0, begun + _EARLY)))
    members = random.sample(known, min(len(known), random.randrange(3, 9)))
    for place, member in enumerate(members):
        site.add(
            "project_membership",
            id=next_id("project_membership"),
            project_id=id_,
            user_id=site.people[member].id,
            roles=[Role.PROJECT_DEVELOPER.value] if place < 2 or random.random() < 0.6 else [],
            created_at=created,
            created_by_id=creator.id,
        )
    for name in random.sample(DATASET_PERMISSIONS, random.choice((0, 0, 0, 1, 2))):
        site.add(
            "data_permission",
            id=next_id("data_permission"),
            project_id=id_,
            kind="dataset",
            name=name,
            reason="Named in the protocol",
            granted_at=created,
            granted_by_id=creator.id,
        )
    for number_of_place in (2 * index, 2 * index + 1):
        _place(site, number_of_place, id_, members[:2], created, random, next_id)


def _title(index: int) -> str:
    condition = words.CONDITIONS[index % len(words.CONDITIONS)].replace("-", " ")
    question = words.QUESTIONS[index // len(words.CONDITIONS) % len(words.QUESTIONS)]
    people = words.PEOPLE[index % len(words.PEOPLE)]
    again = index // (len(words.CONDITIONS) * len(words.QUESTIONS))
    return f"{question.capitalize()} {condition.lower()} of {people}" + (f" {again + 1}" if again else "")


def _place(
    site: Site,
    number: int,
    project: int,
    developers: list[int],
    created: datetime,
    random: Random,
    next_id: NextId,
) -> None:
    condition = words.CONDITIONS[number // 2 % len(words.CONDITIONS)].lower()
    maker = site.people[developers[0]].id
    repo = next_id("repo") if number % 2 == 0 else site.rows["repo"][-1]["id"]
    if number % 2 == 0:
        checked = created + timedelta(days=1)
        site.add(
            "repo",
            id=repo,
            url=f"https://github.com/{random.choice(_GITHUB_ORGS)}/{condition}-study-{number // 2 + 1}",
            is_private=random.random() < 0.4,
            checked_at=checked,
        )
    branch = random.choice(words.BRANCHES) if number % 2 == 0 else f"revision-{number % 7 + 1}"
    id_ = next_id("workspace")
    archived = number > LARGEST and random.random() < (0.6 if number < 300 else 0.1)
    site.add(
        "workspace",
        id=id_,
        name=f"{condition}-{number + 1}" if number != BUSIEST else f"{condition}-all-waves",
        project_id=project,
        repo_id=repo,
        branch=branch,
        purpose=f"The {'main' if number % 2 == 0 else 'second'} analysis of {condition.replace('-', ' ')}.",
        is_archived=archived,
        should_notify=random.random() < 0.5,
        created_at=created,
        created_by_id=maker,
        updated_at=created,
        updated_by_id=maker,
    )
    site.places.append(Place(id_, number, branch, developers))
