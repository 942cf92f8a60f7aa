"""Log lines, traces and error reports: structured, and off unless configured (spec: operations 7)."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from jobserver.settings import Settings, secret_values, without_secrets

# Its lines are about requests that went wrong, not about what did (spec: operations 7.3).
REQUEST_LOG = "jobserver.request"
REPORTED = frozenset({"error", "exception", "critical"})

_done: set[str] = set()


def configure(settings: Settings) -> None:
    """Set up logging, and tracing and error reports if the settings ask for them; once per process."""
    if "logging" not in _done:
        _done.add("logging")
        _configure_logging(settings)
    if settings.sentry_dsn and "sentry" not in _done:
        _done.add("sentry")
        _configure_sentry(settings)
    if settings.otel_exporter_otlp_endpoint and "otel" not in _done:
        _done.add("otel")
        _configure_tracing(settings)


def _configure_logging(settings: Settings) -> None:
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = (
        # Without the values of variables: they take seconds to print, and secrets are among them.
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
        if settings.debug
        else structlog.processors.JSONRenderer(sort_keys=True)
    )
    if settings.debug:
        shared.remove(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[_report, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in ("jobserver", "procrastinate"):
        logging.getLogger(name).setLevel(settings.log_level.upper())


def _configure_sentry(settings: Settings) -> None:
    import sentry_sdk
    from sentry_sdk.integrations.logging import ignore_logger

    secrets = secret_values(settings)

    def scrub(event: Any, _hint: Any) -> Any:
        return _scrubbed(event, secrets)

    # These lines are sent by _report, once and under their own names.
    ignore_logger("jobserver*")
    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        environment=settings.sentry_environment,
        before_send=scrub,
        # Who asked for which page. What is off holds proofs of who people are, or what they wrote.
        data_collection={
            "user_info": True,
            "cookies": {"mode": "off"},
            "http_headers": {"request": {"mode": "allowlist", "terms": ["user-agent", "accept", "content-"]}},
            "http_bodies": [],
            "url_query_params": {"mode": "off"},
            "stack_frame_variables": False,
            "database_query_data": False,
        },
    )


def _report(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Send a line of level error to the error tracker: its exception, or its name if it has none."""
    if "sentry" not in _done or method not in REPORTED or logger.name == REQUEST_LOG:
        return event
    import sentry_sdk

    error = event.get("exc_info")
    if error is True:
        error = sys.exc_info()[1]
    with sentry_sdk.new_scope() as scope:
        scope.set_tag("event", event["event"])
        bound = structlog.contextvars.get_contextvars()
        scope.set_context("log", {**bound, **event, "logger": logger.name, "exc_info": None})
        if error:
            scope.capture_exception(error)
        else:
            scope.capture_message(event["event"], level="error")
    return event


def _scrubbed(value: Any, secrets: list[str]) -> Any:
    """The value with every secret in it replaced by asterisks."""
    if isinstance(value, str):
        return without_secrets(value, secrets)
    if isinstance(value, dict):
        return {key: _scrubbed(each, secrets) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(each, secrets) for each in value]
    return value


def _configure_tracing(settings: Settings) -> None:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.requests import RequestsInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    headers = dict(
        part.split("=", 1) for part in settings.otel_exporter_otlp_headers.split(",") if "=" in part
    )
    exporter = OTLPSpanExporter(
        endpoint=settings.otel_exporter_otlp_endpoint.rstrip("/") + "/v1/traces", headers=headers
    )
    provider = TracerProvider(resource=Resource.create({"service.name": settings.otel_service_name}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    RequestsInstrumentor().instrument()
