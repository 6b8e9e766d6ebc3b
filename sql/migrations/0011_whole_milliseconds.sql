-- A time finer than a millisecond is cut, as it is everywhere else; it was rounded.

CREATE OR REPLACE FUNCTION to_ms(at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE at WHEN '-infinity' THEN -9223372036854775808 WHEN 'infinity' THEN 9223372036854775807
            ELSE floor(extract(epoch FROM at) * 1000)::bigint END;
