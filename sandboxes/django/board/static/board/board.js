import { board as channel } from "/asyncapi/client.js";
import { api, connect, element, onSubmit } from "../pages/live.js";

const board = document.getElementById("board");
const topics = document.getElementById("topics");
const shown = Number(board.dataset.shown);

const client = connect(channel, document.getElementById("state"));
client.on("score", ({ payload }) => showScore(payload));
client.on("topic_posted", ({ payload }) => topics && addTopic(payload));
client.on("reply_posted", ({ payload }) => addReply(payload));
const discussion = shown ? client.topic("discussion", { pk: shown }) : null;
discussion?.on("reply_posted", ({ payload }) => addReply(payload));
discussion?.subscribe().catch(() => {}); // the page shows the topic all the same

const entryOf = (id) => document.querySelector(`.topic[data-topic="${id}"]`);

function showScore({ topic_id, score }) {
  const entry = entryOf(topic_id);
  if (!entry) return;
  entry.querySelector(".score").textContent = score;
  if (topics) sort();
}

function sort() {
  const scoreOf = (entry) => Number(entry.querySelector(".score").textContent);
  const entries = [...topics.children];
  const sorted = [...entries].sort((a, b) => scoreOf(b) - scoreOf(a) || b.dataset.topic - a.dataset.topic);
  if (sorted.some((entry, index) => entry !== entries[index])) topics.append(...sorted);
}

function addTopic({ id, title, author }) {
  if (entryOf(id)) return;
  document.getElementById("no-topics").hidden = true;
  const vote = (value, sign, name) =>
    element("button", {
      className: "vote",
      type: "button",
      text: sign,
      "data-value": value,
      "aria-pressed": "false",
      "aria-label": `${name} ${title}`,
      ...(board.dataset.mayVote ? {} : { disabled: "" }),
    });
  const score = element("output", { className: "score", text: "0", "aria-label": `Score of ${title}` });
  const votes = element("div", { className: "votes", "data-topic": id, "data-own": "0" });
  votes.append(vote(1, "▲", "Vote for"), score, vote(-1, "▼", "Vote against"));
  const line = element("small", { text: `${author} · replies: ` }, element("span", { className: "replies", text: "0" }));
  const link = element("a", { className: "grow", href: `/board/${id}/` }, element("strong", { text: title }), line);
  topics.prepend(element("li", { className: "topic new", "data-topic": id }, votes, link));
  sort();
}

function addReply({ topic_id, id, author, text, replies_count }) {
  const place = topics ? entryOf(topic_id) : topic_id === shown && board;
  if (!place) return;
  place.querySelector(".replies").textContent = replies_count;
  const replies = document.getElementById("replies");
  if (!replies || replies.querySelector(`[data-reply="${id}"]`)) return;
  const said = [element("strong", { text: author }), element("p", { text })];
  replies.append(element("li", { className: "new", "data-reply": id }, ...said));
}

board.addEventListener("click", (event) => {
  const button = event.target.closest("button.vote");
  if (!button) return;
  const votes = button.closest(".votes");
  const value = votes.dataset.own === button.dataset.value ? 0 : Number(button.dataset.value);
  votes.dataset.own = value;
  for (const other of votes.querySelectorAll(".vote")) {
    other.setAttribute("aria-pressed", String(Number(other.dataset.value) === value));
  }
  if (client.state !== "closed") client.send("vote", { topic_id: Number(votes.dataset.topic), value });
});

onSubmit(document.getElementById("new-topic"), async (fields) => {
  await api("POST", "/api/topics/", fields);
  document.getElementById("new-topic").reset();
});
onSubmit(document.getElementById("new-reply"), async (fields) => {
  if (client.state !== "open") throw new Error("Not connected. Please try again.");
  const { payload } = await discussion.request("reply", fields);
  addReply(payload);
  document.getElementById("new-reply").reset();
});
