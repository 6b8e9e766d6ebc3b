-- name: add_note
-- $1 account, $2 route, $3 key or null, $4 person or null, $5 words
INSERT INTO route_note (account_id, route_id, key_id, person_id, words) VALUES ($1, $2, $3, $4, $5) RETURNING id;

-- name: notes_of_route
-- What was noted of a tour, the newest first: by dispatchers, by drivers of it or its stops, and by its driver at large while
-- it was under way. $1 route, $2 how many
SELECT note.id, NULL::uuid AS event_id, note.made_at AS at, coalesce(nullif(person.name, ''), person.email, api_key.label) AS name,
       NULL::bigint AS stop_id, note.words
  FROM route_note AS note
  LEFT JOIN person ON person.id = note.person_id
  LEFT JOIN api_key ON api_key.id = note.key_id
 WHERE note.route_id = $1
 UNION ALL
SELECT NULL, said.id, said.occurred_at, driver.name, said.stop_id, said.data ->> 'note'
  FROM driver_event AS said JOIN driver ON driver.id = said.driver_id
 WHERE said.route_id = $1 AND said.type <> 'reopened' AND said.data ->> 'note' <> ''
 UNION ALL
SELECT NULL, said.id, said.occurred_at, driver.name, NULL, said.data ->> 'note'
  FROM route JOIN driver ON driver.id = route.driver_id
  JOIN driver_event AS said ON said.driver_id = route.driver_id AND said.occurred_at >= coalesce(route.started_at, route.start_at)
   AND said.occurred_at <= coalesce(route.finished_at, route.end_at)
 WHERE route.id = $1 AND said.type = 'note' AND said.route_id IS NULL AND said.data ->> 'note' <> ''
 ORDER BY at DESC LIMIT $2;

-- name: drop_notes_of_words
-- Notes that hold a word of somebody. $1 account, $2 words, $3 how many
DELETE FROM route_note
 WHERE id = ANY (ARRAY(
       SELECT id FROM route_note
        WHERE account_id = $1
          AND EXISTS (SELECT FROM unnest($2::text[]) AS word WHERE word <> '' AND position(lower(word) IN lower(words)) > 0)
        ORDER BY id LIMIT $3))
RETURNING id;

-- name: drop_notes_of_driver
-- Notes of tours that a driver ever had. $1 driver, $2 how many
DELETE FROM route_note
 WHERE id = ANY (ARRAY(
       SELECT note.id FROM route_note AS note
        WHERE note.route_id IN (SELECT route_id FROM route_version WHERE driver_id = $1) ORDER BY note.id LIMIT $2))
RETURNING id;
