-- Held pings that cannot be opened stay until their time is over.

ALTER TABLE held ADD COLUMN unreadable boolean NOT NULL DEFAULT false;
