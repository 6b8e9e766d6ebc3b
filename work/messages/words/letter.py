"""The HTML of an e-mail: one column that fits a phone, dark and light; its only picture, the logo, comes with it."""

import re
from dataclasses import dataclass, field
from html import escape
from string import Template

from work.messages.words.catalog import words

_URL = re.compile(r"https?://[^\s<>\"]+")
_COLOUR = re.compile(r"#[0-9a-f]{6}")

LOGO_ID = "logo@reparto"
"""The `Content-ID` of the part of a mail that is its logo."""

_PAGE = Template(
    """<!doctype html>
<html lang="$language"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<title>$subject</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0; background: #f3f4f6; color: #1f2933;
       font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; overflow-wrap: anywhere; }
.sheet { max-width: 34rem; margin: 0 auto; padding: 24px 16px; }
.card { background: #ffffff; border-radius: 12px; padding: 24px; }
.brand { margin: 0 0 16px; font-weight: 700; font-size: 18px; }
.brand img { display: block; max-width: 100%; height: auto; }
p { margin: 0 0 16px; }
.card p:last-child { margin-bottom: 0; }
.button { display: inline-block; background: $colour; color: $on_colour; text-decoration: none; font-weight: 600;
          border-radius: 8px; padding: 12px 20px; }
.small { color: #52606d; font-size: 13px; margin: 16px 8px 0; }
.small a { color: inherit; }
@media (prefers-color-scheme: dark) {
  body { background: #111418; color: #e4e7eb; }
  .card { background: #1b2026; }
  .button { outline: 1px solid #52606d; }
  .brand img { padding: 8px; background: #ffffff; border-radius: 8px; }
  .small { color: #9aa5b1; }
}
</style></head>
<body><div class="sheet"><div class="card"><p class="brand">$brand</p>
$paragraphs
</div><p class="small">$footer$unsubscribe</p></div></body></html>
"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """A company's logo, a JPEG on white, and how large it is drawn, CSS pixels."""

    content: bytes = field(repr=False)
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """Who writes, and how their readers are addressed.

    Attributes:
        colour: #rrggbb, anything else: ours.
        logo: shown in the brand's place, and goes with the mail as `LOGO_ID`.
    """

    brand: str
    colour: str
    language: str
    form: str
    logo: Logo | None = None


def letter(body: str, head: Letterhead, *, kind: str, subject: str, unsubscribe: str) -> str:
    """Write the HTML part of an e-mail from its text: everything escaped, a line that is only an address is a button.

    Args:
        unsubscribe: address; empty: none.
    """
    said, brand = words(head.language, head.form)["layout"], head.brand
    button = said["button_of"].get(kind, said["button"])
    safe = head.colour if _COLOUR.fullmatch(head.colour) else "#0b7285"
    end = f' <a href="{escape(unsubscribe)}">{escape(_with(said["unsubscribe"], brand))}</a>' if unsubscribe else ""
    return _PAGE.substitute(
        language=head.language,
        subject=escape(subject),
        brand=_mark(head),
        colour=safe,
        on_colour="#ffffff" if _is_dark(safe) else "#111111",
        paragraphs="\n".join(_paragraph(part, button) for part in re.split(r"\n\s*\n", body) if part.strip()),
        footer=escape(_with(said["footer"], brand)),
        unsubscribe=end,
    )


def _mark(head: Letterhead) -> str:
    brand, logo = escape(head.brand), head.logo
    if logo is None:
        return brand
    return f'<img src="cid:{LOGO_ID}" width="{logo.width}" height="{logo.height}" alt="{brand}">'


def _paragraph(text: str, button: str) -> str:
    text = text.strip()
    if _URL.fullmatch(text):
        return f'<p><a class="button" href="{escape(text)}">{escape(button)}</a></p>'
    parts: list[str] = []
    at = 0
    for match in _URL.finditer(text):
        parts += [escape(text[at : match.start()]), f'<a href="{escape(match[0])}">{escape(match[0])}</a>']
        at = match.end()
    return f"<p>{''.join([*parts, escape(text[at:])])}</p>".replace("\n", "<br>\n")


def _with(text: str, brand: str) -> str:
    return text.replace("{{ brand }}", brand)


def _is_dark(colour: str) -> bool:
    """Tell whether white is read better on a colour than black (WCAG relative luminance)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.179
