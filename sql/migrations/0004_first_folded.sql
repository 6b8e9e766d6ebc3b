-- A fact may be made known by one input and be corrected by a later one: what a driver said of a visit. A re-run of the
-- later one has to begin before the first.
ALTER TABLE event ADD COLUMN first_folded_at timestamptz;
