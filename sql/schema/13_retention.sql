-- What goes again -----------------------------------------------------------------------------------------------------

-- How far each class of data has been forgotten, by the clock of this database: a clock that jumps deletes nothing.
CREATE TABLE retention (
    class       text PRIMARY KEY,  -- work/retention/classes.py
    ran_at      timestamptz,       -- when something of it might be deleted last; null: never yet
    horizon     timestamptz,       -- what is older was to go then
    confirmed   timestamptz,       -- an operator said yes to all that is older; null: nobody had to
    held_since  timestamptz,       -- nothing of it is deleted since; null: nothing is wrong
    held_why    text               -- and why
);
