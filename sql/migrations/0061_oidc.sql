-- People sign in by the identity provider of their company, and are let into that company's account alone.
CREATE TABLE oidc_provider (
    account_id  bigint PRIMARY KEY REFERENCES account,
    issuer      text NOT NULL,
    client_id   text NOT NULL,
    sealed      bytea,  -- the client's secret; null: there is none
    domains     text[] NOT NULL,  -- of mail, in small letters; empty: any
    changed_at  timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE member ADD COLUMN by_provider boolean NOT NULL DEFAULT false;
ALTER TABLE desk_session ADD COLUMN by_provider boolean NOT NULL DEFAULT false;

CREATE TABLE oidc_identity (
    account_id  bigint NOT NULL,
    issuer      text NOT NULL,
    subject     text NOT NULL,
    person_id   bigint NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, issuer, subject),
    UNIQUE (account_id, person_id, issuer),
    FOREIGN KEY (account_id, person_id) REFERENCES member ON DELETE CASCADE
);
