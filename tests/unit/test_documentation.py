"""The documentation names everything that there is."""

import re

import pytest

from jobserver import settings
from jobserver.scripts import main
from jobserver.security.permissions import Permission
from jobserver.security.roles import ROLES
from tests.conftest import ROOT

DOCS = {path.name: path.read_text() for path in (ROOT / "docs").glob("*.md")}


@pytest.mark.parametrize("row", settings.table(), ids=lambda row: row.env)
def test_every_setting_is_in_the_table(row: settings.Row) -> None:
    line = next(line for line in DOCS["settings.md"].splitlines() if line.startswith(f"| `{row.env}` |"))
    assert row.help in line
    assert row.secret == line.endswith("Secret. |")


def test_every_command_is_described() -> None:
    described = set(re.findall(r"^## `([a-z-]+)`", DOCS["commands.md"], re.MULTILINE))
    assert described == set(main.list_commands(None))  # type: ignore[arg-type]


@pytest.mark.parametrize("permission", list(Permission))
def test_every_permission_is_described(permission: Permission) -> None:
    assert f"| `{permission.value}` | {permission.sentence} |" in DOCS["permissions.md"]


@pytest.mark.parametrize("role", list(ROLES))
def test_every_role_is_described_with_what_it_carries(role: str) -> None:
    info = ROLES[role]  # type: ignore[index]
    line = next(line for line in DOCS["permissions.md"].splitlines() if line.startswith(f"- **{info.name}**"))
    assert set(re.findall(r"`([a-z0-9_]+)`", line.split("Carries")[1])) == {
        each.value for each in info.permissions
    }


def test_every_relative_link_leads_somewhere() -> None:
    pages = {
        "README.md": (ROOT / "README.md").read_text(),
        **{f"docs/{name}": text for name, text in DOCS.items()},
    }
    for name, text in pages.items():
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert ((ROOT / name).parent / target).exists(), f"{name} links to {target}"


def test_every_package_is_on_the_map() -> None:
    packages = {path.parent.name for path in (ROOT / "jobserver").glob("*/__init__.py")}
    assert packages == set(re.findall(r"^\| `([a-z]+)/` \|", DOCS["changing.md"], re.MULTILINE))
