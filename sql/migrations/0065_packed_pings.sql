-- Pings take half the place. Nobody writes them meanwhile, and what phones send waits in the inbox; day by day, so that each
-- is read and written once.
SET LOCAL statement_timeout = 0;
LOCK TABLE ping IN ACCESS EXCLUSIVE MODE;
ALTER TABLE ping RENAME TO old_ping;
-- One row a fix; the view `ping` shows it in full units. As small as it gets, for there are billions: 56 bytes of columns where
-- it lies on a route (a test counts). Who the driver is, and the lane, follow from the phone; phones and routes stay below 2^31.
-- That a fix is there once is held by who writes: under the lock of its lane a tracker looks before it stores
-- (sql/pings/pings.sql); a unique key of the whole fix would take three times the place. No foreign keys: thousands of rows a
-- second would lock their device's and route's rows, and rows of those are never deleted while pings of them are kept.
CREATE TABLE packed_ping (
    recorded_at        timestamptz NOT NULL,
    device_id          integer NOT NULL,
    lat_e6             integer NOT NULL,
    lon_e6             integer NOT NULL,
    received_after_ms  real NOT NULL,      -- exact within 4.6 hours of recording, a quarter of a second after a month
    bits               integer NOT NULL DEFAULT 0,  -- sql/pings/packed.py: the flags, what was judged, what the phone said
    route_id           integer,
    route_version      integer,
    along_m            real,
    snapped_lat_e6     integer,
    snapped_lon_e6     integer,
    offset_dm          smallint,
    accuracy_dm        smallint,
    speed_cmps         smallint,
    heading_ddeg       smallint,
    altitude_m         real,
    activity           text,
    client_id          text
) PARTITION BY RANGE (recorded_at);
-- 16 bytes: at more, Postgres splits full pages of many phones in the middle and leaves halves empty. Without deduplication,
-- for there are no duplicates.
CREATE INDEX packed_ping_of_device ON packed_ping (device_id, recorded_at) WITH (deduplicate_items = off);

CREATE OR REPLACE FUNCTION make_ping_partition(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    name text := 'ping_' || to_char(day, 'YYYYMMDD');
    since timestamptz := day::timestamp AT TIME ZONE 'UTC';
    until timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass('public.' || name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE packed_ping INCLUDING ALL)', name);
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT day CHECK (recorded_at >= %L AND recorded_at < %L)', name, since, until);
    EXECUTE format('ALTER TABLE packed_ping ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, since, until);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT day', name);
    RETURN true;
END $$;

CREATE FUNCTION pg_temp.packed(value double precision, lowest integer) RETURNS smallint LANGUAGE sql IMMUTABLE RETURN
    CASE WHEN value IS NOT NULL THEN least(greatest(value, lowest), 32767) END::smallint;

DO $$
DECLARE
    day date;
    old text;
BEGIN
    FOR day, old IN
        SELECT to_date(right(child.relname, 8), 'YYYYMMDD'), 'old_' || child.relname
          FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
         WHERE inhparent = 'old_ping'::regclass ORDER BY 1
    LOOP
        EXECUTE format('ALTER TABLE %I RENAME TO %I', right(old, -4), old);
        PERFORM make_ping_partition(day);
        EXECUTE format(
            'INSERT INTO %I (recorded_at, device_id, lat_e6, lon_e6, received_after_ms, bits, route_id, route_version, along_m,
                             snapped_lat_e6, snapped_lon_e6, offset_dm, accuracy_dm, speed_cmps, heading_ddeg, altitude_m,
                             activity, client_id)
             SELECT date_trunc(''milliseconds'', recorded_at), device_id, lat_e6, lon_e6, to_ms(received_at) - to_ms(recorded_at),
                    flags | CASE WHEN believed IS NULL THEN 0 WHEN believed THEN 3 << 16 ELSE 1 << 16 END
                    | CASE WHEN on_route THEN 1 << 18 ELSE 0 END
                    | CASE WHEN charging IS NULL THEN 0 WHEN charging THEN 2 << 19 ELSE 1 << 19 END
                    | CASE WHEN mock IS NULL THEN 0 WHEN mock THEN 2 << 21 ELSE 1 << 21 END
                    | coalesce((round(battery::double precision * 100)::integer + 1) << 23, 0),
                    route_id, route_version, along_m, snapped_lat_e6, snapped_lon_e6,
                    pg_temp.packed(offset_m::double precision * 10, -32767),
                    pg_temp.packed(accuracy_m::double precision * 10, 1),
                    pg_temp.packed(speed_mps::double precision * 100, 0),
                    round(heading_deg::double precision * 10)::integer %% 3600, altitude_m, activity, client_id
               FROM %I ORDER BY device_id, recorded_at',
            'ping_' || to_char(day, 'YYYYMMDD'), old);
        EXECUTE format('DROP TABLE %I', old);
    END LOOP;
END $$;
DROP TABLE old_ping;

-- Pings in the units in which all others read them.
CREATE VIEW ping AS
SELECT (SELECT driver.lane FROM device JOIN driver ON driver.id = device.driver_id
         WHERE device.id = packed_ping.device_id) AS lane,
       device_id, recorded_at, lat_e6, lon_e6,
       (SELECT driver_id FROM device WHERE device.id = packed_ping.device_id) AS driver_id,
       recorded_at + received_after_ms * interval '1 millisecond' AS received_at,
       (accuracy_dm / 10.0::double precision)::real AS accuracy_m, altitude_m,
       (speed_cmps / 100.0::double precision)::real AS speed_mps,
       (heading_ddeg / 10.0::double precision)::real AS heading_deg,
       ((nullif((bits >> 23) & 127, 0) - 1) / 100.0::double precision)::real AS battery,
       nullif((bits >> 19) & 3, 0) = 2 AS charging, nullif((bits >> 21) & 3, 0) = 2 AS mock, activity, client_id,
       bits & 65535 AS flags,  -- geo/trust/clean.py: Flag
       CASE WHEN bits & 65536 <> 0 THEN bits & 131072 <> 0 END AS believed,  -- null until the tracker has judged it
       CASE WHEN route_id IS NOT NULL THEN bits & 262144 <> 0 END AS on_route,
       route_id, route_version, along_m, (offset_dm / 10.0::double precision)::real AS offset_m, snapped_lat_e6,
       snapped_lon_e6
  FROM packed_ping;

-- Trackers of the release before write `ping` itself: they wait, as for a lock, until they are replaced.
CREATE FUNCTION ping_is_packed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'pings are kept in packed_ping: replace the processes of the release before'
          USING ERRCODE = 'lock_not_available';
END $$;
CREATE TRIGGER ping_is_packed INSTEAD OF INSERT OR UPDATE OR DELETE ON ping
    FOR EACH ROW EXECUTE FUNCTION ping_is_packed();

-- at the end, for these wait for nobody and everybody who makes a phone or a route waits for them
ALTER SEQUENCE device_id_seq MAXVALUE 2147483647;
ALTER SEQUENCE route_id_seq MAXVALUE 2147483647;
