-- Who fell silent is found by an index, not by looking at everybody.

ALTER TABLE live
    ADD COLUMN look_at timestamptz NOT NULL DEFAULT now();  -- when the driver's silence may have changed; infinity: as it is now it cannot
CREATE INDEX live_due ON live (look_at);  -- not received_at, which every ping changes
