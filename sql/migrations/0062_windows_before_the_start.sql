-- Vans that wait for their start have windows of their own.
ALTER TABLE eta_told ADD COLUMN waits boolean NOT NULL DEFAULT false;
ALTER TABLE eta_window ADD COLUMN waits boolean NOT NULL DEFAULT false;
ALTER TABLE eta_window DROP CONSTRAINT eta_window_pkey, ADD PRIMARY KEY (account_id, waits, lead_s);
