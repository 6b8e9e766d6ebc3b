-- Where addresses are -------------------------------------------------------------------------------------------------

-- What deliveries saw of them, and pins that people set.
CREATE TABLE address_seen (
    account_id  bigint NOT NULL REFERENCES account,
    address     text NOT NULL,      -- normalised: work/addresses/text.py
    person      text NOT NULL,      -- who waits there, by phone, e-mail or name; empty: whoever does
    source      text NOT NULL CHECK (source IN ('pin', 'proof', 'van', 'spot')),
    stop_id     bigint NOT NULL,    -- that was delivered; 0: somebody set a pin
    lat         double precision NOT NULL,
    lon         double precision NOT NULL,
    seen_at     timestamptz NOT NULL,
    PRIMARY KEY (account_id, address, person, source, stop_id)
);
CREATE INDEX address_seen_age ON address_seen (seen_at);
CREATE INDEX address_seen_person ON address_seen (account_id, person);

CREATE TABLE geocoder (
    account_id  bigint PRIMARY KEY REFERENCES account,
    provider    text NOT NULL CHECK (provider IN ('nominatim', 'photon', 'pelias', 'google', 'here')),
    settings    jsonb NOT NULL,
    secrets     bytea,              -- sealed; null: it needs none
    trouble     text,               -- why it could not be asked the last time; null: it could
    updated_at  timestamptz NOT NULL DEFAULT now()
);

-- What a geocoder said, so that it is not asked twice. Nobody licenses keeping it for ever: geocoders/protocol.py.
CREATE TABLE geocode_answer (
    account_id  bigint NOT NULL REFERENCES account,
    provider    text NOT NULL,
    address     text NOT NULL,
    lat         double precision,   -- null: it is not found
    lon         double precision,
    quality     text,
    found_at    timestamptz NOT NULL,
    PRIMARY KEY (account_id, provider, address),
    CHECK (num_nonnulls(lat, lon, quality) IN (0, 3))
);
CREATE INDEX geocode_answer_age ON geocode_answer (found_at);

-- When a geocoder may be asked next, for all processes together. Not logged: a crash forgives.
CREATE UNLOGGED TABLE geocoder_turn (
    host     text PRIMARY KEY,
    next_at  timestamptz NOT NULL
);
