"""The locks say what the declarations ask for, completely, and name no registry."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent.parent
LOCKS = {"requirements.txt": None, "requirements-dev.txt": "dev", "requirements-node.txt": "node"}
ADDRESS = re.compile(
    r"https?://|^\s*-(i|f|-index-url|-extra-index-url|-find-links|-trusted-host)\b", re.MULTILINE
)


def locked(name: str) -> dict[str, tuple[str, int]]:
    """Version and number of hashes of each package of a lock."""
    entries: dict[str, tuple[str, int]] = {}
    for entry in re.split(r"\n(?=\S)", (ROOT / name).read_text().strip()):
        requirement = Requirement(entry.partition(" \\\n")[0])
        [pin] = requirement.specifier
        assert pin.operator == "==", entry
        entries[canonical(requirement.name)] = (pin.version, entry.count("--hash=sha256:"))
    return entries


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(group: str | None) -> list[Requirement]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    texts = [] if group == "node" else list(project["project"]["dependencies"])
    texts += project["dependency-groups"][group] if group else []
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_declared_package_is_locked_at_a_version_that_will_do(lock: str) -> None:
    versions = locked(lock)
    for requirement in declared(LOCKS[lock]):
        version, _hashes = versions[canonical(requirement.name)]
        assert requirement.specifier.contains(version, prereleases=True), requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_hashes(lock: str) -> None:
    without = [name for name, (_version, hashes) in locked(lock).items() if not hashes]
    assert without == []


def test_development_has_what_production_has() -> None:
    production, development = locked("requirements.txt"), locked("requirements-dev.txt")
    assert {name: development.get(name) for name in production} == production


@pytest.mark.parametrize("lock", [*LOCKS, "package-lock.json", "package.json", ".ci/run", "Makefile"])
def test_no_lock_names_a_registry(lock: str) -> None:
    text = (ROOT / lock).read_text()
    if lock == "package-lock.json":
        assert '"resolved"' not in text
        text = re.sub(r'"(url|funding)": "https?://[^"]*"', "", text)
    assert ADDRESS.findall(text) == []


def test_the_front_ends_lock_matches_its_declaration() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    lock = json.loads((ROOT / "package-lock.json").read_text())
    for kind in ("dependencies", "devDependencies"):
        assert lock["packages"][""].get(kind, {}) == package.get(kind, {})
        for name, version in package.get(kind, {}).items():
            assert lock["packages"][f"node_modules/{name}"]["version"] == version


def test_every_locked_front_end_package_has_its_integrity() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    # What is inside another package is covered by that one's.
    own = {name: entry for name, entry in packages.items() if name and not entry.get("inBundle")}
    without = [name for name, entry in own.items() if not entry.get("integrity")]
    assert without == []
