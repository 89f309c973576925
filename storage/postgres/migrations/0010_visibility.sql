-- Projects that everybody may look at. Until now all were private; the index serves their list, the last changed first.

ALTER TABLE projects ADD COLUMN visibility text COLLATE "C" NOT NULL DEFAULT 'private';
CREATE INDEX projects_public ON projects (updated_at DESC, id DESC) WHERE visibility = 'public' AND deleted_at IS NULL;
