-- Ids of uploads count among their driver's own only: nobody looks for one among all of them any more.

DROP INDEX proof_upload;
