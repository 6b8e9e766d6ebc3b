-- Which stops a dispatcher planned otherwise since a version: nothing ever asked.

ALTER TABLE manifest_part
    DROP COLUMN plan_digest,
    DROP COLUMN planned_in;
