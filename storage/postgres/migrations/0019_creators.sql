-- A person's data hold the tasks that they created; comments are found by their author already.
CREATE INDEX tasks_creator ON tasks (created_by, created_at, project_id, id);
