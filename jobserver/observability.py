"""Log lines, traces and error reports: structured, and off unless configured (spec: operations 7)."""

import logging
import sys
from typing import Any

import structlog

from jobserver.settings import MASK, Settings

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
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
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

    secrets = [value for value in _secret_values(settings) if len(value) > 4]

    def scrub(event: Any, _hint: Any) -> Any:
        return _scrubbed(event, secrets)

    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        environment=settings.sentry_environment,
        before_send=scrub,
        send_default_pii=True,
    )


def _secret_values(settings: Settings) -> list[str]:
    from dataclasses import fields

    return [
        str(getattr(settings, each.name)) for each in fields(settings) if each.metadata["described"].secret
    ]


def _scrubbed(value: Any, secrets: list[str]) -> Any:
    """The value with every secret in it replaced by asterisks."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
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
