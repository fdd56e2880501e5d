import { LiveSocket, element, onSubmit, sendOnEnter } from "../pages/live.js";

const byId = (id) => document.getElementById(id);
const exchanges = byId("exchanges");
const question = byId("question");
let answer = null;

const socket = new LiveSocket("/ws/assistant/", {
  state: byId("state"),
  onFrame: receive,
  onOpen: () => wait(false),
});

function receive({ action, payload }) {
  if (action === "answer_piece") {
    answer ??= bubble("", false);
    answer.append(payload.text);
    exchanges.scrollTop = exchanges.scrollHeight;
  }
  if (action === "answer_done") {
    if (payload.was_stopped) answer?.append(element("em", { text: "(stopped)" }));
    wait(false);
  }
}

function bubble(text, isOwn) {
  const said = element("p", { className: "text", text });
  const parts = isOwn ? [said] : [element("span", { className: "author", text: "Assistant" }), said];
  exchanges.append(element("li", { className: isOwn ? "message own" : "message" }, ...parts));
  exchanges.scrollTop = exchanges.scrollHeight;
  return said;
}

function wait(isAnswering) {
  answer = null;
  question.disabled = byId("send").disabled = isAnswering;
  byId("stop").hidden = !isAnswering;
  if (!isAnswering) question.focus();
}

onSubmit(byId("ask"), async () => {
  const asked = question.value.trim();
  if (!asked) return;
  bubble(asked, true);
  question.value = "";
  wait(true);
  socket.send("ask", { question: asked });
});
sendOnEnter(question);
byId("stop").addEventListener("click", () => socket.send("stop"));
