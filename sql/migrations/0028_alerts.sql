-- Alerts for people of the company.
-- What somebody of the company has to hear of, once: by mail to the account's admin, by the services of the installation.
CREATE TABLE alert (
    fact_id      uuid NOT NULL,
    way          text NOT NULL CHECK (way IN ('email', 'service')),
    account_id   bigint NOT NULL REFERENCES account,
    attempts     integer NOT NULL DEFAULT 0,
    next_try_at  timestamptz NOT NULL,
    PRIMARY KEY (fact_id, way)
);
CREATE INDEX alert_due ON alert (next_try_at);
