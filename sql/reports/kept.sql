-- name: punctuality
-- How promises were kept: arrivals against the first window that was promised and against the last, and of these what came
-- whole. Of a stop that took the place of one on another tour the first window is that one's. A van that never came to a
-- promised stop of a tour that is over missed it; one that was there without an arrival anybody knows is not judged.
-- $1 account, $2 from and $3 before which start of tours, $4 first and $5 last day or nulls, $6 driver or null, $7 depot or null
WITH tour AS (
    SELECT id, date, driver_id, depot_name, closed_at IS NOT NULL OR status IN ('finished', 'cancelled') AS is_over
      FROM route
     WHERE account_id = $1 AND start_at >= $2 AND start_at < $3 AND deleted_at IS NULL
       AND ($4::date IS NULL OR date BETWEEN $4 AND $5::date) AND ($7::text IS NULL OR depot_name = $7)
), first_said AS (
    SELECT DISTINCT ON (said.stop_id) said.stop_id, said.window_start, said.window_end
      FROM tour JOIN route_version AS plan ON plan.route_id = tour.id
     CROSS JOIN LATERAL unnest(plan.stop_ids, plan.stop_window_start, plan.stop_window_end)
             AS said (stop_id, window_start, window_end)
     WHERE said.window_end IS NOT NULL
     ORDER BY said.stop_id, plan.version
), one AS (
    SELECT tour.date AS day, coalesce(word.driver_id, seen.driver_id, tour.driver_id) AS driver_id, tour.depot_name AS depot,
           stop.arrived_at, stop.window_start AS last_start, stop.window_end AS last_end,
           coalesce(before.window_start, first_said.window_start, stop.window_start) AS first_start,
           coalesce(before.window_end, first_said.window_end, stop.window_end) AS first_end,
           CASE WHEN stop.arrived_at IS NOT NULL THEN 'came'
                WHEN stop.status IN ('completed', 'partially_completed', 'failed') THEN 'unknown'
                WHEN tour.is_over OR stop.status = 'skipped' THEN 'missed' ELSE 'open' END AS came,
           CASE WHEN stop.status <> 'completed' THEN false
                WHEN items.planned IS NULL THEN true
                WHEN word.driver_id IS NOT NULL THEN items.handed >= items.planned END AS is_full,
           items.planned, CASE WHEN word.driver_id IS NOT NULL THEN items.handed END AS handed
      FROM tour JOIN stop ON stop.route_id = tour.id
      LEFT JOIN first_said ON first_said.stop_id = stop.id
      LEFT JOIN LATERAL (
           SELECT was.window_start, was.window_end
             FROM moved_link AS moved JOIN stop AS was ON was.link_hash = moved.link_hash
            WHERE moved.stop_id = stop.id AND was.window_end IS NOT NULL ORDER BY was.id LIMIT 1) AS before ON true
      LEFT JOIN LATERAL (
           SELECT driver_id FROM visit WHERE visit.stop_id = stop.id ORDER BY visit.arrived_at DESC LIMIT 1) AS seen ON true
      LEFT JOIN LATERAL (
           SELECT driver_id, outcome FROM driver_event AS event
            WHERE event.stop_id = stop.id AND event.effective AND event.type IN ('completed', 'partially_completed')
              AND stop.status IN ('completed', 'partially_completed')
            ORDER BY event.occurred_at DESC, event.id DESC LIMIT 1) AS word ON true
      LEFT JOIN LATERAL (
           SELECT sum(quantity) AS planned,
                  (SELECT coalesce(sum((line ->> 'quantity')::int), 0)
                     FROM jsonb_array_elements(coalesce(word.outcome -> 'parcels', '[]')) AS line
                    WHERE line ->> 'seq' IS NOT NULL AND line ->> 'outcome' IN ('delivered', 'collected')) AS handed
             FROM parcel WHERE parcel.stop_id = stop.id) AS items ON true
     WHERE stop.kind NOT IN ('depot', 'break') AND (stop.removed_at IS NULL OR stop.outcome_at IS NOT NULL)
), judged AS (
    SELECT one.*,
           CASE WHEN first_end IS NULL THEN 'none' WHEN came <> 'came' THEN came WHEN arrived_at < first_start THEN 'early'
                WHEN arrived_at > first_end THEN 'late' ELSE 'on_time' END AS first,
           CASE WHEN last_end IS NULL THEN 'none' WHEN came <> 'came' THEN came WHEN arrived_at < last_start THEN 'early'
                WHEN arrived_at > last_end THEN 'late' ELSE 'on_time' END AS last
      FROM one WHERE $6::bigint IS NULL OR driver_id = $6
), counted AS (
    SELECT grouping(day, driver_id, depot) AS level, day, driver_id, depot, count(*) AS stops,
           count(*) FILTER (WHERE last = 'none') AS no_promise,
           count(*) FILTER (WHERE last = 'unknown') AS arrival_unknown, count(*) FILTER (WHERE last = 'open') AS still_open,
           count(*) FILTER (WHERE first IN ('on_time', 'early', 'late', 'missed')) AS first_n,
           count(*) FILTER (WHERE first = 'on_time') AS first_on_time, count(*) FILTER (WHERE first = 'early') AS first_early,
           count(*) FILTER (WHERE first = 'late') AS first_late, count(*) FILTER (WHERE first = 'missed') AS first_missed,
           round(avg(extract(epoch FROM arrived_at - first_end)) FILTER (WHERE first = 'late'), 1)::float8 AS first_late_mean_s,
           count(*) FILTER (WHERE last IN ('on_time', 'early', 'late', 'missed')) AS last_n,
           count(*) FILTER (WHERE last = 'on_time') AS last_on_time, count(*) FILTER (WHERE last = 'early') AS last_early,
           count(*) FILTER (WHERE last = 'late') AS last_late, count(*) FILTER (WHERE last = 'missed') AS last_missed,
           round(avg(extract(epoch FROM arrived_at - last_end)) FILTER (WHERE last = 'late'), 1)::float8 AS last_late_mean_s,
           count(*) FILTER (WHERE last IN ('on_time', 'early', 'late', 'missed') AND is_full IS NOT NULL) AS otif_n,
           count(*) FILTER (WHERE last = 'on_time' AND is_full) AS otif,
           count(*) FILTER (WHERE planned IS NOT NULL AND handed IS NOT NULL) AS items_n,
           coalesce(sum(planned) FILTER (WHERE handed IS NOT NULL), 0)::bigint AS items_planned,
           coalesce(sum(handed) FILTER (WHERE planned IS NOT NULL), 0)::bigint AS items_handed
      FROM judged GROUP BY GROUPING SETS ((), (day), (driver_id), (depot))
)
SELECT CASE level WHEN 7 THEN 'all' WHEN 3 THEN 'day' WHEN 5 THEN 'driver' ELSE 'depot' END AS by,
       coalesce(day::text, driver_id::text, depot) AS of, nullif(driver.name, '') AS name,
       stops, no_promise, arrival_unknown, still_open, first_n, first_on_time, first_early, first_late, first_missed,
       round(first_on_time / nullif(first_n, 0)::numeric, 4)::float8 AS first_on_time_share, first_late_mean_s, last_n,
       last_on_time, last_early, last_late, last_missed,
       round(last_on_time / nullif(last_n, 0)::numeric, 4)::float8 AS last_on_time_share, last_late_mean_s, otif_n, otif,
       round(otif / nullif(otif_n, 0)::numeric, 4)::float8 AS otif_share, items_n, items_planned, items_handed
  FROM counted LEFT JOIN driver ON driver.id = counted.driver_id
 ORDER BY level = 7 DESC, level, day, driver_id, depot;

-- name: plan_vs_actual
-- Tours as planned and as driven. Minutes are those of tours of which begin and end are known; in order is a stop that was
-- come to after one before it in the plan. $1 to $7 as in punctuality
WITH tour AS (
    SELECT id, date AS day, driver_id, depot_name AS depot, status, start_at, end_at, started_at, finished_at, length_m
      FROM route
     WHERE account_id = $1 AND start_at >= $2 AND start_at < $3 AND deleted_at IS NULL
       AND ($4::date IS NULL OR date BETWEEN $4 AND $5::date) AND ($7::text IS NULL OR depot_name = $7)
       AND ($6::bigint IS NULL OR driver_id = $6)
), one AS (
    SELECT tour.*, stops.*, detours.n AS detours, detours.length_m AS detours_m
      FROM tour
      LEFT JOIN LATERAL (
           SELECT count(*) AS stops,
                  count(*) FILTER (WHERE step.status IN ('completed', 'partially_completed')) AS done,
                  count(*) FILTER (WHERE step.status = 'failed') AS failed,
                  count(*) FILTER (WHERE step.status = 'skipped') AS skipped,
                  count(*) FILTER (WHERE step.status = 'left_open') AS left_open,
                  count(*) FILTER (WHERE step.status IN ('pending', 'arrived')) AS still_open,
                  count(step.before) AS order_n, count(*) FILTER (WHERE step.seq > step.before) AS in_order,
                  count(step.late_s) AS arrivals_n, sum(step.late_s) AS late_s
             FROM (SELECT stop.status, stop.seq,
                          CASE WHEN stop.arrived_at IS NOT NULL
                               THEN lag(stop.seq) OVER (PARTITION BY stop.arrived_at IS NULL ORDER BY stop.arrived_at, stop.seq)
                          END AS before,
                          extract(epoch FROM stop.arrived_at - stop.planned_arrival) AS late_s
                     FROM stop
                    WHERE stop.route_id = tour.id AND stop.kind NOT IN ('depot', 'break')
                      AND (stop.removed_at IS NULL OR stop.outcome_at IS NOT NULL)) AS step) AS stops ON true
      LEFT JOIN LATERAL (
           SELECT count(*) AS n, coalesce(sum(detour.length_m), 0) AS length_m
             FROM detour WHERE detour.route_id = tour.id) AS detours ON true
), counted AS (
    SELECT grouping(day, driver_id, depot) AS level, day, driver_id, depot, count(*) AS tours,
           count(*) FILTER (WHERE started_at IS NOT NULL) AS tours_started,
           count(*) FILTER (WHERE status = 'finished') AS tours_finished,
           count(*) FILTER (WHERE status = 'cancelled') AS tours_cancelled,
           coalesce(sum(stops), 0)::bigint AS stops, coalesce(sum(done), 0)::bigint AS done,
           coalesce(sum(failed), 0)::bigint AS failed, coalesce(sum(skipped), 0)::bigint AS skipped,
           coalesce(sum(left_open), 0)::bigint AS left_open, coalesce(sum(still_open), 0)::bigint AS still_open,
           coalesce(sum(order_n), 0)::bigint AS order_n, coalesce(sum(in_order), 0)::bigint AS in_order,
           coalesce(sum(arrivals_n), 0)::bigint AS arrivals_n,
           round((sum(late_s) / nullif(sum(arrivals_n), 0))::numeric, 1)::float8 AS late_mean_s,
           count(started_at) AS starts_n,
           round(avg(extract(epoch FROM started_at - start_at)), 1)::float8 AS start_late_mean_s,
           count(finished_at - started_at) AS minutes_n,
           coalesce(round(sum(extract(epoch FROM end_at - start_at)) FILTER (WHERE finished_at - started_at IS NOT NULL) / 60, 1),
                    0)::float8 AS minutes_planned,
           coalesce(round(sum(extract(epoch FROM finished_at - started_at)) / 60, 1), 0)::float8 AS minutes_actual,
           round(coalesce(sum(length_m), 0)::numeric / 1000, 3)::float8 AS km_planned,
           coalesce(sum(detours), 0)::bigint AS detours,
           round(coalesce(sum(detours_m), 0)::numeric / 1000, 3)::float8 AS km_detours
      FROM one GROUP BY GROUPING SETS ((), (day), (driver_id), (depot))
)
SELECT CASE level WHEN 7 THEN 'all' WHEN 3 THEN 'day' WHEN 5 THEN 'driver' ELSE 'depot' END AS by,
       coalesce(day::text, driver_id::text, depot) AS of, nullif(driver.name, '') AS name, tours, tours_started, tours_finished,
       tours_cancelled, stops, done, failed, skipped, left_open, still_open, order_n, in_order, arrivals_n, late_mean_s, starts_n,
       start_late_mean_s, minutes_n, minutes_planned, minutes_actual, km_planned, detours, km_detours
  FROM counted LEFT JOIN driver ON driver.id = counted.driver_id
 ORDER BY level = 7 DESC, level, day, driver_id, depot;

-- name: service_times
-- How long stops took, all visits of a stop together; not known where the van is still there, or silence says when it left.
-- Of places those with most stops. $1 to $7 as in punctuality, $8 how many places
WITH tour AS (
    SELECT id, date AS day, driver_id FROM route
     WHERE account_id = $1 AND start_at >= $2 AND start_at < $3 AND deleted_at IS NULL
       AND ($4::date IS NULL OR date BETWEEN $4 AND $5::date) AND ($7::text IS NULL OR depot_name = $7)
), one AS (
    SELECT tour.day, coalesce(been.driver_id, tour.driver_id) AS driver_id, stop.kind,
           round(stop.lat::numeric, 4) || ',' || round(stop.lon::numeric, 4) AS place, nullif(stop.address, '') AS address,
           stop.service_s AS planned_s, been.took_s
      FROM tour JOIN stop ON stop.route_id = tour.id
      JOIN LATERAL (
           SELECT max(visit.driver_id) AS driver_id,
                  CASE WHEN bool_and(visit.departed_at IS NOT NULL AND NOT visit.presumed)
                       THEN extract(epoch FROM sum(visit.departed_at - visit.arrived_at))::float8 END AS took_s
             FROM visit WHERE visit.stop_id = stop.id HAVING count(*) > 0) AS been ON true
     WHERE stop.kind NOT IN ('depot', 'break')
), counted AS (
    SELECT grouping(day, driver_id, kind, place) AS level, day, driver_id, kind, place, max(address) AS address, count(*) AS stops,
           count(took_s) AS n, round(avg(took_s)::numeric, 1)::float8 AS mean_s,
           round((percentile_cont(0.5) WITHIN GROUP (ORDER BY took_s))::numeric, 1)::float8 AS median_s,
           round((percentile_cont(0.9) WITHIN GROUP (ORDER BY took_s))::numeric, 1)::float8 AS p90_s,
           round((avg(planned_s) FILTER (WHERE took_s IS NOT NULL))::numeric, 1)::float8 AS planned_mean_s,
           count(DISTINCT place) AS places
      FROM one WHERE $6::bigint IS NULL OR driver_id = $6
     GROUP BY GROUPING SETS ((), (day), (driver_id), (kind), (place))
), ranked AS (
    SELECT counted.*, row_number() OVER (PARTITION BY level ORDER BY stops DESC, place) AS rank FROM counted
)
SELECT CASE level WHEN 15 THEN 'all' WHEN 7 THEN 'day' WHEN 11 THEN 'driver' WHEN 13 THEN 'kind' ELSE 'place' END AS by,
       coalesce(day::text, driver_id::text, kind, place) AS of,
       CASE level WHEN 14 THEN address ELSE nullif(driver.name, '') END AS name,
       stops, places, n, mean_s, median_s, p90_s, planned_mean_s
  FROM ranked LEFT JOIN driver ON driver.id = ranked.driver_id
 WHERE level <> 14 OR rank <= $8
 ORDER BY level = 15 DESC, level, day, driver_id, kind, rank;

-- name: reasons
-- What became of stops, why not, and how much was done at the first attempt. One before is a failure at the stop that was
-- opened again, or one of the same name on another tour that failed within $8 before: to the same contact, or nearby.
-- $1 to $7 as in punctuality, $9 how far in latitude and longitude is nearby
WITH tour AS (
    SELECT id, date AS day, driver_id FROM route
     WHERE account_id = $1 AND start_at >= $2 AND start_at < $3 AND deleted_at IS NULL
       AND ($4::date IS NULL OR date BETWEEN $4 AND $5::date) AND ($7::text IS NULL OR depot_name = $7)
), one AS (
    SELECT tour.day, coalesce(word.driver_id, tour.driver_id) AS driver_id, stop.status,
           stop.status IN ('failed', 'skipped') AS is_not_done, word.reason, word.reason_text,
           stop.status IN ('completed', 'partially_completed', 'failed') AS is_attempt,
           EXISTS (SELECT FROM driver_event AS event
                    WHERE event.stop_id = stop.id AND event.effective AND event.type = 'failed'
                      AND event.occurred_at < stop.outcome_at)
           OR EXISTS (SELECT FROM stop AS other
                       WHERE other.account_id = $1 AND other.external_id = stop.external_id AND other.id <> stop.id
                         AND other.kind = stop.kind AND other.status = 'failed' AND other.outcome_at < stop.outcome_at
                         AND other.outcome_at >= stop.outcome_at - $8::interval
                         AND (other.phone = stop.phone OR other.email = stop.email
                              OR abs(other.lat - stop.lat) <= $9::float8 AND abs(other.lon - stop.lon) <= $9)) AS was_tried
      FROM tour JOIN stop ON stop.route_id = tour.id
      LEFT JOIN LATERAL (
           SELECT driver_id, data ->> 'reason' AS reason, outcome ->> 'reason_text' AS reason_text FROM driver_event AS event
            WHERE event.stop_id = stop.id AND event.effective AND event.type = stop.status
            ORDER BY event.occurred_at DESC, event.id DESC LIMIT 1) AS word ON true
     WHERE stop.kind NOT IN ('depot', 'break') AND stop.status IN
           ('completed', 'partially_completed', 'failed', 'skipped', 'left_open')
), counted AS (
    SELECT grouping(day, driver_id, reason, is_not_done) AS level, day, driver_id, reason, is_not_done, count(*) AS stops,
           max(reason_text) AS reason_text,
           count(*) FILTER (WHERE status = 'completed') AS completed,
           count(*) FILTER (WHERE status = 'partially_completed') AS partially_completed,
           count(*) FILTER (WHERE status = 'failed') AS failed, count(*) FILTER (WHERE status = 'skipped') AS skipped,
           count(*) FILTER (WHERE status = 'left_open') AS left_open,
           count(*) FILTER (WHERE is_attempt AND NOT was_tried) AS first_attempts,
           count(*) FILTER (WHERE is_attempt AND NOT was_tried AND status <> 'failed') AS first_attempts_done
      FROM one WHERE $6::bigint IS NULL OR driver_id = $6
     GROUP BY GROUPING SETS ((), (day), (driver_id), (reason, is_not_done))
)
SELECT CASE level WHEN 15 THEN 'all' WHEN 7 THEN 'day' WHEN 11 THEN 'driver' ELSE 'reason' END AS by,
       coalesce(day::text, driver_id::text, reason) AS of,
       CASE level WHEN 12 THEN reason_text ELSE nullif(driver.name, '') END AS name,
       stops, completed, partially_completed, failed, skipped, left_open, first_attempts, first_attempts_done,
       round(first_attempts_done / nullif(first_attempts, 0)::numeric, 4)::float8 AS first_attempt_share
  FROM counted LEFT JOIN driver ON driver.id = counted.driver_id
 WHERE level <> 12 OR is_not_done
 ORDER BY level = 15 DESC, level, day, driver_id, stops DESC, reason;
