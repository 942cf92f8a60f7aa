import pytest

from jobserver import settings
from jobserver.settings import SettingsError, load, masked, secret_values, without_secrets

REQUIRED = {
    "SECRET_KEY": "a key that is long enough",
    "DATABASE_URL": "postgresql://user:pass@localhost/jobserver",
    "SOCIAL_AUTH_GITHUB_KEY": "id",
    "SOCIAL_AUTH_GITHUB_SECRET": "secret",
    "BASE_URL": "https://jobs.example.org",
    "RAP_API_BASE_URL": "https://controller.example.org/controller/v1/",
    "RAP_API_TOKEN": "token",
    "EMAIL_BACKEND": "mailgun",
}
# Needed with Mailgun only.
KEY = {"MAILGUN_API_KEY": "key"}
COMPLETE = {**REQUIRED, **KEY}


def test_everything_that_is_missing_is_reported_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        load({}, {})
    assert [fault.split()[0] for fault in refused.value.faults] == list(REQUIRED)
    for name in REQUIRED:
        assert f"  - {name} is missing." in str(refused.value)


def test_missing_and_malformed_settings_are_in_one_list_with_their_source() -> None:
    ini = {"rap_api_poll_interval": "soon", "github_url": "github.com", "publications_licence": "CC BY"}
    with pytest.raises(SettingsError) as refused:
        load(ini, {**COMPLETE, "SECRET_KEY": "short", "DATABASE_URL": "sqlite:///x", "DEBUG": "maybe"})
    faults = "\n".join(refused.value.faults)
    assert len(refused.value.faults) == 6
    assert "SECRET_KEY (from the environment) must have at least 16 characters." in faults
    assert "DATABASE_URL (from the environment) must be a PostgreSQL address" in faults
    assert "DEBUG (from the environment) must be true or false, not 'maybe'." in faults
    assert "RAP_API_POLL_INTERVAL (from the ini file) must be a whole number, not 'soon'." in faults
    assert "GITHUB_URL (from the ini file) must be an address" in faults
    assert "PUBLICATIONS_LICENCE (from the ini file) must be a name and an address" in faults


def test_a_faulty_secret_is_not_repeated_in_the_report() -> None:
    with pytest.raises(SettingsError) as refused:
        load({}, {**COMPLETE, "SECRET_KEY": "hunter2", "DATABASE_URL": "mysql://me:hunter3@db/x"})
    assert "hunter" not in str(refused.value)


def test_the_environment_wins_over_the_ini_file_and_that_over_the_default() -> None:
    ini = {"base_url": "https://ini.example", "jobserver.support_email": "ini@example.org"}
    loaded = load(ini, {**COMPLETE, "BASE_URL": "https://env.example"})
    assert loaded.settings.base_url == "https://env.example"
    assert loaded.settings.support_email == "ini@example.org"
    assert loaded.settings.rap_api_poll_interval == 60
    names = ("base_url", "support_email", "rap_api_poll_interval")
    assert [loaded.sources[name] for name in names] == ["environment", "ini file", "default"]


def test_an_empty_variable_counts_as_unset() -> None:
    loaded = load({"base_url": "https://ini.example"}, {**COMPLETE, "BASE_URL": "  "})
    assert loaded.settings.base_url == "https://ini.example"


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("True", True), ("on", True), ("0", False), ("FALSE", False)]
)
def test_all_flags_read_the_same_words(text: str, value: bool) -> None:
    loaded = load({}, {**COMPLETE, "DEBUG": text, "DISABLE_CREATING_JOBS": text})
    assert (loaded.settings.debug, loaded.settings.disable_creating_jobs) == (value, value)


def test_no_secret_is_shown() -> None:
    secrets = {row.env: f"hidden-{row.env}-0123456789" for row in settings.table() if row.secret}
    secrets["DATABASE_URL"] = "postgresql://u:hidden-password@localhost/x"
    secrets["CSP_REPORT_URI"] = "https://hidden.example/"
    secrets["SMTP_URL"] = "smtp://hidden.example"
    shown = masked(load({"debug": "true"}, secrets).settings)
    assert "hidden" not in str(shown)
    assert shown["secret_key"] == shown["database_url"] == "*****"
    assert masked(load({}, COMPLETE).settings)["slack_bot_token"] == ""


def test_development_does_without_what_a_deployment_needs() -> None:
    four = {name: REQUIRED[name] for name in list(REQUIRED)[:4]}
    assert load({"debug": "true"}, four).settings.rap_api_token == ""


@pytest.mark.parametrize(
    ("transport", "fault"),
    [
        ("mailgun", "MAILGUN_API_KEY is missing"),
        ("anymail.backends.mailgun.EmailBackend", "MAILGUN_API_KEY is missing"),
        ("smtp", "SMTP_URL is missing"),
        # Links that confirm who somebody is would be printed, and reach nobody.
        ("console", "EMAIL_BACKEND must be smtp or mailgun outside development"),
        ("", "EMAIL_BACKEND is missing"),
        ("sendgrid", "EMAIL_BACKEND .* must be console, smtp or mailgun"),
    ],
)
def test_mail_has_a_way_out_and_that_has_what_it_sends_with(transport: str, fault: str) -> None:
    with pytest.raises(SettingsError, match=fault) as refused:
        load({}, {**REQUIRED, "EMAIL_BACKEND": transport})
    assert len(refused.value.faults) == 1
    if transport != "sendgrid":
        in_development = {**COMPLETE, "EMAIL_BACKEND": transport, "DEBUG": "true"}
        assert load({}, in_development).settings.email_backend == transport or "console"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DJANGO_LOG_LEVEL", "LOUD", "must be DEBUG, INFO, WARNING, ERROR or CRITICAL"),
        ("SMTP_URL", "localhost:25", "must be an address such as smtp://localhost:25"),
        ("SMTP_URL", "http://localhost", "must be an address such as smtp://localhost:25"),
        ("SMTP_URL", "smtp://me:hun/ter2@localhost", "must be an address such as smtp://localhost:25"),
        ("BASE_URL", "https://[jobs", "Invalid IPv6 URL"),
    ],
)
def test_a_value_that_no_program_can_start_with_is_reported_with_the_others(
    name: str, value: str, says: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load({}, {**COMPLETE, name: value})
    assert refused.value.faults == [f"{name} (from the environment) {says}."]


def test_a_log_level_is_read_in_any_case_and_a_mail_server_may_have_a_password() -> None:
    given = {
        "DJANGO_LOG_LEVEL": "warning",
        "EMAIL_BACKEND": "smtp",
        "SMTP_URL": "smtps://me:hunter2@localhost",
    }
    loaded = load({}, {**COMPLETE, **given}).settings
    assert (loaded.log_level, loaded.smtp_url) == ("warning", "smtps://me:hunter2@localhost")


def test_secrets_are_known_whole_and_as_passwords_within_addresses() -> None:
    given = {"DATABASE_URL": "postgresql://u:pass%2Dword[@localhost/x", "SLACK_BOT_TOKEN": "short"}
    secrets = secret_values(load({"debug": "true"}, {**COMPLETE, **given}).settings)
    assert {given["DATABASE_URL"], "pass%2Dword[", "pass-word[", REQUIRED["SECRET_KEY"]} <= set(secrets)
    assert "short" not in secrets, "it would blank out words that are none"
    told = without_secrets("no pass-word[ for postgresql://other:word@db/x or short", secrets)
    assert told == "no ***** for postgresql://*****@db/x or short"
