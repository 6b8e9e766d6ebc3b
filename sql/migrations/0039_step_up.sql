-- Codes: what a recipient shows before place, person, time or contact change.

-- Who has the link of a stop shows by a code that they have its contact too. Nobody stores one: it is derived from its generation.
CREATE TABLE step_up (
    stop_id          bigint PRIMARY KEY REFERENCES stop ON DELETE CASCADE,
    account_id       bigint NOT NULL REFERENCES account,
    link_generation  integer NOT NULL,  -- of the link by which it was asked for: another link knows none of it
    generation       integer NOT NULL,  -- of the code that counts
    sent_at          timestamptz NOT NULL,
    wrong            integer NOT NULL DEFAULT 0,  -- guesses since the last right one, of whichever code
    locked_at        timestamptz        -- when there were too many; null: there were not
);

-- The last of what a recipient said: what a driver's app reads aloud when it is new; null: said before this was kept.
ALTER TABLE recipient_wish ADD COLUMN last_change text;
