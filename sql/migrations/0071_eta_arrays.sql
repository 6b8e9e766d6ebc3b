-- Arrays of ETAs were compressed at each write: of a hundred stops that saved a twelfth of the place and cost a quarter of the
-- time. Rows that are there stay as they are until they are written again.
ALTER TABLE route_eta ALTER COLUMN stop_ids SET STORAGE EXTERNAL, ALTER COLUMN expected SET STORAGE EXTERNAL,
    ALTER COLUMN low SET STORAGE EXTERNAL, ALTER COLUMN high SET STORAGE EXTERNAL, ALTER COLUMN remaining_m SET STORAGE EXTERNAL;
