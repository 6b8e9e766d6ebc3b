-- name: put_blocks
-- Keep blocks for the trackers. Outside a transaction this one statement is the commit that a phone's 200 stands for.
-- $1 received_at of the oldest, $2 lanes, $3 pings in each, $4 bodies: columns of one length
INSERT INTO inbox (lane, received_at, pings, body)
SELECT lane, $1, pings, body FROM unnest($2::smallint[], $3::int[], $4::bytea[]) AS block (lane, pings, body);

-- name: depth
-- About how many pings wait. Exact while the table has up to 500 pages; of a larger one about 500 pages are looked at,
-- so that the answer costs a millisecond however far behind the trackers are. $1 share of the pages to look at, 0 to 1
SELECT coalesce(sum(pings), 0)::bigint FROM inbox TABLESAMPLE SYSTEM (100 * $1::float8);

-- name: share_to_sample
-- The share of the inbox's pages that makes 500.
SELECT least(1, 500 / greatest(1, pg_relation_size('inbox') / 8192.0))::float8;
