-- Whoever wants it signs in with a code of their phone too.
CREATE TABLE person_totp (
    person_id     bigint PRIMARY KEY REFERENCES person ON DELETE CASCADE,
    sealed        bytea NOT NULL,
    confirmed_at  timestamptz,
    last_step     bigint NOT NULL DEFAULT 0
);

CREATE TABLE recovery_code (
    person_id  bigint NOT NULL REFERENCES person ON DELETE CASCADE,
    code_hash  bytea NOT NULL,
    PRIMARY KEY (person_id, code_hash)
);

CREATE TABLE sign_in_step (
    secret_hash  bytea PRIMARY KEY,
    kind         text NOT NULL,
    person_id    bigint REFERENCES person ON DELETE CASCADE,
    said         jsonb NOT NULL DEFAULT '{}',
    expires_at   timestamptz NOT NULL
);
CREATE INDEX sign_in_step_person ON sign_in_step (person_id);
CREATE INDEX sign_in_step_age ON sign_in_step (expires_at);
