-- Re-runs that take more than one take: what happened in each until the fold is past where it had been. Then the feed is
-- told, and the rows go.
CREATE TABLE rerun (
    lane       smallint NOT NULL,
    driver_id  bigint NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    after_at   timestamptz NOT NULL,  -- folded again from after here, until the next row
    goal_at    timestamptz NOT NULL,  -- where the fold had been
    happened   bytea NOT NULL,        -- geo/state.py
    PRIMARY KEY (lane, driver_id, id)
);
