-- How likely it is that a van was at a stop; of visits that were folded before it is not known.
ALTER TABLE visit ADD COLUMN certainty real;
