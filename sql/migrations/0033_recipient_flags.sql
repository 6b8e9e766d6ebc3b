-- What the sender of one parcel does not let its recipient do.
ALTER TABLE stop ADD COLUMN recipient_may_not text[] NOT NULL DEFAULT '{}';
