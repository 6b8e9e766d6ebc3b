"""One address, however it is written; and never two as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from work.addresses.text import normalised, person_of

SAME = [
    ("Calle 10 # 43-12", "CL 10 No. 43 - 12", "cll. 10 nº 43 12", "Clle 10 N° 43–12", "C/ 10 num 43-12"),
    ("Carrera 43 A # 1-50, Medellín", "Cra. 43A No 1 - 50 MEDELLIN", "KR 43a 1 50 medellín", "Kra 43 a #1-50 Medellin"),
    ("Av. Providencia 1234, Depto 56", "Avenida Providencia 1234 dpto. 56", "AVDA PROVIDENCIA Nº1234 DEPTO 56"),
    ("Rua São João, 15, apto 3", "R. Sao Joao 15 ap 3", "rua são joão nº 15 - apt. 3"),
    ("C/ de la Princesa, 5, 2ºA", "Calle Princesa 5 2º A"),
    ("Praça da Sé, s/n", "Pça. da Se S/N", "praca se sin numero"),
    ("Dg. 45 # 22 - 10 Int 3", "Diagonal 45 22 10 interior 3"),
    ("Alameda Santos 100", "Al. Santos, 100"),
]
OTHER = [
    ("Calle 10 # 43-12", "Calle 10 # 43-13"),
    ("Calle 10 # 43-12", "Carrera 10 # 43-12"),
    ("Calle 10 A # 43-12", "Calle 10 # 43-12"),
    ("Calle 1 # 23-4", "Calle 12 # 3-4"),
    ("Rua A 15", "Rua B 15"),
    ("Calle 10N # 43-12", "Calle 10 # 43-12"),
    ("Calle 10 C # 1-2", "Calle 10 # 1-2"),
    ("Rua São João 15 apto 3", "Rua São João 15 apto 4"),
]


@pytest.mark.parametrize("ways", SAME, ids=lambda ways: ways[0])
def test_ways_of_writing_are_one_address(ways):
    assert len({normalised(way) for way in ways}) == 1, [normalised(way) for way in ways]


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_two_addresses_stay_two(one, other):
    assert normalised(one) != normalised(other)


@given(st.text(max_size=80))
def test_what_was_written_one_way_stays_so(text):
    once = normalised(text)
    assert normalised(once) == once
    assert once == once.strip()


def test_a_person_is_the_same_by_phone_then_mail_then_name():
    assert person_of(phone="+57 300 123 4567", email="a@b.co", name="Ana") == person_of(
        phone="(300) 123-4567", email=None, name=None
    )
    assert person_of(phone="12", email=" Ana@B.co ", name="x") == "mail ana@b.co"
    assert person_of(phone=None, email=None, name="José  Ñáñez") == "name jose nanez"
    assert person_of(phone=None, email=None, name=None) == ""
