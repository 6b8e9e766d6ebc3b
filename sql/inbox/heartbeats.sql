-- name: keep_heartbeat
-- A phone was heard of without a place: remember it, and look at its driver's silence, which may be over. Where an account
-- keeps only what was recorded in a shift, only during one. Gives whom to tell of; nothing where nobody is shown.
-- $1 driver, $2 received ms, $3 battery or null
WITH beat AS (
    INSERT INTO heartbeat AS known (lane, driver_id, received_at, battery)
    SELECT driver.lane, driver.id, from_ms($2), $3::real
      FROM driver JOIN account ON account.id = driver.account_id
     WHERE driver.id = $1 AND (account.shift_only_since IS NULL OR
           (SELECT type = 'shift_started' FROM driver_event
             WHERE driver_id = driver.id AND type IN ('shift_started', 'shift_ended') AND effective
             ORDER BY occurred_at DESC, id DESC LIMIT 1))
        ON CONFLICT (lane, driver_id) DO UPDATE SET received_at = excluded.received_at, battery = excluded.battery
     WHERE known.received_at <= excluded.received_at
    RETURNING lane, driver_id
), asleep AS (
    SELECT live.lane, live.driver_id FROM live JOIN beat USING (lane, driver_id)
     WHERE look_at = 'infinity' FOR UPDATE OF live SKIP LOCKED
), woken AS (
    UPDATE live SET look_at = now() FROM asleep WHERE live.lane = asleep.lane AND live.driver_id = asleep.driver_id
)
SELECT live.account_id, live.driver_id, coalesce(live.route_id, 0) AS route_id FROM live JOIN beat USING (lane, driver_id);
