"""Made-up tours, drives and phones: pure and seeded, for demos, load and tests.

May live here: what a city, a van and a phone do that nobody recorded: `tour` makes a tour, `drive` drives it (the
truth), `phone` reports it as a phone would: noisy, late, twice or never.
"""
