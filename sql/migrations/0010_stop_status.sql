-- What was said of a stop is walked through once, however much it is.

-- The status of a stop after all that was said of it so far, in the order of a window; null says nothing.
CREATE FUNCTION next_stop_status(status text, said text) RETURNS text LANGUAGE sql STABLE RETURN
    coalesce((SELECT to_status FROM stop_transition WHERE from_status = status AND event_type = said), status);
CREATE AGGREGATE stop_status (text) (SFUNC = next_stop_status, STYPE = text, INITCOND = 'pending');
