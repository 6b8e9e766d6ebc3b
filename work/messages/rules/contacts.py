"""Addresses of recipients in one way of writing each, or why they cannot be reached."""

from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberType

_ARGENTINA = 54
_NO_SMS = {
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
    PhoneNumberType.PAGER,
}


@lru_cache(maxsize=16_384)
def phone_of(text: str, country: str | None) -> str | None:
    """Write a number as E.164; one without a country's code is of `country`. None: it is none that messages reach."""
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    if number.country_code == _ARGENTINA and phonenumbers.number_type(number) is PhoneNumberType.FIXED_LINE:
        return phone_of(f"+549{number.national_number}", None)  # mobiles are written without their 9 there
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) in _NO_SMS:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def country_of_phone(e164: str) -> str | None:
    """Give the country of a number (ISO 3166-1 alpha-2); None where it is of none."""
    region = phonenumbers.region_code_for_number(phonenumbers.parse(e164))
    return region if region and region != "001" else None


@lru_cache(maxsize=16_384)
def email_of(text: str) -> str | None:
    """Write an e-mail address in one way: normalised, its domain in lower case. None: it is none."""
    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return None
    return found.normalized.lower()


def address_for(
    channel: str, *, phone: str | None, email: str | None, stop_id: int, country: str | None, has_browsers: bool
) -> str | None:
    """Give the address that a channel reaches somebody at; None: it does not.

    `log` reaches everybody, `push` the browsers that asked for it at the stop.
    """
    number = phone_of(phone, country) if phone else None
    mail = email_of(email) if email else None
    match channel:
        case "email":
            return mail
        case "sms" | "whatsapp":
            return number
        case "push":
            return f"st_{stop_id}" if has_browsers else None
        case "log":
            return number or mail or f"st_{stop_id}"
    return None


def written(address: str) -> str:
    """Write an address that somebody gave in the way in which it is kept, where it can be read at all."""
    return (email_of(address) if "@" in address else phone_of(address, None)) or address.strip()
