-- Projects set timers now: the timekeeper reads the whole log again, so that what happened before counts too.
-- What is set anew and was done before is refused by its stream, or has fired under the same opId.
DELETE FROM consumers WHERE name = 'timekeeper';
