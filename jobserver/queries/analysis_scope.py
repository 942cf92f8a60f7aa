"""What data a project's jobs may use, in the form in which the RAP controller wants to be told."""

from collections import defaultdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import DataPermission, PermissionKind
from jobserver.models.choices import POPULATION_PERMISSIONS


def analysis_scope(db: Session, project_id: int) -> dict[str, Any]:
    """The scope made of the project's permissions in force; ``{}`` if there are none (spec: rap 2).

    A key is left out when its list would be empty: the controller refuses what is null.
    """
    found: dict[str, list[str]] = defaultdict(list)
    in_force = select(DataPermission.kind, DataPermission.name).where(
        DataPermission.project_id == project_id, DataPermission.revoked_at.is_(None)
    )
    for kind, name in db.execute(in_force):
        found[kind].append(name)
    population = [name for name in POPULATION_PERMISSIONS if name in found[PermissionKind.POPULATION]]
    datasets = sorted(found[PermissionKind.DATASET])
    scope = {"population_permissions": population, "dataset_permissions": datasets}
    return {key: names for key, names in scope.items() if names}
