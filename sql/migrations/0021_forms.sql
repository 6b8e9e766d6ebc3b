-- Forms that are no reason to lose work.

ALTER TABLE proof ADD COLUMN whole boolean NOT NULL DEFAULT true;
