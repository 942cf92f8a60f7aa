"""Audit events of the sample (spec: domain 6.1)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from jobserver.models import AuditType, Project
from jobserver.scripts.sampling.people import Person, Site


def event(
    type_: AuditType,
    at: datetime,
    by: Person,
    *,
    target: tuple[str, int | str],
    parent: tuple[str, int] | None = None,
    user: Person | None = None,
    field: str = "",
    new: str = "",
    labels: tuple[str, str] = ("", ""),
) -> dict[str, object]:
    """One event. Target and parent are named by model and id; ``labels`` are what both were called."""
    return {
        "type": type_.value,
        "target_model": f"jobserver.{target[0]}",
        "target_id": str(target[1]),
        "target_field": field,
        "target_user": user.username if user else "",
        "target_user_id": user.id if user else None,
        "parent_model": f"jobserver.{parent[0]}" if parent else "",
        "parent_id": str(parent[1]) if parent else "",
        "target_label": labels[0],
        "parent_label": labels[1],
        "new": new,
        "created_at": at,
        "created_by": by.username,
        "actor_id": by.id,
    }


def events_of_site(site: Site) -> list[dict[str, object]]:
    """How people, organisations, projects and workspaces came to be, oldest first."""
    return sorted(_events(site), key=lambda each: str(each["created_at"]))


def _events(site: Site) -> Iterator[dict[str, object]]:
    by_id = {person.id: person for person in site.people}
    first = site.people[0]
    rows: dict[str, list[dict[str, Any]]] = site.rows
    titles = {row["id"]: Project(name=row["name"], number=row["number"]).title for row in rows["project"]}
    for row in rows["user"]:
        person = by_id[row["id"]]
        yield event(
            AuditType.USER_CREATED,
            row["date_joined"],
            person,
            target=("User", person.id),
            user=person,
            labels=(person.username, ""),
        )
    for row in rows["org"]:
        target = ("Org", row["id"])
        labels = (row["name"], row["name"])
        yield event(
            AuditType.ORG_CREATED, row["created_at"], first, target=target, parent=target, labels=labels
        )
    for row in rows["project"]:
        target, creator = ("Project", row["id"]), by_id[row["created_by_id"]]
        yield event(
            AuditType.PROJECT_CREATED,
            row["created_at"],
            creator,
            target=target,
            parent=target,
            user=creator,
            labels=(titles[row["id"]], titles[row["id"]]),
        )
    for row in rows["project_membership"]:
        common: dict[str, Any] = {
            "target": ("ProjectMembership", row["id"]),
            "parent": ("Project", row["project_id"]),
            "user": by_id[row["user_id"]],
            "labels": ("", titles[row["project_id"]]),
        }
        by = by_id[row["created_by_id"]]
        yield event(AuditType.PROJECT_MEMBER_ADDED, row["created_at"], by, **common)
        if row["roles"]:
            yield event(
                AuditType.PROJECT_MEMBER_UPDATED_ROLES,
                row["created_at"],
                by,
                field="roles",
                new=",".join(row["roles"]),
                **common,
            )
    for row in rows["workspace"]:
        yield event(
            AuditType.WORKSPACE_CREATED,
            row["created_at"],
            by_id[row["created_by_id"]],
            target=("Workspace", row["id"]),
            parent=("Project", row["project_id"]),
            labels=(row["name"], titles[row["project_id"]]),
        )
