import pytest

from jobserver import settings
from jobserver.settings import SettingsError, load, masked

REQUIRED = {
    "SECRET_KEY": "a key that is long enough",
    "DATABASE_URL": "postgresql://user:pass@localhost/jobserver",
    "SOCIAL_AUTH_GITHUB_KEY": "id",
    "SOCIAL_AUTH_GITHUB_SECRET": "secret",
    "BASE_URL": "https://jobs.example.org",
    "RAP_API_BASE_URL": "https://controller.example.org/controller/v1/",
    "RAP_API_TOKEN": "token",
}


def test_everything_that_is_missing_is_reported_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        load({}, {})
    assert [fault.split()[0] for fault in refused.value.faults] == list(REQUIRED)
    for name in REQUIRED:
        assert f"  - {name} is missing." in str(refused.value)


def test_missing_and_malformed_settings_are_in_one_list_with_their_source() -> None:
    ini = {"rap_api_poll_interval": "soon", "github_url": "github.com"}
    with pytest.raises(SettingsError) as refused:
        load(ini, {**REQUIRED, "SECRET_KEY": "short", "DATABASE_URL": "sqlite:///x", "DEBUG": "maybe"})
    faults = "\n".join(refused.value.faults)
    assert len(refused.value.faults) == 5
    assert "SECRET_KEY (from the environment) must have at least 16 characters." in faults
    assert "DATABASE_URL (from the environment) must be a PostgreSQL address" in faults
    assert "DEBUG (from the environment) must be true or false, not 'maybe'." in faults
    assert "RAP_API_POLL_INTERVAL (from the ini file) must be a whole number, not 'soon'." in faults
    assert "GITHUB_URL (from the ini file) must be an address" in faults


def test_a_faulty_secret_is_not_repeated_in_the_report() -> None:
    with pytest.raises(SettingsError) as refused:
        load({}, {**REQUIRED, "SECRET_KEY": "hunter2", "DATABASE_URL": "mysql://me:hunter3@db/x"})
    assert "hunter" not in str(refused.value)


def test_the_environment_wins_over_the_ini_file_and_that_over_the_default() -> None:
    ini = {"base_url": "https://ini.example", "jobserver.support_email": "ini@example.org"}
    loaded = load(ini, {**REQUIRED, "BASE_URL": "https://env.example"})
    assert loaded.settings.base_url == "https://env.example"
    assert loaded.settings.support_email == "ini@example.org"
    assert loaded.settings.rap_api_poll_interval == 60
    names = ("base_url", "support_email", "rap_api_poll_interval")
    assert [loaded.sources[name] for name in names] == ["environment", "ini file", "default"]


def test_an_empty_variable_counts_as_unset() -> None:
    loaded = load({"base_url": "https://ini.example"}, {**REQUIRED, "BASE_URL": "  "})
    assert loaded.settings.base_url == "https://ini.example"


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("True", True), ("on", True), ("0", False), ("FALSE", False)]
)
def test_all_flags_read_the_same_words(text: str, value: bool) -> None:
    loaded = load({}, {**REQUIRED, "DEBUG": text, "DISABLE_CREATING_JOBS": text})
    assert (loaded.settings.debug, loaded.settings.disable_creating_jobs) == (value, value)


def test_no_secret_is_shown() -> None:
    secrets = {row.env: f"hidden-{row.env}-0123456789" for row in settings.table() if row.secret}
    secrets["DATABASE_URL"] = "postgresql://u:hidden-password@localhost/x"
    secrets["CSP_REPORT_URI"] = "https://hidden.example/"
    shown = masked(load({"debug": "true"}, secrets).settings)
    assert "hidden" not in str(shown)
    assert shown["secret_key"] == shown["database_url"] == "*****"
    assert masked(load({}, REQUIRED).settings)["slack_bot_token"] == ""


def test_development_does_without_what_a_deployment_needs() -> None:
    four = {name: REQUIRED[name] for name in list(REQUIRED)[:4]}
    assert load({"debug": "true"}, four).settings.rap_api_token == ""


@pytest.mark.parametrize(
    ("transport", "missing"), [("mailgun", "MAILGUN_API_KEY"), ("smtp", "SMTP_URL"), ("console", None)]
)
def test_a_mail_transport_needs_what_it_sends_with(transport: str, missing: str | None) -> None:
    given = {**REQUIRED, "EMAIL_BACKEND": transport}
    if missing is None:
        assert load({}, given).settings.email_backend == "console"
        return
    with pytest.raises(SettingsError, match=f"{missing} is missing"):
        load({}, given)
