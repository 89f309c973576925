-- From now on the timekeeper clears the timers of a project with the entry that purges it.
DELETE FROM timers t USING purges p WHERE t.stream = 'project/' || p.id;
