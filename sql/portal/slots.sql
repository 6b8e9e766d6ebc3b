-- name: put_slot
-- $1 account, $2 zone, $3 start, $4 end, $5 cut-off, $6 most stops, $7 most load or null, $8 express
INSERT INTO slot (account_id, zone, start_at, end_at, cut_off, most_stops, most_load, express)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id;

-- name: page_of_slots
-- In the order of their start. $1 account, $2 one slot or null, $3 those that end after or null, $4 and $5 start and id of the last one
-- before or null, $6 how many, $7 only these or null
SELECT slot.id, zone, start_at, end_at, cut_off, most_stops, most_load, express, taken.booked, taken.held, taken.load
  FROM slot
 CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE held_until IS NULL)::int AS booked,
                            count(*) FILTER (WHERE held_until > now())::int AS held,
                            coalesce(sum(load) FILTER (WHERE held_until IS NULL OR held_until > now()), 0) AS load
                       FROM slot_place WHERE slot_id = slot.id) AS taken
 WHERE account_id = $1 AND ($2::bigint IS NULL OR slot.id = $2) AND ($7::bigint[] IS NULL OR slot.id = ANY ($7)) AND ($3::timestamptz IS NULL OR end_at > $3)
   AND ($4::timestamptz IS NULL OR (start_at, slot.id) > ($4, $5))
 ORDER BY start_at, slot.id LIMIT $6;

-- name: hold_slot
-- Nobody else takes a place or changes it until the transaction ends. $1 account, $2 slot
SELECT id, zone, start_at, end_at, cut_off, most_stops, most_load, express FROM slot
 WHERE account_id = $1 AND id = $2 FOR UPDATE;

-- name: taken_by_others
-- $1 slot, $2 stop
SELECT count(*)::int AS stops, coalesce(sum(load), 0) AS load FROM slot_place
 WHERE slot_id = $1 AND stop_id <> $2 AND (held_until IS NULL OR held_until > clock_timestamp());

-- name: load_of_stop
-- $1 stop
SELECT coalesce(sum(quantity), 0)::float8 FROM parcel WHERE stop_id = $1;

-- name: forget_places
-- Of a stop, in other slots: its holds, and what it has booked where $3 says so. $1 stop, $2 slot, $3 whether booked ones too
DELETE FROM slot_place WHERE stop_id = $1 AND slot_id <> $2 AND (held_until IS NOT NULL OR $3);

-- name: put_place
-- What is booked stays booked. $1 stop, $2 slot, $3 load, $4 seconds that it is held; null: it is booked
INSERT INTO slot_place AS known (stop_id, slot_id, load, held_until)
VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4::float8))
    ON CONFLICT (stop_id, slot_id) DO UPDATE
   SET load = excluded.load, held_until = CASE WHEN known.held_until IS NULL THEN NULL ELSE excluded.held_until END;

-- name: change_slot
-- $1 slot, $2 cut-off, $3 most stops, $4 most load or null
UPDATE slot SET cut_off = $2, most_stops = $3, most_load = $4 WHERE id = $1;

-- name: slots_for_stop
-- Those with a place left for a stop, and the feature of their zone where a geofence has its name. $1 account, $2 stop, $3 now
SELECT slot.id, slot.start_at, slot.end_at, slot.express, fence.feature
  FROM slot
  LEFT JOIN geofence ON geofence.account_id = $1 AND geofence.external_id = slot.zone AND geofence.deleted_at IS NULL
  LEFT JOIN geofence_version AS fence ON fence.geofence_id = geofence.id AND fence.version = geofence.version
 CROSS JOIN LATERAL (SELECT count(*) AS stops, coalesce(sum(load), 0) AS load FROM slot_place
                      WHERE slot_id = slot.id AND stop_id <> $2 AND (held_until IS NULL OR held_until > $3)) AS taken
 WHERE slot.account_id = $1 AND slot.start_at > $3 AND slot.cut_off > $3 AND taken.stops < slot.most_stops
   AND (slot.most_load IS NULL OR taken.load + (SELECT coalesce(sum(quantity), 0) FROM parcel WHERE stop_id = $2) <= slot.most_load)
 ORDER BY slot.start_at, slot.id LIMIT 100;

-- name: hand_back_order
-- What goes on a later tour, as an order that is ready to be planned. $1 account, $2 stop, $3 day, $4 windows
INSERT INTO delivery_order AS known (account_id, external_id, state, quality, lat, lon, earliest, latest, body)
SELECT account_id, external_id, 'ready', 'given', lat, lon, $3, $3,
       jsonb_strip_nulls(jsonb_build_object('name', name, 'kind', CASE kind WHEN 'delivery' THEN 'delivery' ELSE 'pickup' END,
           'address', address, 'phone', phone, 'email', email, 'locale', locale, 'service_s', service_s,
           'instructions', instructions, 'proof', to_jsonb(proof), 'windows', $4::jsonb,
           'cash_on_delivery', CASE WHEN cash_amount IS NOT NULL
                                    THEN jsonb_build_object('amount', cash_amount, 'currency', cash_currency) END,
           'parcels', coalesce((SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('barcode', barcode, 'description', description,
                                                                   'quantity', quantity)) ORDER BY seq)
                                  FROM parcel WHERE stop_id = stop.id), '[]')))
  FROM stop WHERE account_id = $1 AND id = $2
    ON CONFLICT (account_id, external_id) DO UPDATE
   SET state = 'ready', plan_id = NULL, route_id = NULL, earliest = excluded.earliest, latest = excluded.latest,
       quality = excluded.quality, lat = excluded.lat, lon = excluded.lon, look_at = NULL,
       body = known.body - 'doubt' || excluded.body, updated_at = now();
