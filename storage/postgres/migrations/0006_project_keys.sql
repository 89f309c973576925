-- A project may have claimed several keys before it exists, when an attempt to create it failed and the next one asks
-- for another. None is released: an attempt that is still under way may become the project with an earlier one.
ALTER TABLE project_keys DROP CONSTRAINT project_keys_project_id_key;
CREATE INDEX project_keys_project ON project_keys (project_id, claimed_at DESC);
