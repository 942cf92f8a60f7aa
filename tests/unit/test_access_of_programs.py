"""What programs may do on the tree (spec: access 7.1 and 7.6, cases 9 to 12, 20, 26 and 27)."""

from types import SimpleNamespace
from typing import Any

import pytest
from pyramid.authorization import ACLHelper

from jobserver.models import Role
from jobserver.security import acl
from jobserver.security.callers import BackendCaller, ThroughBackend, TokenCaller
from jobserver.security.identity import BackendAccess, Identity, principals
from jobserver.security.permissions import Permission

ROOT = SimpleNamespace(__acl__=acl.ROOT, __parent__=None)
PROJECT = SimpleNamespace(__acl__=acl.project(7, {3}), __parent__=ROOT)
OTHER = SimpleNamespace(__acl__=acl.project(8, {3}), __parent__=ROOT)
BACKEND = BackendCaller(1, "tpp", "TPP")


def person(*roles: Role, on_project: tuple[Role, ...] = ()) -> Identity:
    return Identity(
        user_id=1,
        username="ada",
        fullname="Ada",
        roles=roles,
        project_roles={7: on_project} if on_project else {},
        backends=(BackendAccess(1, "tpp"),),
    )


def may(caller: Any, permission: Permission, place: Any = PROJECT) -> bool:
    found = caller.principals if hasattr(caller, "principals") else principals(caller)
    return bool(ACLHelper().permits(place, found, permission))


CHECKER = person(Role.OUTPUT_CHECKER)
DEVELOPER = person(on_project=(Role.PROJECT_DEVELOPER,))


def test_only_a_checker_through_a_backend_may_upload() -> None:
    assert may(ThroughBackend(BACKEND, CHECKER), Permission.RELEASE_FILE_UPLOAD)
    for caller in (
        CHECKER,
        BACKEND,
        TokenCaller(CHECKER, 1, use_is_news=False),
        ThroughBackend(BACKEND, DEVELOPER),
        None,
    ):
        assert not may(caller, Permission.RELEASE_FILE_UPLOAD)


def test_a_backend_acting_for_somebody_may_do_nothing_else_for_them() -> None:
    everybody = person(*Role, on_project=(Role.PROJECT_DEVELOPER, Role.PROJECT_COLLABORATOR))
    allowed = {each for each in Permission if may(ThroughBackend(BACKEND, everybody), each)}
    assert allowed - {Permission.RELEASE_FILE_UPLOAD} == {each for each in Permission if may(BACKEND, each)}


def test_a_backend_may_tell_and_ask_but_open_no_page_that_needs_an_account() -> None:
    allowed = {each for each in Permission if may(BACKEND, each)}
    assert allowed == {
        Permission.AIRLOCK_NOTIFY,
        Permission.JOB_UPDATE,
        Permission.LEVEL4_LOGIN,
        Permission.USER_ROLES_READ,
        Permission.VIEW,
    }


@pytest.mark.parametrize("permission", ["job_update", "level4_login", "user_roles_read", "airlock_notify"])
def test_no_session_does_what_a_backend_does(permission: str) -> None:
    assert not may(person(*Role, on_project=tuple(Role)), Permission(permission))


def test_a_personal_token_reads_what_its_owner_may_read_and_nothing_else() -> None:
    assert may(TokenCaller(CHECKER, 1, use_is_news=False), Permission.RELEASE_FILE_VIEW)
    assert may(TokenCaller(DEVELOPER, 1, use_is_news=False), Permission.RELEASE_FILE_VIEW)
    assert not may(TokenCaller(DEVELOPER, 1, use_is_news=False), Permission.RELEASE_FILE_VIEW, OTHER)
    assert not may(TokenCaller(person(), 1, use_is_news=False), Permission.RELEASE_FILE_VIEW)
    everything = person(*Role, on_project=tuple(Role))
    allowed = {each for each in Permission if may(TokenCaller(everything, 1, use_is_news=False), each)}
    assert allowed == {Permission.RELEASE_FILE_VIEW, Permission.VIEW}


def snapshot(**state: bool) -> Any:
    return SimpleNamespace(__acl__=acl.snapshot(**state), __parent__=PROJECT)


def test_who_decides_sees_a_draft_that_waits_and_everybody_what_is_published() -> None:
    publisher = person(Role.OUTPUT_PUBLISHER)
    idle = snapshot(is_published=False, awaits_decision=False)
    waiting = snapshot(is_published=False, awaits_decision=True)
    public = snapshot(is_published=True, awaits_decision=False)
    assert [may(publisher, Permission.SNAPSHOT_VIEW, each) for each in (idle, waiting, public)] == [
        False,
        True,
        True,
    ]
    assert [may(None, Permission.SNAPSHOT_VIEW, each) for each in (idle, waiting, public)] == [
        False,
        False,
        True,
    ]
    assert may(DEVELOPER, Permission.SNAPSHOT_VIEW, idle)
    assert may(publisher, Permission.SNAPSHOT_PUBLISH, waiting)


def test_the_author_of_a_release_request_sees_it_whatever_their_roles() -> None:
    mine = SimpleNamespace(__acl__=acl.release_request(1), __parent__=PROJECT)
    another = SimpleNamespace(__acl__=acl.release_request(2), __parent__=PROJECT)
    assert may(person(), Permission.UNRELEASED_OUTPUTS_VIEW, mine)
    assert not may(person(), Permission.UNRELEASED_OUTPUTS_VIEW, another)
    assert may(CHECKER, Permission.UNRELEASED_OUTPUTS_VIEW, another)
