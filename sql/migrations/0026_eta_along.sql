-- Where the van was along its path when its ETAs were made; null off it, and of ETAs from before.
ALTER TABLE route_eta ADD COLUMN along_m double precision;
