"""What an application holds for all of its doors."""

from aiohttp import web

from ingest.doors.config import DoorsConfig
from ingest.inbox import Inbox

INBOX: web.AppKey[Inbox] = web.AppKey("inbox")
DOORS_CONFIG: web.AppKey[DoorsConfig] = web.AppKey("doors_config")
OLDEST_PING_DAYS: web.AppKey[float] = web.AppKey("oldest_ping_days")
