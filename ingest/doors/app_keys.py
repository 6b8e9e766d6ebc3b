"""What an application holds for all of its doors."""

from aiohttp import web

from ingest.config import IngestConfig
from ingest.inbox import Inbox

INBOX: web.AppKey[Inbox] = web.AppKey("inbox")
INGEST_CONFIG: web.AppKey[IngestConfig] = web.AppKey("ingest_config")
