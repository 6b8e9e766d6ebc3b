-- Webhooks lease stretches of the feed, and a delivery has its row once something came of it: one write instead of two.
CREATE TABLE webhook_span (
    webhook_id    bigint NOT NULL REFERENCES webhook ON DELETE CASCADE,
    first_seq     bigint NOT NULL,
    last_seq      bigint NOT NULL,
    leased_until  timestamptz NOT NULL,
    PRIMARY KEY (webhook_id, first_seq)
);
