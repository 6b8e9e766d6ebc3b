-- Where vans park for an address: learned, and kept with each stop that is planned there.
ALTER TABLE address_seen DROP CONSTRAINT address_seen_source_check,
    ADD CONSTRAINT address_seen_source_check CHECK (source IN ('pin', 'proof', 'van', 'spot'));
ALTER TABLE stop ADD COLUMN park_lat double precision, ADD COLUMN park_lon double precision;
