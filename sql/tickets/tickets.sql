-- name: open_ticket
-- Nothing when one of the kind is open. $1 account, $2 stop, $3 kind, $4 opened by, $5 due at, $6 now
INSERT INTO ticket (account_id, stop_id, kind, state, opened_by, opened_at, updated_at, due_at)
VALUES ($1, $2, $3, 'open', $4, $6, $6, $5)
    ON CONFLICT (stop_id, kind) WHERE closed_at IS NULL DO NOTHING RETURNING id;

-- name: newest_of_kind
-- $1 stop, $2 kind
SELECT id FROM ticket WHERE stop_id = $1 AND kind = $2 ORDER BY id DESC LIMIT 1;

-- name: hold_ticket
-- $1 account, $2 ticket
SELECT ticket.id, ticket.account_id, ticket.stop_id, stop.route_id, stop.external_id AS "order", stop.lat, stop.lon,
       route.timezone, ticket.kind, ticket.state, ticket.opened_by, ticket.version, ticket.opened_at, ticket.updated_at, ticket.due_at, ticket.closed_at
  FROM ticket JOIN stop ON stop.id = ticket.stop_id JOIN route ON route.id = stop.route_id
 WHERE ticket.account_id = $1 AND ticket.id = $2 FOR NO KEY UPDATE OF ticket;

-- name: find_ticket
-- $1 account, $2 ticket
SELECT ticket.id, ticket.account_id, ticket.stop_id, stop.route_id, stop.external_id AS "order", stop.lat, stop.lon,
       route.timezone, ticket.kind, ticket.state, ticket.opened_by, ticket.version, ticket.opened_at, ticket.updated_at, ticket.due_at, ticket.closed_at
  FROM ticket JOIN stop ON stop.id = ticket.stop_id JOIN route ON route.id = stop.route_id
 WHERE ticket.account_id = $1 AND ticket.id = $2;

-- name: tickets_of_stop
-- $1 stop
SELECT ticket.id, ticket.account_id, ticket.stop_id, stop.route_id, stop.external_id AS "order", stop.lat, stop.lon,
       route.timezone, ticket.kind, ticket.state, ticket.opened_by, ticket.version, ticket.opened_at, ticket.updated_at, ticket.due_at, ticket.closed_at
  FROM ticket JOIN stop ON stop.id = ticket.stop_id JOIN route ON route.id = stop.route_id
 WHERE ticket.stop_id = $1 ORDER BY ticket.id;

-- name: page_of_tickets
-- The newest first. $1 account, $2 states or null, $3 kind or null, $4 stop or null, $5 external id of the stop or null,
-- $6 open or not or null, $7 due before or null, $8 before this id or null, $9 how many
SELECT ticket.id, ticket.account_id, ticket.stop_id, stop.route_id, stop.external_id AS "order", stop.lat, stop.lon,
       route.timezone, ticket.kind, ticket.state, ticket.opened_by, ticket.version, ticket.opened_at, ticket.updated_at, ticket.due_at, ticket.closed_at
  FROM ticket JOIN stop ON stop.id = ticket.stop_id JOIN route ON route.id = stop.route_id
 WHERE ticket.account_id = $1 AND ($2::text[] IS NULL OR ticket.state = ANY ($2)) AND ($3::text IS NULL OR ticket.kind = $3)
   AND ($4::bigint IS NULL OR ticket.stop_id = $4) AND ($5::text IS NULL OR stop.external_id = $5)
   AND ($6::boolean IS NULL OR (ticket.closed_at IS NULL) = $6) AND ($7::timestamptz IS NULL OR ticket.due_at < $7)
   AND ($8::bigint IS NULL OR ticket.id < $8)
 ORDER BY ticket.id DESC LIMIT $9;

-- name: move_ticket
-- $1 ticket, $2 state, $3 due at or null, $4 now
UPDATE ticket
   SET state = $2, version = version + 1, updated_at = $4,
       told_due = CASE WHEN due_at IS NOT DISTINCT FROM $3 THEN told_due ELSE 0 END, due_at = $3,
       closed_at = CASE WHEN $2 IN ('resolved', 'rejected') THEN coalesce(closed_at, $4) END
 WHERE id = $1;

-- name: add_entry
-- $1 ticket, $2 said by, $3 state after it, $4 words or null, $5 internal, $6 photos, $7 now
INSERT INTO ticket_entry (ticket_id, said_by, state, words, internal, photo_ids, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id;

-- name: entries_of
-- $1 tickets
SELECT id, ticket_id, said_by, state, words, internal, photo_ids, made_at FROM ticket_entry
 WHERE ticket_id = ANY ($1::bigint[]) ORDER BY ticket_id, id;

-- name: hold_due
-- $1 when what is due then is near, $2 now, $3 how many
SELECT ticket.id, ticket.account_id, ticket.stop_id, stop.route_id, stop.external_id AS "order", stop.lat, stop.lon,
       route.timezone, ticket.kind, ticket.state, ticket.opened_by, ticket.version, ticket.opened_at, ticket.updated_at, ticket.due_at, ticket.closed_at
  FROM ticket JOIN stop ON stop.id = ticket.stop_id JOIN route ON route.id = stop.route_id
 WHERE ticket.due_at IS NOT NULL AND ticket.told_due < 2 AND (ticket.due_at <= $2 OR ticket.told_due = 0 AND ticket.due_at <= $1)
 ORDER BY ticket.due_at LIMIT $3 FOR NO KEY UPDATE OF ticket SKIP LOCKED;

-- name: deadline_is_told
-- $1 ticket, $2 how far
UPDATE ticket SET told_due = $2 WHERE id = $1;

-- name: hold_unanswered
-- $1 since before when, $2 how many
SELECT ticket.id, ticket.account_id, ticket.stop_id, stop.route_id, stop.external_id AS "order", stop.lat, stop.lon,
       route.timezone, ticket.kind, ticket.state, ticket.opened_by, ticket.version, ticket.opened_at, ticket.updated_at, ticket.due_at, ticket.closed_at
  FROM ticket JOIN stop ON stop.id = ticket.stop_id JOIN route ON route.id = stop.route_id
 WHERE ticket.state = 'waiting_for_you' AND ticket.updated_at < $1
 ORDER BY ticket.updated_at LIMIT $2 FOR NO KEY UPDATE OF ticket SKIP LOCKED;
