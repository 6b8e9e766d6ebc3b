-- name: drop_quarantined
-- Forget the oldest of what nobody could use. $1 received before, $2 at most so many
DELETE FROM quarantine
 WHERE id = ANY (ARRAY(SELECT id FROM quarantine WHERE received_at < $1 ORDER BY received_at LIMIT $2))
RETURNING id;

-- name: drop_detours
-- Forget the oldest detours, as the pings that they rest on are forgotten. $1 ended before, $2 at most so many
DELETE FROM detour
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM detour WHERE to_at < $1 ORDER BY to_at LIMIT $2))
RETURNING route_id;

-- name: drop_checkpoints
-- Forget places to start a re-run from that no late ping can need: each driver keeps the newest one before the limit,
-- because a re-run from the limit starts there. $1 the oldest time a ping may still come from, $2 at most so many
DELETE FROM checkpoint
 WHERE ctid = ANY (ARRAY(
       SELECT old.ctid FROM checkpoint AS old
        WHERE old.folded_until < $1
          AND EXISTS (SELECT FROM checkpoint AS newer
                       WHERE newer.lane = old.lane AND newer.driver_id = old.driver_id
                         AND newer.folded_until > old.folded_until AND newer.folded_until < $1)
        LIMIT $2))
RETURNING driver_id;

-- name: stops_to_forget
-- Stops of which nothing was said since a time and no proof is kept, oldest words first. $1 since when, $2 at most so many
SELECT DISTINCT stop_id
  FROM (SELECT old.stop_id FROM driver_event AS old
         WHERE old.occurred_at < $1 AND old.stop_id IS NOT NULL
           AND NOT EXISTS (SELECT FROM driver_event AS newer
                            WHERE newer.stop_id = old.stop_id AND newer.occurred_at >= $1)
           AND NOT EXISTS (SELECT FROM proof WHERE proof.stop_id = old.stop_id AND proof.stored_at IS NOT NULL)
         ORDER BY old.occurred_at LIMIT $2) AS words
 ORDER BY stop_id;

-- name: drop_words_of_stops
-- Forget all that was said of stops, of each at once: what becomes of a stop follows from all of it. Not of one of which
-- something was said meanwhile. $1 stops, $2 since when nothing was said
DELETE FROM driver_event AS old
 WHERE stop_id = ANY ($1::bigint[])
   AND NOT EXISTS (SELECT FROM driver_event AS newer WHERE newer.stop_id = old.stop_id AND newer.occurred_at >= $2)
RETURNING stop_id;

-- name: drop_unproven
-- Forget proofs that were named and never came. $1 stops
DELETE FROM proof
 WHERE stop_id = ANY ($1::bigint[]) AND state = 'pending'
   AND NOT EXISTS (SELECT FROM upload WHERE upload.driver_id = proof.driver_id AND upload.id = proof.upload_id
                                        AND upload.finished_at IS NULL AND upload.ended_at IS NULL);

-- name: drop_other_words
-- Forget what drivers said of no stop: shifts, breaks, starts of routes, notes. The last word in force before the limit
-- stays of each: what is said next is judged by it. $1 occurred before, $2 at most so many
DELETE FROM driver_event
 WHERE ctid = ANY (ARRAY(
       SELECT old.ctid FROM driver_event AS old
        WHERE old.occurred_at < $1 AND old.stop_id IS NULL
          AND (NOT old.effective OR old.type = 'note' OR old.id <> (
               SELECT id FROM driver_event AS last
                WHERE last.driver_id = old.driver_id AND last.occurred_at < $1 AND last.effective
                  AND last.type = ANY (CASE WHEN old.type IN ('shift_started', 'shift_ended')
                                            THEN ARRAY['shift_started', 'shift_ended']
                                            WHEN old.type IN ('break_started', 'break_ended')
                                            THEN ARRAY['break_started', 'break_ended', 'shift_ended']
                                            ELSE ARRAY[old.type] END)
                ORDER BY last.occurred_at DESC, last.id DESC LIMIT 1))
        ORDER BY old.occurred_at LIMIT $2))
RETURNING id;

-- name: old_lanes
-- Lanes of drivers of whom nothing new was seen for long. $1 since when, $2 how many drivers
SELECT DISTINCT lane
  FROM (SELECT lane FROM live WHERE recorded_at < $1
         UNION ALL
        SELECT lane FROM track
         WHERE state IS NOT NULL AND rerun_from IS NULL AND greatest(folded_until, head_at, stored_until) < $1
           AND greatest(folded_until, head_at, stored_until) > '-infinity'
         LIMIT $2) AS asleep
 ORDER BY lane;

-- name: drop_live
-- Show drivers nowhere who were not seen for long. The caller holds the lanes. $1 lanes, $2 since when, $3 at most so many
WITH beats AS (
    DELETE FROM heartbeat WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM heartbeat WHERE lane = ANY ($1::smallint[]) AND received_at < $2 LIMIT $3)))
DELETE FROM live
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM live WHERE lane = ANY ($1::smallint[]) AND recorded_at < $2 LIMIT $3))
RETURNING driver_id;

-- name: blank_tracks
-- Forget where drivers were when the last of their pings is forgotten: the next one begins a new history. The row stays with
-- its version, which trackers compare with what they remember. The caller holds the lanes.
-- $1 lanes, $2 since when nothing was heard, $3 at most so many
UPDATE track
   SET state = NULL, version = version + 1, folded_until = '-infinity', head_at = '-infinity',
       stored_until = '-infinity', unmarked = 0
 WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM track
        WHERE lane = ANY ($1::smallint[]) AND state IS NOT NULL AND rerun_from IS NULL
          AND greatest(folded_until, head_at, stored_until) < $2
          AND greatest(folded_until, head_at, stored_until) > '-infinity' LIMIT $3))
RETURNING lane, driver_id;

-- name: drop_marks
-- Columns of one length: $1 lane, $2 driver
DELETE FROM checkpoint USING unnest($1::smallint[], $2::bigint[]) AS gone (lane, driver)
 WHERE checkpoint.lane = gone.lane AND checkpoint.driver_id = gone.driver;

-- name: drop_reruns
-- Columns of one length: $1 lane, $2 driver
DELETE FROM rerun USING unnest($1::smallint[], $2::bigint[]) AS gone (lane, driver)
 WHERE rerun.lane = gone.lane AND rerun.driver_id = gone.driver;

-- name: blank_places
-- The feed keeps that something happened; where, it forgets with the pings. In the order of ids, as facts are numbered and
-- moved. $1 happened before, $2 at most so many
WITH old AS (
    SELECT event.id FROM event
     WHERE event.id = ANY (ARRAY(SELECT id FROM event
                                  WHERE occurred_at < $1 AND data ?| '{lat,lon,along_m,offset_m}'
                                  ORDER BY occurred_at LIMIT $2))
     ORDER BY event.id FOR NO KEY UPDATE
)
UPDATE event SET data = data - '{lat,lon,along_m,offset_m}'::text[] FROM old WHERE event.id = old.id
RETURNING event.id;

-- name: old_feeds
-- Accounts whose feed begins with what is too old. $1 known before, $2 how many
SELECT account.id
  FROM account
 CROSS JOIN LATERAL (SELECT known_at FROM event WHERE event.account_id = account.id AND seq > account.events_dropped
                      ORDER BY seq LIMIT 1) AS first
 WHERE first.known_at < $1 ORDER BY account.id LIMIT $2;

-- name: drop_entries
-- Forget the beginning of an account's feed, up to the first entry that is young enough: what is left has no gap.
-- $1 account, $2 known before, $3 at most so many
WITH held AS (
    SELECT events_dropped FROM account WHERE id = $1 FOR NO KEY UPDATE
), first AS (
    SELECT seq, known_at FROM event WHERE account_id = $1 AND seq > (SELECT events_dropped FROM held) ORDER BY seq LIMIT $3
), until AS (
    SELECT coalesce(min(seq) FILTER (WHERE known_at >= $2) - 1, max(seq)) AS seq FROM first
), told AS (
    UPDATE account SET events_dropped = until.seq FROM until WHERE id = $1 AND until.seq > events_dropped
)
DELETE FROM event USING until WHERE account_id = $1 AND event.seq <= until.seq
RETURNING event.id;

-- name: drop_visits
-- $1 began before, $2 at most so many
DELETE FROM visit
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM visit WHERE arrived_at < $1 ORDER BY arrived_at LIMIT $2))
RETURNING driver_id;

-- name: drop_geofence_versions
-- Versions that were in force long ago. $1 ended before, $2 at most so many
DELETE FROM geofence_version
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM geofence_version WHERE ended_at < $1 ORDER BY ended_at LIMIT $2))
RETURNING geofence_id;

-- name: drop_geofences
-- Deleted geofences without a version left. $1 geofences
DELETE FROM geofence
 WHERE id = ANY ($1::bigint[]) AND deleted_at IS NOT NULL
   AND NOT EXISTS (SELECT FROM geofence_version WHERE geofence_version.geofence_id = geofence.id);

-- name: old_manifests
-- Manifests that nobody asked for since long; one that is being read waits. $1 seconds since 1970, $2 how many
SELECT driver_id FROM manifest WHERE version < $1 LIMIT $2 FOR UPDATE SKIP LOCKED;

-- name: drop_manifest_parts
-- $1 drivers
DELETE FROM manifest_part WHERE driver_id = ANY ($1::bigint[]);

-- name: drop_manifests
-- $1 drivers
DELETE FROM manifest WHERE driver_id = ANY ($1::bigint[]);

-- name: drop_route_etas
-- ETAs of tours that ended long ago. Routes are numbered as they are made: the oldest of those with an ETA are looked at.
-- $1 ended before, $2 how many
DELETE FROM route_eta USING route
 WHERE route.id = route_eta.route_id AND route.end_at < $1
   AND route_eta.route_id = ANY (ARRAY(SELECT route_id FROM route_eta ORDER BY route_id LIMIT $2))
RETURNING route_eta.route_id;
