// Two ways to keep a command before it is acknowledged: one INSERT each, and all that wait in one.
import pg from "pg";

const AUTHOR = "00000000-0000-7000-8000-000000000001";
const POOL = 20;
const BATCH_MAX = 2000;

const TABLE = `
  CREATE TABLE IF NOT EXISTS peer_entries (
    seq bigserial PRIMARY KEY, stream text NOT NULL, op_id uuid NOT NULL, author uuid NOT NULL,
    at timestamptz NOT NULL, events jsonb NOT NULL
  );
  TRUNCATE peer_entries`;

async function pool(max) {
  const connections = new pg.Pool({ max, idleTimeoutMillis: 0 });
  await connections.query(TABLE);
  return connections;
}

/** The entry that a command becomes: as large as the one that PantheraHive makes of the same command. */
function entryOf(command) {
  const now = new Date().toISOString();
  const { taskId, ...values } = command.data;
  return {
    seq: 0,
    epoch: 1,
    opId: command.opId,
    author: AUTHOR,
    at: now,
    recordedAt: now,
    events: [{ kind: "TaskEdited", version: 1, data: { taskId, ...values, was: values } }],
  };
}

export class PooledInserts {
  constructor(connections) {
    this.connections = connections;
  }

  static async open() {
    return new PooledInserts(await pool(POOL));
  }

  async append(command) {
    const entry = entryOf(command);
    const { rows } = await this.connections.query({
      name: "insert",
      text: "INSERT INTO peer_entries (stream, op_id, author, at, events) VALUES ($1, $2, $3, $4, $5) RETURNING seq",
      values: [command.stream, entry.opId, entry.author, entry.at, JSON.stringify(entry.events)],
    });
    entry.seq = Number(rows[0].seq);
    return entry;
  }
}

/** While one statement is under way the next batch fills. */
export class GroupCommit {
  constructor(connections) {
    this.connections = connections;
    this.waiting = [];
    this.committing = false;
  }

  static async open() {
    return new GroupCommit(await pool(1));
  }

  append(command) {
    return new Promise((resolve, reject) => {
      this.waiting.push({ stream: command.stream, entry: entryOf(command), resolve, reject });
      if (!this.committing) {
        this.committing = true;
        setImmediate(() => this.commit());
      }
    });
  }

  async commit() {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, BATCH_MAX);
      try {
        const seqs = await this.insert(batch);
        batch.forEach(({ entry, resolve }, index) => {
          entry.seq = seqs[index];
          resolve(entry);
        });
      } catch (error) {
        batch.forEach(({ reject }) => reject(error));
      }
    }
    this.committing = false;
  }

  async insert(batch) {
    const column = (value) => batch.map(value);
    const { rows } = await this.connections.query({
      name: "insert",
      text: `INSERT INTO peer_entries (stream, op_id, author, at, events)
             SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::jsonb[]) RETURNING seq`,
      values: [
        column(({ stream }) => stream),
        column(({ entry }) => entry.opId),
        column(({ entry }) => entry.author),
        column(({ entry }) => entry.at),
        column(({ entry }) => JSON.stringify(entry.events)),
      ],
    });
    return rows.map(({ seq }) => Number(seq));
  }
}
