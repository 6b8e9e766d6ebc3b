-- How a recipient wants to be reached: their word stands when the planner puts the route again.
ALTER TABLE recipient_wish
    ADD COLUMN phone text,
    ADD COLUMN email text,
    ADD COLUMN channel text;  -- by which they want to hear; null: as the account says
