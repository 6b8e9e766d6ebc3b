-- Orders from received to closed: on a plan that is done, on a route, over.

DROP INDEX delivery_order_due;
CREATE INDEX delivery_order_due ON delivery_order (account_id, earliest, latest) WHERE state IN ('ready', 'planned');

-- An order with what became of its stop, on whichever route it is by now.
CREATE VIEW order_now AS
SELECT one.id, one.account_id, one.external_id,
       CASE WHEN one.state <> 'assigned' THEN one.state
            WHEN stop.status IN ('completed', 'partially_completed', 'failed', 'skipped') THEN 'closed'
            WHEN stop.status = 'removed' THEN 'cancelled'
            ELSE one.state END AS state,
       one.quality, one.lat, one.lon, one.depot, one.earliest, one.latest, one.body, one.plan_id,
       coalesce(stop.route_id, one.route_id) AS route_id, stop.status AS stop_status, stop.id AS stop_id,
       stop.link_generation, stop.link_revoked_at, one.created_at, one.updated_at
  FROM delivery_order AS one
  LEFT JOIN LATERAL (
       SELECT id, route_id, status, link_generation, link_revoked_at FROM stop
        WHERE one.route_id IS NOT NULL AND account_id = one.account_id AND external_id = one.external_id
          AND id >= (SELECT first.id FROM stop AS first
                      WHERE first.route_id = one.route_id AND first.external_id = one.external_id)
        ORDER BY removed_at IS NOT NULL, id DESC LIMIT 1) AS stop ON true;

-- An order is planned while a plan that is done has it on a tour: the last one of them. A proposal is told to nobody.
CREATE FUNCTION note_planned() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    names text[] := ARRAY(SELECT visit ->> 'order' FROM jsonb_path_query(NEW.result, '$.tours[*].stops[*]') AS visit);
BEGIN
    UPDATE delivery_order SET state = 'planned', plan_id = NEW.id
     WHERE account_id = NEW.account_id AND state IN ('ready', 'planned') AND NEW.state = 'done'
       AND external_id = ANY (names);
    UPDATE delivery_order AS one SET plan_id = other.id, state = CASE WHEN other.id IS NULL THEN 'ready' ELSE 'planned' END
      FROM delivery_order AS left_out
      LEFT JOIN LATERAL (
           SELECT id FROM plan
            WHERE account_id = NEW.account_id AND date = NEW.date AND depot = NEW.depot AND state = 'done' AND id <> NEW.id
              AND NOT result ? 'proposal'
              AND jsonb_path_exists(result, '$.tours[*].stops[*] ? (@.order == $name)',
                                    jsonb_build_object('name', left_out.external_id))
            ORDER BY id DESC LIMIT 1) AS other ON true
     WHERE left_out.plan_id = NEW.id AND left_out.state = 'planned' AND one.id = left_out.id
       AND (NEW.state <> 'done' OR NOT left_out.external_id = ANY (names));
    RETURN NULL;
END $$;
CREATE TRIGGER plan_settled AFTER UPDATE OF state, result ON plan FOR EACH ROW
    WHEN ((OLD.state = 'done' OR NEW.state = 'done') AND NOT coalesce(NEW.result ? 'proposal', false)) EXECUTE FUNCTION note_planned();

UPDATE plan SET state = state WHERE state = 'done';
UPDATE delivery_order SET body = jsonb_set(body, '{doubt}', jsonb_build_object('why', body ->> 'doubt'))
 WHERE jsonb_typeof(body -> 'doubt') = 'string';
