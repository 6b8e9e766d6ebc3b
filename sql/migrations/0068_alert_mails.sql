-- Who is told of alerts by mail, and what of it waits.
CREATE TABLE desk_alert_mail (
    alert_id    bigint NOT NULL REFERENCES desk_alert ON DELETE CASCADE,
    email       text NOT NULL,
    account_id  bigint NOT NULL REFERENCES account,
    due_at      timestamptz,
    attempts    integer NOT NULL DEFAULT 0,
    mailed_at   timestamptz,
    PRIMARY KEY (alert_id, email)
);
CREATE INDEX desk_alert_mail_due ON desk_alert_mail (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX desk_alert_mail_person ON desk_alert_mail (account_id, email, mailed_at);

ALTER TABLE desk_alert ADD COLUMN mail_at timestamptz;
CREATE INDEX desk_alert_to_mail ON desk_alert (account_id, mail_at) WHERE mail_at IS NOT NULL;
