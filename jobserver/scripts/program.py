"""What every command starts from: the ini file, the settings, the database."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import plaster
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption

from jobserver import db, observability
from jobserver.clients import Clients
from jobserver.models import AuditSource, Backend, User, Workspace
from jobserver.rap.context import Context
from jobserver.settings import Loaded, Settings, load


class Program:
    """One run of the command. Everything is read when first asked for: ``--help`` needs no settings."""

    def __init__(self, ini: str) -> None:
        self.ini = Path(ini).absolute()

    def section(self, name: str) -> dict[str, Any]:
        """A section of the ini file."""
        if not self.ini.is_file():
            raise click.ClickException(f"There is no file {self.ini}: name the settings file with --config.")
        return dict(plaster.get_settings(str(self.ini), name))

    @cached_property
    def loaded(self) -> Loaded:
        """The settings with where each came from; :class:`~jobserver.settings.SettingsError` lists faults."""
        return load(self.section("app:main"), os.environ)

    @cached_property
    def settings(self) -> Settings:
        """The settings, with logging and tracing set up as they say."""
        observability.configure(self.loaded.settings)
        return self.loaded.settings

    @cached_property
    def engine(self) -> Engine:
        """The database."""
        return db.create_db_engine(self.settings, application_name="jobserver-command")

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session in one transaction: all of a command's changes, or none."""
        with db.transaction_of(db.session_factory(self.engine), source=AuditSource.COMMAND) as session:
            yield session

    @cached_property
    def context(self) -> Context:
        """What the programs behind the pages work with."""
        clients = Clients.from_settings(self.settings)
        return Context(self.settings, db.session_factory(self.engine), clients, AuditSource.COMMAND)

    def close(self) -> None:
        """Give the database's connections back."""
        if "engine" in self.__dict__:
            self.engine.dispose()


pass_program = click.make_pass_decorator(Program)


def user_named(session: Session, username: str) -> User:
    """The user, however the letters' case is written; a refusal that names the way out if there is none."""
    user = find_user(session, username)
    if user is None:
        raise click.ClickException(
            f"There is no user “{username}”. Create one with: jobserver create-user {username}"
        )
    return user


def backend_named(session: Session, slug: str) -> Backend:
    """The backend, however the letters' case is written; a refusal if there is none."""
    backend = find_backend(session, slug)
    if backend is None:
        raise click.ClickException(f"There is no backend “{slug}”.")
    return backend


def workspace_named(session: Session, name: str, *options: ORMOption) -> Workspace:
    """The workspace, however the letters' case is written; a refusal if there is none."""
    workspace = find_workspace(session, name, *options)
    if workspace is None:
        raise click.ClickException(f"There is no workspace “{name}”.")
    return workspace


def find_user(session: Session, username: str) -> User | None:
    """The user as :func:`user_named`, for commands that make one that is not there."""
    return session.scalar(select(User).where(func.lower(User.username) == username.strip().lower()))


def find_backend(session: Session, slug: str) -> Backend | None:
    """The backend as :func:`backend_named`, for commands that make one that is not there."""
    return session.scalar(select(Backend).where(func.lower(Backend.slug) == slug.strip().lower()))


def find_workspace(session: Session, name: str, *options: ORMOption) -> Workspace | None:
    """The workspace as :func:`workspace_named`, for commands that make one that is not there."""
    statement = select(Workspace).where(func.lower(Workspace.name) == name.strip().lower())
    return session.scalar(statement.options(*options))
