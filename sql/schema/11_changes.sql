-- What was written lately, for processes that answer from memory --------------------------------------------------
-- Not logged: after a crash every process reads everything anew anyway.
CREATE UNLOGGED TABLE change (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    by          xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    account_id  bigint NOT NULL,
    driver_id   bigint,  -- whose; null: nobody's, or everybody's where route_id is null too
    route_id    bigint   -- which; null: of the driver, or of everything
);
CREATE INDEX change_by ON change (by);

CREATE FUNCTION note_stops() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO change (account_id, driver_id, route_id)
    SELECT DISTINCT route.account_id, route.driver_id, route.id
      FROM written JOIN route ON route.id = written.route_id;
    RETURN NULL;
END $$;

CREATE FUNCTION note_driver_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO change (account_id, driver_id, route_id)
    SELECT DISTINCT account_id, driver_id, route_id FROM written;
    RETURN NULL;
END $$;

CREATE FUNCTION note_route() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO change (account_id, driver_id, route_id) VALUES (NEW.account_id, NEW.driver_id, NEW.id);
    IF TG_OP = 'UPDATE' AND OLD.driver_id IS DISTINCT FROM NEW.driver_id THEN
        INSERT INTO change (account_id, driver_id, route_id) VALUES (OLD.account_id, OLD.driver_id, OLD.id);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION note_driver() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO change (account_id, driver_id) VALUES (NEW.account_id, NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION note_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO change (account_id) VALUES (NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER stops_made AFTER INSERT ON stop REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION note_stops();
CREATE TRIGGER stops_changed AFTER UPDATE ON stop REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION note_stops();
CREATE TRIGGER stops_gone AFTER DELETE ON stop REFERENCING OLD TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION note_stops();
CREATE TRIGGER driver_events_made AFTER INSERT ON driver_event REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION note_driver_events();
CREATE TRIGGER driver_events_changed AFTER UPDATE ON driver_event REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION note_driver_events();
CREATE TRIGGER route_written AFTER INSERT OR UPDATE ON route FOR EACH ROW EXECUTE FUNCTION note_route();
CREATE TRIGGER driver_changed AFTER UPDATE OF name, deleted_at ON driver FOR EACH ROW EXECUTE FUNCTION note_driver();
CREATE TRIGGER account_changed AFTER UPDATE OF settings, name ON account FOR EACH ROW
    WHEN (OLD.settings IS DISTINCT FROM NEW.settings OR OLD.name IS DISTINCT FROM NEW.name)
    EXECUTE FUNCTION note_account();
