-- Ends of shifts and breaks are told: when somebody must look whether one is over, and from when on what was told may be other.
ALTER TABLE driver ADD COLUMN shifts_look_at timestamptz, ADD COLUMN shifts_from timestamptz;
UPDATE driver SET shifts_look_at = now(), shifts_from = now() - interval '1 day'
 WHERE deleted_at IS NULL
   AND EXISTS (SELECT FROM driver_event
                WHERE driver_id = driver.id AND type IN ('shift_started', 'break_started') AND effective
                  AND occurred_at > now() - interval '2 days');
CREATE INDEX driver_look ON driver (shifts_look_at) WHERE shifts_look_at IS NOT NULL;

CREATE INDEX event_end ON event (driver_id, occurred_at) WHERE type IN ('shift.ended', 'break.ended');
