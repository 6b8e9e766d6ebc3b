-- What a session's time zone may change Postgres does not write into the place of a function that never changes: each call was
-- a query of its own, of which a tracker makes seven a driver. The epoch of a time in UTC is the same number, and is written.
CREATE OR REPLACE FUNCTION to_ms(at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE at WHEN '-infinity' THEN -9223372036854775808 WHEN 'infinity' THEN 9223372036854775807
            ELSE floor(extract(epoch FROM at AT TIME ZONE 'UTC') * 1000)::bigint END;
