// Follows one project with the real JavaScript client and says what it sees, one JSON object per line.
//
//   node follower.mjs URL TOKEN PROJECT_ID [CURSOR]
//
// on stdout   {"type": "joined", "mode", "cursor", "reason"}     after every join, also after a reconnection
//             {"type": "entries", "from", "to", "count"}         what was taken, in order and without a gap
//             {"type": "gap", "after", "got"}                    an entry was missing: it joins again with its cursor
//             {"type": "reset", "cursor", "reason"}              it was too far behind: a whole state follows
//             {"type": "closed", "reason", "stream"}             the server ended the following or the connection
//             {"type": "refused", "code", "message"}             join or CONNECT was refused
//             {"type": "disconnected", "reason"}
//             {"type": "state", "cursor", "state", "applied", "joins"}    the answer to the command `state`
// on stdin    state | disconnect | reconnect | leave | token NEW_TOKEN | quit
//
// It needs nothing but socket.io-client; the fold below is written against the published schema alone.

import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const [url, firstToken, projectId, firstCursor] = process.argv.slice(2);
if (!projectId) {
  console.error("usage: node follower.mjs URL TOKEN PROJECT_ID [CURSOR]");
  process.exit(2);
}
const stream = `project/${projectId}`;
const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 2000;
const SNAPSHOT_HELD_MAX = 5000;

let token = firstToken;
let cursor = firstCursor ?? null; // after the last entry that was taken
let state = null; // null until the first snapshot
let applied = 0; // entries taken one by one since the start
let joins = 0; // the number of the join whose answer counts
let failures = 0; // connections and joins in a row that failed
let stage = "apart"; // apart, joining, assembling, live, over
let parts = [];
let partsExpected = 0;
let snapshotCursor = null;
let held = []; // entries that came among the parts of a snapshot
let lastHead = null; // the head before this one; still being behind it means that an entry got lost
let timer = null;

const say = (type, content = {}) => process.stdout.write(`${JSON.stringify({ type, ...content })}\n`);
const seqOf = (text) => (text === null ? 0 : Number(text.split(".")[0]));

// ---------------------------------------------------------------- the replica

function emptyState() {
  return {
    project: null,
    counters: { nextTaskNumber: 1, contentAt: "", live: false },
    members: new Map(),
    invitations: new Map(),
    roles: new Map(),
    milestones: new Map(),
    fields: new Map(),
    tasks: new Map(),
    links: new Map(),
    comments: new Map(),
  };
}

function takePart(into, part) {
  if (part.project !== undefined) into.project = part.project;
  if (part.counters !== undefined) into.counters = part.counters;
  for (const member of part.members ?? []) into.members.set(member.userId, member);
  for (const name of ["invitations", "roles", "milestones", "fields", "tasks", "links", "comments"])
    for (const record of part[name] ?? []) into[name].set(record.id, record);
}

function noteContent(entry) {
  const imported = entry.author === "unknown" || entry.author.startsWith("external:");
  const { contentAt, live } = state.counters;
  state.counters = {
    ...state.counters,
    contentAt: contentAt > entry.at ? contentAt : entry.at,
    live: live || !imported,
  };
}

function setProject(entry, changes) {
  const { updatedAt } = state.project;
  state.project = { ...state.project, ...changes, updatedAt: updatedAt > entry.at ? updatedAt : entry.at };
}

const merged = (present, added = [], removed = []) => [
  ...present.filter((item) => !removed.includes(item)),
  ...added,
];

const withoutField = (fields, id) => Object.fromEntries(Object.entries(fields).filter(([one]) => one !== id));

function setTask(id, changes) {
  state.tasks.set(id, { ...state.tasks.get(id), ...changes });
}

const evolve = {
  ProjectCreated: (entry, data) => {
    state.project = data.project;
  },
  ProjectEdited: (entry, data) => {
    setProject(entry, data.changes);
    noteContent(entry);
  },
  ProjectDeleted: (entry) => setProject(entry, { deletedAt: entry.at }),
  ProjectRestored: (entry) => setProject(entry, { deletedAt: null }),
  MemberAdded: (entry, { userId, role }) => state.members.set(userId, { userId, role, addedAt: entry.at }),
  MemberRoleChanged: (entry, { userId, role }) =>
    state.members.set(userId, { ...state.members.get(userId), role }),
  MemberRemoved: (entry, { userId }) => state.members.delete(userId),
  MemberInvited: (entry, { invitation }) => state.invitations.set(invitation.id, invitation),
  InvitationAccepted: (entry, { invitationId }) => state.invitations.delete(invitationId),
  InvitationDeclined: (entry, { invitationId }) => state.invitations.delete(invitationId),
  InvitationRevoked: (entry, { invitationId }) => state.invitations.delete(invitationId),
  InvitationExpired: (entry, { invitationId }) => state.invitations.delete(invitationId),
  RoleDefined: (entry, { role }) => state.roles.set(role.id, role),
  RoleEdited: (entry, { roleId, changes }) =>
    state.roles.set(roleId, { ...state.roles.get(roleId), ...changes, updatedAt: entry.at }),
  RoleRemoved: (entry, { roleId }) => state.roles.delete(roleId),
  TaskCreated: (entry, { task }) => {
    state.tasks.set(task.id, task);
    state.counters = { ...state.counters, nextTaskNumber: task.number + 1 };
    noteContent(entry);
  },
  TaskEdited: (entry, data) => {
    const task = state.tasks.get(data.taskId);
    state.tasks.set(data.taskId, {
      ...task,
      ...data.changes,
      labels: merged(task.labels, data.labelsAdded, data.labelsRemoved),
      assigneeIds: merged(task.assigneeIds, data.assigneesAdded, data.assigneesRemoved),
      updatedAt: entry.at,
      closedAt: "closedAt" in data ? data.closedAt : task.closedAt,
    });
    noteContent(entry);
  },
  TasksReranked: (entry, { ranks }) => {
    for (const [taskId, rank] of Object.entries(ranks)) state.tasks.set(taskId, { ...state.tasks.get(taskId), rank });
    noteContent(entry);
  },
  TaskDeleted: (entry, { taskId }) => setDeleted(entry, taskId, entry.at),
  TaskRestored: (entry, { taskId }) => setDeleted(entry, taskId, null),
  LinkAdded: (entry, { link }) => {
    state.links.set(link.id, link);
    noteContent(entry);
  },
  LinkRemoved: (entry, { linkId }) => {
    state.links.delete(linkId);
    noteContent(entry);
  },
  TaskRecurred: (entry, { taskId }) => {
    setTask(taskId, { recurrence: null });
    noteContent(entry);
  },
  FieldValuesSet: (entry, { taskId, values }) => {
    const fields = { ...state.tasks.get(taskId).fields, ...values };
    const kept = Object.entries(fields).filter(([, value]) => value !== null);
    setTask(taskId, { fields: Object.fromEntries(kept), updatedAt: entry.at });
    noteContent(entry);
  },
  WatchersChanged: (entry, { taskId, added, removed }) =>
    setTask(taskId, { watcherIds: merged(state.tasks.get(taskId).watcherIds, added, removed) }),
  MilestoneCreated: (entry, { milestone }) => {
    state.milestones.set(milestone.id, milestone);
    noteContent(entry);
  },
  MilestoneEdited: (entry, data) => {
    const milestone = state.milestones.get(data.milestoneId);
    const closedAt = "closedAt" in data ? data.closedAt : milestone.closedAt;
    state.milestones.set(milestone.id, { ...milestone, ...data.changes, updatedAt: entry.at, closedAt });
    noteContent(entry);
  },
  MilestoneDeleted: (entry, { milestoneId }) => {
    state.milestones.delete(milestoneId);
    noteContent(entry);
  },
  FieldDefined: (entry, { field }) => {
    state.fields.set(field.id, field);
    noteContent(entry);
  },
  FieldEdited: (entry, { fieldId, changes }) => {
    state.fields.set(fieldId, { ...state.fields.get(fieldId), ...changes, updatedAt: entry.at });
    noteContent(entry);
  },
  FieldRemoved: (entry, { fieldId }) => {
    state.fields.delete(fieldId);
    for (const [id, task] of state.tasks) setTask(id, { fields: withoutField(task.fields, fieldId) });
    noteContent(entry);
  },
  CommentAdded: (entry, { commentId, taskId, threadId, replyTo, body, mentions }) => {
    state.comments.set(commentId, {
      id: commentId,
      taskId,
      threadId,
      replyTo,
      authorId: entry.author,
      body,
      mentions,
      reactions: [],
      createdAt: entry.at,
      updatedAt: entry.at,
      edits: [],
      deletedAt: null,
      deletedBy: null,
    });
    noteContent(entry);
  },
  CommentEdited: (entry, { commentId, body, was, mentions }) => {
    const comment = state.comments.get(commentId);
    const edit = { body: was, replacedAt: entry.at, replacedBy: entry.author };
    state.comments.set(commentId, {
      ...comment,
      body,
      mentions,
      updatedAt: entry.at,
      edits: [...comment.edits, edit],
    });
    noteContent(entry);
  },
  CommentDeleted: (entry, { commentId }) => {
    const gone = { updatedAt: entry.at, deletedAt: entry.at, deletedBy: entry.author };
    changeComment(entry, commentId, { body: "", mentions: [], reactions: [], edits: [], ...gone });
  },
  CommentRestored: (entry, { commentId, ...held }) => {
    changeComment(entry, commentId, { ...held, updatedAt: entry.at, deletedAt: null, deletedBy: null });
  },
  ReactionAdded: (entry, { commentId, emoji }) => {
    const reactions = state.comments.get(commentId).reactions;
    const known = reactions.some((one) => one.emoji === emoji);
    const all = known ? reactions : [...reactions, { emoji, userIds: [] }];
    const joined = (one) => (one.emoji === emoji ? { emoji, userIds: [...one.userIds, entry.author] } : one);
    changeComment(entry, commentId, { reactions: all.map(joined) });
  },
  ReactionRemoved: (entry, { commentId, emoji }) => {
    const without = (one) =>
      one.emoji === emoji ? { emoji, userIds: one.userIds.filter((id) => id !== entry.author) } : one;
    const left = state.comments.get(commentId).reactions.map(without);
    changeComment(entry, commentId, { reactions: left.filter((one) => one.userIds.length > 0) });
  },
};

function setDeleted(entry, taskId, deletedAt) {
  state.tasks.set(taskId, { ...state.tasks.get(taskId), deletedAt, updatedAt: entry.at });
  noteContent(entry);
}

function changeComment(entry, commentId, changes) {
  state.comments.set(commentId, { ...state.comments.get(commentId), ...changes });
  noteContent(entry);
}

function stateAsJson() {
  if (state === null) return null;
  const names = ["members", "invitations", "roles", "milestones", "fields", "tasks", "links", "comments"];
  const lists = names.map((name) => [name, [...state[name].values()]]);
  return { project: state.project, counters: state.counters, ...Object.fromEntries(lists) };
}

// ---------------------------------------------------------------- following

function takeEntries(entries) {
  const before = seqOf(cursor);
  for (const entry of entries) {
    const seq = seqOf(cursor);
    if (entry.seq <= seq) continue;
    if (entry.seq !== seq + 1) {
      say("gap", { after: seq, got: entry.seq });
      joinSoon(0);
      break;
    }
    if (state !== null) for (const { kind, data } of entry.events) evolve[kind]?.(entry, data);
    cursor = `${entry.seq}.${entry.epoch}`;
    applied += 1;
    failures = 0;
  }
  const now = seqOf(cursor);
  if (now > before) say("entries", { from: before + 1, to: now, count: now - before });
}

function finishSnapshot() {
  if (parts.length < partsExpected) return;
  state = emptyState();
  for (const part of parts) takePart(state, part.state);
  cursor = snapshotCursor;
  stage = "live";
  const waiting = held;
  parts = [];
  held = [];
  takeEntries(waiting);
}

function join() {
  clearTimeout(timer);
  if (!socket.connected || stage === "over") return;
  joins += 1;
  const number = joins;
  stage = "joining";
  lastHead = null;
  const request = cursor === null ? { stream } : { stream, cursor };
  socket.emit("join", request, (answer) => {
    if (number === joins && stage === "joining") joined(answer);
  });
}

function joined(answer) {
  if (answer.error) {
    say("refused", { code: answer.error.code, message: answer.error.message });
    if (answer.error.retryable || answer.error.code === "conflict") joinSoon(answer.error.details?.retryAfterS ?? 0);
    else stage = "over";
    return;
  }
  say("joined", { mode: answer.mode, cursor: answer.cursor, reason: answer.reason ?? null });
  if (answer.mode === "resume") stage = "live";
  else assemble(answer);
}

function assemble(answer) {
  stage = "assembling";
  parts = [];
  held = [];
  partsExpected = answer.parts ?? 0;
  snapshotCursor = answer.cursor;
  finishSnapshot();
}

function waitMs(atLeastS) {
  failures += 1;
  const longest = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(failures, 16));
  return atLeastS * 1000 + Math.random() * longest;
}

function joinSoon(atLeastS) {
  stage = "joining";
  joins += 1; // whatever still answers is late
  clearTimeout(timer);
  timer = setTimeout(join, waitMs(atLeastS));
}

function connectSoon(atLeastS) {
  if (stage === "over") return;
  stage = "apart";
  clearTimeout(timer);
  timer = setTimeout(() => socket.connect(), waitMs(atLeastS));
}

// ---------------------------------------------------------------- the connection

const socket = io(url, {
  transports: ["websocket"],
  reconnection: false, // reconnecting is done here, for every reason alike
  auth: (give) => give({ token }),
});

socket.on("connect", join);
socket.on("connect_error", (error) => {
  const refusal = error.data;
  if (refusal?.code) say("refused", { code: refusal.code, message: refusal.message });
  connectSoon(refusal?.details?.retryAfterS ?? 0);
});
socket.on("disconnect", (reason) => {
  say("disconnected", { reason });
  if (reason !== "io client disconnect") connectSoon(0);
  else if (stage !== "over") stage = "apart";
});
socket.on("reset", (message) => {
  if (message.stream !== stream || (stage !== "live" && stage !== "assembling")) return;
  say("reset", { cursor: message.cursor, reason: message.reason });
  assemble(message);
});
socket.on("snapshot", (message) => {
  if (message.stream !== stream || stage !== "assembling" || message.cursor !== snapshotCursor) return;
  if (parts.length > 0 && message.part !== parts[parts.length - 1].part + 1) {
    joinSoon(0);
    return;
  }
  parts.push(message);
  finishSnapshot();
});
socket.on("entries", (message) => {
  if (message.stream !== stream) return;
  if (stage === "live") takeEntries(message.entries);
  else if (stage === "assembling") held.push(...message.entries.slice(0, SNAPSHOT_HELD_MAX - held.length));
});
socket.on("heads", ({ heads }) => {
  const head = heads[stream];
  if (head === undefined || stage !== "live") return;
  if (lastHead !== null && seqOf(lastHead) > seqOf(cursor)) {
    say("gap", { after: seqOf(cursor), got: seqOf(lastHead) });
    joinSoon(0);
    return;
  }
  lastHead = head;
});
socket.on("closed", (message) => {
  say("closed", { reason: message.reason, stream: message.stream ?? null });
  if (message.stream === stream && ["removed", "deleted"].includes(message.reason)) stage = "over";
  else if (message.stream === stream) joinSoon(0);
});

// ---------------------------------------------------------------- commands

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [command, argument] = line.trim().split(" ");
    if (command === "state") say("state", { cursor, state: stateAsJson(), applied, joins });
    else if (command === "disconnect") socket.disconnect();
    else if (command === "reconnect") socket.connect();
    else if (command === "leave") socket.emit("leave", { stream });
    else if (command === "token") token = argument;
    else if (command === "quit") process.exit(0);
    else if (command) say("refused", { code: "invalid", message: `unknown command ${command}` });
  })
  .on("close", () => process.exit(0));
