"""What accounts choose for their pages can be read."""

import pytest

from api.pages.colours import is_dark, legible


@pytest.mark.parametrize("colour", ["#0b7285", "#000000", "#a61e4d"])
def test_a_colour_that_reads_well_stays(colour: str) -> None:
    assert legible(colour) == colour


@pytest.mark.parametrize("colour", ["#ffd43b", "#ffffff", "#2f9e44", "#ff922b"])
def test_a_light_colour_is_darkened_until_words_of_it_can_be_read(colour: str) -> None:
    made = legible(colour)
    assert made != colour
    assert is_dark(made)
    assert legible(made) == made
