-- Nothing reads these: a project's roles, milestones and fields are read from its actor. The log has them.
DROP TABLE roles, milestones, custom_fields;
