-- Drivers sign in too: a member who is one speaks as a phone of theirs; an invitation names the driver.
ALTER TABLE member
    ADD COLUMN device_id bigint UNIQUE REFERENCES device,
    DROP CONSTRAINT member_role_check,
    ADD CONSTRAINT member_role_check CHECK (role IN ('owner', 'admin', 'dispatcher', 'support', 'viewer', 'driver')),
    ADD CONSTRAINT member_drives CHECK ((role = 'driver') = (device_id IS NOT NULL));
ALTER TABLE desk_link
    ADD COLUMN driver_id bigint REFERENCES driver,
    DROP CONSTRAINT desk_link_role_check,
    ADD CONSTRAINT desk_link_role_check CHECK (role IN ('owner', 'admin', 'dispatcher', 'support', 'viewer', 'driver')),
    ADD CONSTRAINT desk_link_drives CHECK ((role IS NOT DISTINCT FROM 'driver') = (driver_id IS NOT NULL));
CREATE INDEX desk_link_driver ON desk_link (driver_id) WHERE driver_id IS NOT NULL;
