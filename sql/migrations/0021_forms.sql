-- Forms that are no reason to lose work.

ALTER TABLE proof ADD COLUMN whole boolean NOT NULL DEFAULT true;

CREATE TABLE heartbeat (
    lane         smallint NOT NULL,
    driver_id    bigint NOT NULL,
    received_at  timestamptz NOT NULL,
    battery      real,
    PRIMARY KEY (lane, driver_id)
) WITH (fillfactor = 50);
