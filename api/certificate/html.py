"""A certificate as one HTML file: everything is inside, nothing is fetched, no script."""

import base64
from collections.abc import Sequence
from html import escape
from string import Template

from api.certificate.map import HEIGHT, WIDTH
from api.certificate.sheet import Picture, Row, Sheet
from api.http import assets
from api.pages.colours import legible

_PAGE = Template((assets.ROOT / "certificate.html").read_text(encoding="utf-8"))


def write_html(sheet: Sheet) -> str:
    """Lay a certificate out as a page."""
    return _PAGE.substitute(
        language=escape(sheet.language),
        title=escape(sheet.title),
        brand=f'<p class="brand">{escape(sheet.brand)}</p>' if sheet.brand else "",
        colour=escape(sheet.colour),
        legible=escape(legible(sheet.colour)),
        tone=sheet.tone,
        verdict=escape(sheet.verdict),
        verdict_more=escape(sheet.verdict_more),
        sections="".join(_section(title, rows) for title, rows in sheet.sections),
        map=_map(sheet),
        photos=_photos(sheet),
        signature=_signature(sheet),
        nothing=f'<p class="nothing">{escape(sheet.nothing)}</p>' if sheet.nothing else "",
        hashes=_hashes(sheet),
        footer="".join(f"<p>{escape(line)}</p>" for line in sheet.footer if line),
    )


def _section(title: str, rows: Sequence[Row]) -> str:
    lines = "".join(
        f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" if label else f'<dd class="whole">{escape(value)}</dd>'
        for label, value in rows
    )
    return f"<section><h2>{escape(title)}</h2><dl>{lines}</dl></section>"


def _map(sheet: Sheet) -> str:
    drawn, words = sheet.map, sheet.map_words
    x, y = drawn.stop
    path = " ".join(f"{px},{py}" for px, py in drawn.path)
    parts = [
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{escape(words.about)}">',
        f'<rect class="ground" width="{WIDTH:g}" height="{HEIGHT:g}" rx="8"/>',
        f'<polyline class="path" points="{path}"/>' if path else "",
        f'<circle class="fence" cx="{x}" cy="{y}" r="{drawn.fence}"/>',
    ]
    if drawn.place is not None:
        px, py = drawn.place
        parts += [
            f'<line class="between" x1="{x}" y1="{y}" x2="{px}" y2="{py}"/>',
            f'<circle class="place" cx="{px}" cy="{py}" r="6.5"/>',
        ]
    parts += [
        f'<path class="stop" d="M{x} {y}l-8 -14a9.3 9.3 0 1 1 16 0z"/>',
        f'<circle class="eye" cx="{x}" cy="{y - 18}" r="3"/>',
        f'<path class="bar" d="M14 {HEIGHT - 18:g}v5h{drawn.bar}v-5"/>',
        f'<text x="14" y="{HEIGHT - 23:g}">{drawn.bar_words}</text>',
        "</svg>",
    ]
    legend = f'<p class="legend"><i class="stop"></i>{escape(words.stop)}'
    if drawn.place is not None:
        legend += f' <i class="place"></i>{escape(words.place)}'
    return "".join(parts) + legend + "</p>"


def _photos(sheet: Sheet) -> str:
    if not sheet.photos:
        return ""
    shown = "".join(_figure(one) for one in sheet.photos)
    return f'<h2>{escape(sheet.photos_title)}</h2><div class="photos">{shown}</div>'


def _signature(sheet: Sheet) -> str:
    if sheet.signature is None:
        return ""
    return f'<h2>{escape(sheet.signature_title)}</h2><div class="signature">{_figure(sheet.signature)}</div>'


def _figure(picture: Picture) -> str:
    source = f"data:image/jpeg;base64,{base64.b64encode(picture.jpeg).decode()}"
    said = escape(picture.caption)
    ratio = picture.width_px / picture.height_px  # beside each other at one height, none of them cut
    return f'<figure style="flex:{ratio:.3f}"><img src="{source}" alt="{said}"><figcaption>{said}</figcaption></figure>'


def _hashes(sheet: Sheet) -> str:
    if not sheet.hashes:
        return ""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(digest)}</td></tr>" for name, digest in sheet.hashes)
    return f"<h2>{escape(sheet.hashes_title)}</h2><table>{rows}</table>"
