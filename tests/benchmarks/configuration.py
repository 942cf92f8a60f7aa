"""The settings of everything that is measured. Imports nothing else: the web process pays for what it imports."""

from jobserver.settings import Settings, load


def settings_for(
    database_url: str, *, port: int = 80, controller: str = "http://127.0.0.1:9/", storage: str = "releases"
) -> Settings:
    """Settings as in production, on loopback; no outside system can be reached."""
    values = {
        "secret_key": "a key for benchmarks, long enough",
        "database_url": database_url,
        "base_url": f"http://127.0.0.1:{port}",
        "social_auth_github_key": "client-id",
        "social_auth_github_secret": "client-secret",
        "github_url": "http://127.0.0.1:9",
        "github_api_url": "http://127.0.0.1:9",
        "opencodelists_url": "http://127.0.0.1:9",
        "rap_api_base_url": controller,
        "rap_api_token": "token",
        "release_storage": storage,
        "email_backend": "mailgun",
        "mailgun_api_key": "key",
        "mailgun_api_url": "http://127.0.0.1:9",
    }
    return load(values, {}).settings
