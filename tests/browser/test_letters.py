"""E-mails as a phone shows them: every kind in every language, dark and light. `make screenshots` keeps them."""

import io
import os
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from work.messages.rules.kinds import KINDS
from work.messages.words.catalog import LANGUAGES, built_in, words
from work.messages.words.letter import LOGO_ID, Letterhead, Logo, letter
from work.messages.words.render import fill
from work.proofs.logos import drawn

SCREENS = os.environ.get("SCREENS")
PHONE = {"width": 320, "height": 640}
BRAND = "Distribuidora Panamericana"
LINK = "https://reparto.example/t/qDtYbDz0SCSAkEW02eCLW4H_"
WINDOWS = {
    "es": "hoy entre las 10:15 a.m. y las 12:30 p.m.",
    "pt": "hoje entre 10h15 e 12h30",
    "en": "today between 10:15 and 12:30",
}
DAYS = {"es": "hoy", "pt": "hoje", "en": "today"}
COLOURS = ("", "#ffd400", "#101820", "#e4003a")

_FAULTS = """() => {
  const light = (rgb) => {
    const [r, g, b] = rgb.match(/[0-9.]+/g).map((part) => part / 255)
      .map((part) => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = (element) => {
    const own = getComputedStyle(element).backgroundColor;
    return own === "rgba(0, 0, 0, 0)" ? ground(element.parentElement) : own;
  };
  const found = [];
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) found.push(`wider than the phone by ${wide}`);
  for (const element of document.querySelectorAll("p, a")) {
    const [one, other] = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
    const ratio = (one + .05) / (other + .05);
    if (ratio < 4.5) found.push(`${element.className || element.tagName} has a contrast of ${ratio.toFixed(1)}`);
    if (element.className === "button" && element.getBoundingClientRect().height < 44) found.push("a small button");
  }
  for (const { naturalWidth, alt, width, height } of document.images) {
    if (!naturalWidth || !alt) found.push("a picture that is not there, or has no name");
    if (width > 176 || height > 64) found.push(`a picture of ${width} to ${height}`);
  }
  return found;
}"""


def picture(width: int, height: int, colour: str) -> bytes:
    """Draw a logo, as it is kept: on white."""
    drawing = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(drawing).ellipse((8, 8, width - 8, height - 8), fill=colour)
    content = io.BytesIO()
    drawing.save(content, "JPEG")
    return content.getvalue()


LOGOS = (None, *(drawn(picture(*size, "#101820")) for size in ((320, 107), (320, 20), (90, 320), (24, 24))))


def written(kind: str, language: str, colour: str, logo: Logo | None) -> str:
    """Write an e-mail as it is shown, with a long name in it, and the part that is its logo in its place."""
    said = words(language)
    values = {"brand": BRAND, "first_name": "María", "window": WINDOWS[language], "day": DAYS[language], "link": LINK,
              "pickup": False, "thing": said["thing"], "reason": said["reasons"]["wrong_address"],
              "pin": "4711", "code": "123456", "order": "P-1",
              "ticket": "tk_1", "answer": "", "unsubscribe": LINK}  # fmt: skip
    subject, body = (fill(text or "", values) for text in built_in(kind, "email", language))
    head = Letterhead(brand=BRAND, colour=colour, language=language, form="tu", logo=logo)
    html = letter(body, head, kind=kind, subject=subject, unsubscribe=LINK.replace("t", "u"))
    shown = "" if logo is None else f"data:image/jpeg;base64,{b64encode(logo.content).decode()}"
    return html.replace(f"cid:{LOGO_ID}", shown)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_letter_fits_a_phone_and_can_be_read(browser: Any, scheme: str) -> None:
    page = await browser.new_page(viewport=PHONE, color_scheme=scheme)
    faults = []
    for place, kind in enumerate(KINDS):
        for language in LANGUAGES:
            await page.set_content(written(kind, language, COLOURS[place % len(COLOURS)], LOGOS[place % len(LOGOS)]))
            faults += [f"{kind} {language}: {one}" for one in await page.evaluate(_FAULTS)]
            if SCREENS:
                Path(SCREENS).mkdir(parents=True, exist_ok=True)
                await page.screenshot(path=f"{SCREENS}/email-{kind}-{language}-{scheme}.png", full_page=True)
    await page.close()
    assert faults == []
