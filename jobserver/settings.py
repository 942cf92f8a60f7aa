"""Every setting, in one typed table.

Values come from the ini file and, over it, from environment variables of the names
that operators know today (the field's name in capitals). What is missing or malformed
is reported all at once, so that one look at the log mends a deployment.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from urllib.parse import unquote

from jobserver.setting import (
    Described,
    converted,
    database,
    log_level,
    long_enough,
    mail_server,
    mail_transport,
    optional_named_url,
    optional_prefix,
    optional_url,
    positive,
    setting,
    url,
)

MASK = "*****"


class SettingsError(Exception):
    """Some settings are missing or malformed; ``faults`` lists a sentence for each."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("The settings are not usable:\n" + "\n".join(f"  - {fault}" for fault in faults))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The configuration of every program of the system (spec: operations 3.1)."""

    secret_key: str = setting("Signs sessions and one-time values.", secret=True, check=long_enough)
    old_secret_key: str = setting("Previous key, still accepted during a rotation.", default="", secret=True)
    debug: bool = setting(
        "Development: ribbon, plain-HTTP cookies; without a token Slack messages are printed.", default=False
    )
    base_url: str = setting("Prefix of absolute links.", default="http://localhost:8000", check=url)
    database_url: str = setting("The database.", secret=True, check=database)
    database_pool_size: int = setting("Connections that one process keeps open.", default=8, check=positive)
    social_auth_github_key: str = setting("OAuth client id.", secret=True)
    social_auth_github_secret: str = setting("OAuth client secret.", secret=True)
    jobserver_github_token: str = setting(
        "Token for GitHub's API; without one calls are anonymous.", default="", secret=True
    )
    github_url: str = setting(
        "Where GitHub's pages and sign-in are.", default="https://github.com", check=url
    )
    github_api_url: str = setting("Where GitHub's API is.", default="https://api.github.com", check=url)
    opencodelists_url: str = setting(
        "Where OpenCodelists is.", default="https://www.opencodelists.org", check=url
    )
    rap_api_base_url: str = setting(
        "The RAP controller's API; a final / is added if it is missing.", default="", check=optional_url
    )
    rap_api_token: str = setting("Our token for the RAP controller.", default="", secret=True)
    rap_api_poll_interval: int = setting(
        "Seconds between two rounds of the RAP status service.", default=60, check=positive
    )
    disable_creating_jobs: bool = setting(
        "The backends tpp and emis cannot be chosen for new job requests.", default=False
    )
    email_backend: str = setting(
        "How mail leaves: console, smtp or mailgun.", default="console", check=mail_transport
    )
    email_from: str = setting("Sender of mail.", default="notifications@jobs.opensafely.org")
    smtp_url: str = setting(
        "Mail server, such as smtp://localhost:25.", default="", secret=True, check=mail_server
    )
    mailgun_api_key: str = setting("Key of Mailgun's API.", default="", secret=True)
    mailgun_api_url: str = setting(
        "Mailgun's API with the sending domain.",
        default="https://api.eu.mailgun.net/v3/mg.jobs.opensafely.org",
        check=url,
    )
    slack_bot_token: str = setting("Slack bot token; without one nothing is posted.", default="", secret=True)
    slack_api_url: str = setting("Where Slack's API is.", default="https://slack.com/api/", check=url)
    registrations_slack_channel: str = setting(
        "Channel told of new users.", default="job-server-registrations"
    )
    copilot_support_slack_channel: str = setting(
        "Channel told of projects with a co-pilot, repositories signed off, and support that ends soon.",
        default="co-pilot-support",
    )
    release_storage: str = setting(
        "Folder of the files that were released. Back it up with the database.", default="releases"
    )
    release_file_size_limit: int = setting(
        "Bytes that one released file may have.", default=16 * 1024 * 1024, check=positive
    )
    release_accel_redirect: str = setting(
        "Prefix below which nginx, for itself alone, has the folder of released files, such as "
        "/protected-releases/; nginx then sends their bytes. Without one the web processes do.",
        default="",
        check=optional_prefix,
    )
    media_storage: str = setting(
        "Folder of the organisations' logos. Back it up with the database.", default="media"
    )
    default_output_checking_github_org: str = setting(
        "GitHub owner of the output-checking repository of organisations without one of their own.",
        default="ebmdatalab",
    )
    default_output_checking_repo: str = setting(
        "Name of that repository.", default="opensafely-output-review"
    )
    tech_support_github_org: str = setting(
        "GitHub owner of the repository whose issues ask for repositories to be made public.",
        default="ebmdatalab",
    )
    tech_support_repo: str = setting("Name of that repository.", default="tech-support")
    default_output_checking_slack_channel: str = setting(
        "Channel told of release requests of organisations without one of their own.",
        default="opensafely-outputs",
    )
    publications_email: str = setting(
        "Address told of repositories with outputs on GitHub that a researcher signed off.",
        default="publications@opensafely.org",
    )
    publications_licence: str = setting(
        "Licence of published outputs: its name, then its address.", default="", check=optional_named_url
    )
    support_email: str = setting("Address that pages give for help.", default="tech@opensafely.org")
    trusted_proxies: str = setting(
        "Comma list of address prefixes of the proxies in front.", default="172.17.0."
    )
    csp_report_uri: str = setting("Where browsers report policy breaches.", default="", secret=True)
    log_level: str = setting(
        "Least severe level that is logged.", default="INFO", env="DJANGO_LOG_LEVEL", check=log_level
    )
    sentry_dsn: str = setting("Error tracker; off without one.", default="", secret=True)
    sentry_environment: str = setting("Name of this deployment there.", default="localhost")
    sentry_url: str = setting(
        "Where the error tracker shows what it was sent; without one there is no link to it.",
        default="",
        check=optional_url,
    )
    otel_exporter_otlp_endpoint: str = setting("Trace endpoint; off without one.", default="")
    otel_exporter_otlp_headers: str = setting("Headers for the trace endpoint.", default="", secret=True)
    otel_service_name: str = setting("Name under which traces are sent.", default="job-server")

    @property
    def old_secret_keys(self) -> tuple[str, ...]:
        """Keys that still verify what they signed."""
        return (self.old_secret_key,) if self.old_secret_key else ()


@dataclass(frozen=True)
class Row:
    """One line of the settings table: for the ``settings`` command and the documentation."""

    name: str
    env: str
    type: str
    required: bool
    default: str
    secret: bool
    help: str


def table() -> list[Row]:
    """Every setting in order."""
    rows = []
    for each in fields(Settings):
        described: Described = each.metadata["described"]
        required = each.default is dataclasses.MISSING
        rows.append(
            Row(
                each.name,
                _env_name(each.name, described),
                getattr(each.type, "__name__", str(each.type)),
                required,
                "" if required else str(each.default),
                described.secret,
                described.help,
            )
        )
    return rows


@dataclass(frozen=True)
class Loaded:
    """Settings together with where each value came from (``default``, ``ini`` or ``environment``)."""

    settings: Settings
    sources: dict[str, str]


def load(ini: Mapping[str, str], environ: Mapping[str, str]) -> Loaded:
    """Read the settings; :class:`SettingsError` lists everything that is wrong.

    An ini key is the field's name, with or without the prefix ``jobserver.``.
    """
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    faults: list[str] = []
    for each in fields(Settings):
        described: Described = each.metadata["described"]
        env = _env_name(each.name, described)
        raw, source = _find(each.name, env, ini, environ)
        if raw is None:
            sources[each.name] = "default"
            if each.default is dataclasses.MISSING:
                faults.append(f"{env} is missing. {described.help}")
            continue
        sources[each.name] = source
        values[each.name] = raw
        try:
            values[each.name] = value = converted(raw, each.type)
            fault = described.check(value) if described.check else None
        except ValueError as error:
            fault = str(error)
        if fault:
            faults.append(f"{env} (from the {source}) {fault}.")
    faults += _needed_outside_development(values)
    if faults:
        raise SettingsError(faults)
    return Loaded(Settings(**values), sources)  # type: ignore[arg-type]


# Development does without these; a deployment that lacks one would only find out at the first call.
NEEDED_OUTSIDE_DEVELOPMENT = ("base_url", "rap_api_base_url", "rap_api_token", "email_backend")


def _needed_outside_development(values: dict[str, object]) -> list[str]:
    if values.get("debug"):
        return []
    needed = dict.fromkeys(NEEDED_OUTSIDE_DEVELOPMENT, "")
    transport = str(values.get("email_backend", "")).lower()
    if "mailgun" in transport:
        needed["mailgun_api_key"] = " with mail by Mailgun"
    if "smtp" in transport:
        needed["smtp_url"] = " with mail by SMTP"
    printed = ["EMAIL_BACKEND must be smtp or mailgun outside development: mail would only be printed."]
    return (printed if "console" in transport else []) + [
        f"{name.upper()} is missing. It is needed outside development{why}."
        for name, why in needed.items()
        if not values.get(name)
    ]


def masked(settings: Settings) -> dict[str, str]:
    """The values as text, fit to be shown: secrets that are set become asterisks."""
    shown = {}
    for each in fields(settings):
        value = getattr(settings, each.name)
        secret = each.metadata["described"].secret
        shown[each.name] = MASK if secret and value else str(value)
    return shown


# Shorter ones stand in too many words that are none.
_SHORTEST_SECRET = 6
_ADDRESS_WITH_PASSWORD = re.compile(r"://[^:/@\s]*:([^@\s]+)@")
_BEFORE_THE_HOST = re.compile(r"://[^/@\s]+@")


def secret_values(settings: Settings) -> list[str]:
    """What must stand in no report and on no page: the secret settings, and passwords within addresses."""
    values = {str(getattr(settings, row.name)) for row in table() if row.secret}
    for password in _ADDRESS_WITH_PASSWORD.findall("\n".join(values)):
        values |= {password, unquote(password)}
    # An address comes before the password within it.
    return sorted((value for value in values if len(value) >= _SHORTEST_SECRET), key=len, reverse=True)


def without_secrets(words: str, secrets: Iterable[str]) -> str:
    """The words with asterisks in the place of each secret, and of whatever is before the @ of an address."""
    for secret in secrets:
        words = words.replace(secret, MASK)
    return _BEFORE_THE_HOST.sub(f"://{MASK}@", words)


def _env_name(name: str, described: Described) -> str:
    return described.env or name.upper()


def _find(name: str, env: str, ini: Mapping[str, str], environ: Mapping[str, str]) -> tuple[str | None, str]:
    if environ.get(env, "").strip():
        return environ[env].strip(), "environment"
    for key in (f"jobserver.{name}", name):
        if ini.get(key, "").strip():
            return ini[key].strip(), "ini file"
    return None, ""
