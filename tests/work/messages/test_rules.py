"""Rules without a clock or a database: hours, parts, receipts, windows, replies, addresses, texts."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from work.links import message_of_token, unsubscribe_token
from work.messages.answers.replies import meaning_of
from work.messages.answers.state import raised
from work.messages.rules.contacts import email_of, phone_of
from work.messages.rules.hours import country_of, is_holiday, not_before, zone_at
from work.messages.rules.kinds import KINDS, KindSettings, QuietHours
from work.messages.words.catalog import FORMS, LANGUAGES, built_in, words
from work.messages.words.gsm7 import count_parts, unaccented
from work.messages.words.letter import Letterhead, letter
from work.messages.words.render import BadText, fill, unknown_in
from work.messages.words.windows import day_words, window_words

BOGOTA, MADRID = "America/Bogota", "Europe/Madrid"


def local(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "zone", "leaves"),
    [
        ("2026-03-02T07:59", BOGOTA, "2026-03-02T08:00"),
        ("2026-03-02T08:00", BOGOTA, "2026-03-02T08:00"),
        ("2026-03-02T20:59", BOGOTA, "2026-03-02T20:59"),
        ("2026-03-02T21:00", BOGOTA, "2026-03-03T08:00"),
        ("2026-03-28T23:00", MADRID, "2026-03-29T08:00"),  # the clock goes forward that night
        ("2026-10-24T23:30", MADRID, "2026-10-25T08:00"),  # and back
    ],
)
def test_quiet_hours_are_those_of_the_address(at, zone, leaves):
    now = local(at, zone)
    assert not_before(KindSettings(), now, zone=zone, any_hour=False) == local(leaves, zone)
    assert not_before(KindSettings(), now, zone=zone, any_hour=True) == now
    assert not_before(KindSettings(quiet_hours=None), now, zone=zone, any_hour=False) == now


def test_what_does_not_concern_today_waits_for_a_workday():
    waits = KindSettings(wait_for_workday=True)
    thursday = local("2026-04-02T10:00", BOGOTA)  # Holy Thursday and Good Friday are holidays in Colombia
    assert not_before(waits, thursday, zone=BOGOTA, any_hour=False) == local("2026-04-04T08:00", BOGOTA)
    sunday = local("2026-03-01T22:00", BOGOTA)
    assert not_before(waits, sunday, zone=BOGOTA, any_hour=False) == local("2026-03-02T08:00", BOGOTA)
    assert not_before(KindSettings(), thursday, zone=BOGOTA, any_hour=False) == thursday


def test_quiet_hours_may_lie_within_a_day():
    siesta = KindSettings(quiet_hours=QuietHours(start="13:00", end="16:00"))
    assert not_before(siesta, local("2026-03-02T13:30", MADRID), zone=MADRID, any_hour=False) == local(
        "2026-03-02T16:00", MADRID
    )
    late = local("2026-03-02T23:30", MADRID)
    assert not_before(siesta, late, zone=MADRID, any_hour=False) == late


def test_a_place_has_a_zone_and_a_country():
    assert (zone_at(6.2442, -75.569, "UTC"), country_of(BOGOTA)) == (BOGOTA, "CO")
    assert country_of(zone_at(-34.6, -58.4, "UTC")) == "AR"
    assert zone_at(0.0, -30.0, BOGOTA) == BOGOTA  # the middle of the Atlantic
    assert country_of("UTC") is None
    assert is_holiday(date(2026, 12, 25), "MX")
    assert not is_holiday(date(2026, 12, 24), "ZZ")


_EXTENDED = "^{}\\[~]|€"


@pytest.mark.parametrize(
    ("text", "parts", "encoding"),
    [
        ("a" * 160, 1, "GSM-7"),
        ("a" * 161, 2, "GSM-7"),
        ("a" * 306, 2, "GSM-7"),
        ("a" * 307, 3, "GSM-7"),
        ("éñü¿¡Çà" * 22 + "aaaaaa", 1, "GSM-7"),
        ("€" * 80, 1, "GSM-7"),
        ("€" * 81, 2, "GSM-7"),
        ("a" * 152 + "€" + "a" * 153, 3, "GSM-7"),  # an escape is not parted from its character
        ("á" * 70, 1, "UCS-2"),
        ("á" * 71, 2, "UCS-2"),
        ("😀" * 35, 1, "UCS-2"),
        ("a" * 66 + "😀" + "a" * 66, 3, "UCS-2"),  # nor a pair of surrogates
        ("", 1, "GSM-7"),
    ],
)
def test_parts_are_counted_as_gateways_do(text, parts, encoding):
    counted = count_parts(text)
    assert (counted.parts, counted.encoding) == (parts, encoding)


def test_the_alphabet_is_that_of_the_standard():
    from codecs import lookup

    import gsm0338

    assert gsm0338
    codec = lookup("gsm03.38")
    for number in range(1, 0x2100):
        character = chr(number)
        if character in "\f\x1b":
            continue
        try:
            known = codec.encode(character, "strict")[0]
        except UnicodeError:
            known = b""
        assert (count_parts(character).encoding == "GSM-7") == bool(known), hex(number)


@given(st.text(alphabet="áéíóúñ¿¡ãõçabc ºª“”–…", max_size=400))
def test_without_accents_a_text_is_never_dearer(text):
    assert count_parts(unaccented(text)).parts <= count_parts(text).parts
    assert count_parts(unaccented(text)).encoding == "GSM-7"


def test_receipts_end_alike_in_whatever_order_they_come():
    for order in permutations(("sent", "failed", "delivered", "read", "sent", "delivered")):
        state = "queued"
        for said in order:
            state = raised(state, said) or state
        assert state == "read"
    assert raised("sent", "failed") == "failed"
    assert raised("failed", "sent") is None
    assert raised("delivered", "failed") is None
    assert raised("suppressed", "delivered") is None


NOW = local("2026-03-02T10:07", BOGOTA)


@pytest.mark.parametrize(
    ("language", "country", "said"),
    [
        ("es", "CO", "hoy entre las 2:00 p.m. y las 3:15 p.m."),
        ("es", "AR", "hoy entre las 14:00 y las 15:15"),
        ("pt", "BR", "hoje entre 14h e 15h15"),
        ("en", "US", "today between 2:00 pm and 3:15 pm"),
        ("en", "GB", "today between 14:00 and 15:15"),
    ],
)
def test_a_window_is_written_as_its_reader_writes_times(language, country, said):
    low, high = local("2026-03-02T14:07", BOGOTA), local("2026-03-02T15:02", BOGOTA)
    assert window_words(low, high, NOW, zone=BOGOTA, language=language, country=country) == said


def test_a_sentence_that_ends_in_a_time_has_one_point():
    assert fill("Llegamos a las {{ window }}. Ya.", {"window": "3:15 p.m."}) == "Llegamos a las 3:15 p.m. Ya."
    assert fill("{{ window }}...", {"window": "3:15 a.m."}) == "3:15 a.m...."


def test_a_window_is_never_a_minute():
    at = local("2026-03-03T13:00", BOGOTA)
    said = window_words(at, at, NOW, zone=BOGOTA, language="es", country="MX")
    assert said == "mañana entre las 13:00 y las 13:30"
    assert window_words(
        local("2026-03-02T01:00", BOGOTA), at, NOW, zone=BOGOTA, language="es", country=None
    ).startswith("hoy entre la 1:00 y")


def test_a_window_in_the_night_in_which_clocks_change_is_as_long_as_it_is():
    low = datetime(2027, 11, 7, 5, 45, tzinfo=UTC)  # a quarter to two, for the first time
    high = low + timedelta(minutes=45)
    said = window_words(low, high, low, zone="America/New_York", language="en", country="US")
    assert said == "today between 1:45 am and 1:30 am"


def test_days_have_names():
    today = date(2026, 3, 2)
    assert day_words(date(2026, 3, 6), today, "es") == "el viernes 6 de marzo"
    assert day_words(date(2026, 3, 7), today, "pt") == "no sábado 7 de março"
    assert day_words(date(2026, 3, 6), today, "pt") == "na sexta-feira 6 de março"
    assert day_words(date(2026, 3, 6), today, "en") == "on Friday, March 6"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything(language):
    def keys(value):
        return {name: keys(inner) for name, inner in value.items()} if isinstance(value, dict) else None

    assert keys(words(language)) == keys(words("es"))
    for form in FORMS:
        for kind in KINDS:
            for channel in ("sms", "email"):
                subject, body = built_in(kind, channel, language, form)
                assert unknown_in(body) == []
                assert unknown_in(subject or "") == []
                assert "[" not in body
                assert "{{ link }}" in body or kind in ("code", "locked") or (kind, channel) == ("pin", "sms")
                if channel == "sms":
                    assert body.startswith("{{ brand }}: ")


def test_spanish_has_three_ways_to_say_you():
    said = {form: built_in("failed", "email", "es", form)[1] for form in FORMS}
    assert "qué puedes cambiar" in said["tu"]
    assert "su pedido" in said["usted"]
    assert "podés" in said["vos"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("STOP", "opted_out"),
        ("stop.", "opted_out"),
        ("Báj a", None),
        ("opt-out", "opted_out"),
        ("Cancelar por favor", "opted_out"),
        ("no quiero que paren", None),
        ("por favor cancelar la cita de mañana temprano", None),
        ("START", "opted_in"),
        ("start me up", None),
        ("", None),
        ("😀", None),
    ],
)
def test_replies_mean_something(text, meant):
    assert meaning_of(text) == meant


def test_addresses_have_one_way_of_writing():
    assert phone_of("300 111 2233", "CO") == phone_of("+57 (300) 111-2233", None) == "+573001112233"
    assert phone_of("11 5555-1234", "AR") == phone_of("011 15 5555-1234", "AR") == "+5491155551234"
    assert phone_of("601 234 5678", "CO") is None  # a fixed line
    assert phone_of("300 111 2233", None) is None
    assert phone_of("abc", "CO") is None
    assert email_of("Ana.Restrepo@Correo.com") == "ana.restrepo@correo.com"
    assert email_of("ana@") is None
    assert email_of("ana\n@b.com") is None


def test_a_text_cannot_cost_much_or_become_long():
    for text in (
        "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
        "{{ 'a' * 100000000 }}",
        "{{ 'aaaaaaaaaa'|replace('a', 'aaaaaaaaaa' * 500) }}",
        "{{ brand * 9000 }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ nobody() }}",
        "{% include 'x' %}",
    ):
        with pytest.raises(BadText):
            fill(text, {"brand": "ab"})


def test_nothing_in_a_text_breaks_out_of_a_letter():
    html = letter(
        '<script>alert(1)</script>\n\nhttps://reparto.example/t/"><b>\n\n& "ñ"',
        Letterhead(brand="<i>Tienda</i>", colour="red;}", language="es", form="tu"),
        kind="booked",
        subject="</title><script>",
        unsubscribe='https://x/u/"',
    )
    assert "<script>" not in html
    assert "<i>" not in html
    assert "<b>" not in html
    assert "red;" not in html


def test_tokens_name_a_message_and_cannot_be_guessed():
    secret = b"s" * 32
    for number in (1, 59, 2**62):
        token = unsubscribe_token(secret, number)
        assert message_of_token(secret, token) == number
        assert message_of_token(b"t" * 32, token) is None
        assert message_of_token(secret, token[:-1]) is None
    for token in ("", ".", "a" * 5000, "\ud800", "l.x", "ñ.x"):
        assert message_of_token(secret, token) is None
