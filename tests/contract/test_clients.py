"""How the clients come from the settings and reach a request."""

import dataclasses
from typing import Any

import pytest
from pyramid.config import Configurator
from pyramid.request import Request, apply_request_extensions

from jobserver.clients import Clients
from jobserver.settings import Settings, SettingsError
from tests.contract.recorded import Server, json_reply, serving

SECRETS: dict[str, Any] = {
    "rap_api_token": "rap-secret",
    "jobserver_github_token": "github-secret",
    "slack_bot_token": "slack-secret",
    "mailgun_api_key": "mailgun-secret",
}


def settings(url: str) -> Settings:
    needed = Settings(
        secret_key="x" * 32,
        database_url="postgresql://localhost/x",
        social_auth_github_key="k",
        social_auth_github_secret="s",
    )
    return dataclasses.replace(
        needed,
        rap_api_base_url=f"{url}/controller/v1",
        github_api_url=f"{url}/github",
        opencodelists_url=f"{url}/opencodelists",
        slack_api_url=f"{url}/slack/",
        mailgun_api_url=f"{url}/mailgun",
        email_backend="mailgun",
        **SECRETS,
    )


def _asked(server: Server) -> list[tuple[str, str]]:
    return [(each.path, each.headers.get("Authorization", "")) for each in server.asked]


def test_every_client_speaks_to_the_place_and_with_the_secret_of_its_settings() -> None:
    body = {"backends": [], "private": False, "default_branch": "main", "status": "ok", "ok": True}
    with serving(json_reply(body)) as server:
        clients = Clients.from_settings(settings(server.url))
        clients.rap.backend_status()
        clients.github.repo("o", "r")
        clients.opencodelists.check("", "")
        clients.slack.post("channel", "text")
    assert _asked(server) == [
        ("/controller/v1/backend/status/", "rap-secret"),
        ("/github/repos/o/r", "token github-secret"),
        ("/opencodelists/api/v1/check/", ""),
        ("/slack/chat.postMessage", "Bearer slack-secret"),
    ]


def test_no_secret_is_in_the_representation() -> None:
    shown = repr(Clients.from_settings(settings("http://localhost")))
    assert not [secret for secret in SECRETS.values() if secret in shown]


def test_a_request_has_the_clients_of_its_application() -> None:
    config = Configurator()
    config.registry["settings"] = settings("http://localhost")
    config.include("jobserver.clients")
    config.commit()
    requests = [Request.blank("/"), Request.blank("/")]
    for request in requests:
        request.registry = config.registry
        apply_request_extensions(request)
    assert isinstance(requests[0].clients, Clients)
    assert requests[0].clients is requests[1].clients is config.registry["clients"]


def test_clients_that_are_there_already_stay() -> None:
    config = Configurator()
    ours = Clients.from_settings(settings("http://localhost"))
    config.registry["clients"] = ours
    config.include("jobserver.clients")
    assert config.registry["clients"] is ours


def test_settings_that_make_no_client_stop_the_start() -> None:
    wrong = dataclasses.replace(settings("http://localhost"), email_backend="smtp", smtp_url="nonsense")
    with pytest.raises(SettingsError, match="SMTP_URL"):
        Clients.from_settings(wrong)
