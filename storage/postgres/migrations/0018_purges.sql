-- Projects of which nothing is left. A read table like the others: the projector writes it from the log alone.
CREATE TABLE purges (
    id  text   COLLATE "C" PRIMARY KEY,
    seq bigint NOT NULL
);
