"""What people write back: words that mean "no more", in the languages of those who get messages, and "yes, again"."""

import re
import unicodedata

STOP = frozenset(
    [
        "STOP",
        "STOPALL",
        "CANCEL",
        "END",
        "QUIT",
        "REMOVE",
        "TD",
        "UNSUBSCRIBE",
        "OPTOUT",
        "ARRET",
        "BAJA",
        "SALIR",
        "CANCELAR",
        "SAIR",
        "PARAR",
        "PARE",
        "DETENER",
    ]
)
"""Words that carriers require (AWS, Telnyx), and those of Spanish and Portuguese."""

START = frozenset(["START", "UNSTOP", "ALTA", "INICIAR", "VOLTAR", "SUBSCRIBE"])

_WORDS = re.compile(r"[A-Z]+")
MOST_WORDS = 4
"""A sentence that holds such a word means something else."""


def meaning_of(text: str) -> str | None:
    """Say what a reply means for later messages: opted_out, opted_in, or None: nothing."""
    plain = unicodedata.normalize("NFKD", text[:200].upper().replace("OPT-OUT", "OPTOUT"))
    found = _WORDS.findall("".join(one for one in plain if not unicodedata.combining(one)))
    if not found or len(found) > MOST_WORDS:
        return None
    if found[0] in STOP:
        return "opted_out"
    return "opted_in" if found[0] in START and len(found) == 1 else None
