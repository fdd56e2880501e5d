import { LiveSocket, element, onSubmit, sendOnEnter } from "../pages/live.js";

const byId = (id) => document.getElementById(id);
const exchanges = byId("exchanges");
const question = byId("question");
let answer = null;
let ref = 0; // of the latest question

const socket = new LiveSocket("/ws/assistant/", {
  state: byId("state"),
  onFrame: receive,
  onOpen: () => wait(false),
});

function receive(frame) {
  if (frame.ref !== String(ref)) return;
  if (frame.seq === undefined) return finish(frame);
  answer ??= bubble("", false);
  answer.append(frame.payload.text);
  exchanges.scrollTop = exchanges.scrollHeight;
}

// The last frame of an answer: it is complete, or an error says why it is not.
function finish({ action, payload }) {
  if (action === "error") {
    answer ??= bubble("", false);
    answer.append(element("em", { text: payload[0]?.type === "cancelled" ? "(stopped)" : "(failed)" }));
  }
  wait(false);
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
  ref += 1;
  socket.send("ask", { question: asked }, String(ref));
});
sendOnEnter(question);
byId("stop").addEventListener("click", () => socket.send("cancel", null, String(ref)));
