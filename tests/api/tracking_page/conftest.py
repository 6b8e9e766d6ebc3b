"""A recipient, as the portal's tests have one."""

from tests.api.portal.conftest import app_parts, recipient

__all__ = ["app_parts", "recipient"]
