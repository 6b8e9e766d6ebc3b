-- Postgres rewrites a row in its place, without a word to any index, as long as no column changes that an index looks at,
-- in its condition too. `track_unsettled` looked at three that every ping changes. Now it looks at one that mostly stays.
-- This rewrites the table: a second for 100,000 drivers, during which trackers wait.
ALTER TABLE track ADD COLUMN unsettled boolean NOT NULL
    GENERATED ALWAYS AS (folded_until < head_at OR rerun_from IS NOT NULL) STORED;

DROP INDEX track_unsettled;
CREATE INDEX track_unsettled ON track (lane) WHERE unsettled;
