"""QR codes, as pictures that a page or an answer holds."""

import io

import segno


def qr_svg(text: str) -> str:
    """Draw a text as an SVG image, with the margin that cameras need."""
    image = io.BytesIO()
    segno.make(text, error="m", micro=False).save(image, kind="svg", scale=4, border=4, xmldecl=False, svgns=True)
    return image.getvalue().decode()
