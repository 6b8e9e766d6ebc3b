-- Messages by Web Push from the tracking page.

-- Browsers of recipients that asked to be told by the push service of their maker; the last of each stop. Addresses there are
-- rights to send, and sealed.
CREATE TABLE push_subscription (
    stop_id        bigint NOT NULL REFERENCES stop ON DELETE CASCADE,
    endpoint_hash  bytea NOT NULL,
    account_id     bigint NOT NULL REFERENCES account,
    sealed         bytea NOT NULL,
    made_at        timestamptz NOT NULL,
    PRIMARY KEY (stop_id, endpoint_hash)
);
