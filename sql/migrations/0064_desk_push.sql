-- Browsers of the company's people that a push service tells of alerts, and which alerts it has to tell.
CREATE TABLE desk_push (
    account_id     bigint NOT NULL,
    person_id      bigint NOT NULL,
    endpoint_hash  bytea NOT NULL,
    sealed         bytea NOT NULL,
    least          smallint NOT NULL CHECK (least BETWEEN 1 AND 3),
    language       text NOT NULL,
    made_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, person_id, endpoint_hash),
    FOREIGN KEY (account_id, person_id) REFERENCES member ON DELETE CASCADE
);

ALTER TABLE desk_alert ADD COLUMN push_at timestamptz;
CREATE INDEX desk_alert_push ON desk_alert (push_at) WHERE push_at IS NOT NULL;
