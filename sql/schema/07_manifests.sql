-- What a driver's phone is shown, as far as it takes to tell what changed since it asked. A version never stands for two
-- contents: content and version are written by whoever first sees that the content is another one.
CREATE TABLE manifest (
    driver_id  bigint PRIMARY KEY REFERENCES driver,
    version    bigint NOT NULL,  -- only grows: the second it was made in, or one more than the version before
    oldest     bigint NOT NULL   -- what changed since a version before this one is not known any more
);

-- A route without its stops, its path, or a stop. No foreign keys to them: what is gone is remembered for a while.
CREATE TABLE manifest_part (
    driver_id    bigint NOT NULL REFERENCES manifest,
    kind         text NOT NULL CHECK (kind IN ('route', 'path', 'stop')),
    id           bigint NOT NULL,  -- of the stop, else of the route
    route_id     bigint NOT NULL,
    digest       bytea NOT NULL,   -- of all that is shown
    rank         bigint,           -- of a stop of the tour: its place in the order, with room between two
    along_m      double precision, -- of a stop: in no digest, because another path moves all stops and changes none
    added_in     bigint NOT NULL,  -- versions
    changed_in   bigint NOT NULL,
    placed_in    bigint NOT NULL,  -- along_m changed
    removed_in   bigint,           -- null: it is shown
    why          text,             -- it was removed
    PRIMARY KEY (driver_id, kind, id)
);
