"""Cookies: what a browser carries for us besides its session, signed, and forgery protection.

Spec: access 6.1 and 6.2.
"""

from typing import Any
from urllib.parse import urlsplit

from pyramid.config import Configurator
from pyramid.csrf import CookieCSRFStoragePolicy
from pyramid.session import BaseCookieSessionFactory, JSONSerializer
from webob.cookies import SignedSerializer

from jobserver.security.policy import cookie_prefix
from jobserver.settings import Settings

YEAR = 31_449_600


class RotatingSerializer:
    """Signs with the present key and accepts what earlier keys signed."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.serializers = [
            SignedSerializer(key, "jobserver.session", "sha512", serializer=JSONSerializer()) for key in keys
        ]

    def dumps(self, value: Any) -> bytes:
        """The signed form."""
        signed: bytes = self.serializers[0].dumps(value)
        return signed

    def loads(self, signed: bytes) -> Any:
        """The value; ValueError if no key signed it."""
        for serializer in self.serializers[:-1]:
            try:
                return serializer.loads(signed)
            except ValueError:
                continue
        return self.serializers[-1].loads(signed)


def includeme(config: Configurator) -> None:
    """A signed cookie for flashes and a sign-in under way, and a token for every form."""
    settings: Settings = config.registry["settings"]
    base = urlsplit(settings.base_url)
    secure = base.scheme == "https"
    config.set_session_factory(
        BaseCookieSessionFactory(
            RotatingSerializer((settings.secret_key, *settings.old_secret_keys)),
            cookie_name=cookie_prefix(settings) + "carry",
            timeout=3600,
            reissue_time=300,
            secure=secure,
            httponly=True,
            samesite="Lax",
        )
    )
    config.set_csrf_storage_policy(
        CookieCSRFStoragePolicy(
            cookie_name=cookie_prefix(settings) + "csrftoken",
            secure=secure,
            httponly=True,
            max_age=YEAR,
            samesite="Lax",
        )
    )
    config.set_default_csrf_options(
        require_csrf=True,
        token="csrfmiddlewaretoken",  # noqa: S106 (a field's name)
        header="X-CSRFToken",
        allow_no_origin=True,
    )
    config.add_settings({"pyramid.csrf_trusted_origins": [base.netloc]})
