"""The answer that is a label: for a recipient and for a dispatcher the same."""

from aiohttp import web

from api.http import ids
from api.http.app_keys import POOL, PROOFS
from api.returns.label import label_of
from sql.returns.returns import ReturnRow


async def answer_label(request: web.Request, row: ReturnRow, *, language: str) -> web.Response:
    """Answer with the label of a return as PDF.

    Raises:
        ReturnStateRefused: it has none.
    """
    from api.returns.drawn import draw  # half a second of loading: no process waits for it when it starts

    content = await request.app[PROOFS].slow(draw, await label_of(request.app[POOL], row, language=language))
    headers = {
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f'inline; filename="{ids.shown(ids.RETURN, row.id)}.pdf"',
    }
    return web.Response(body=content, content_type="application/pdf", headers=headers)
