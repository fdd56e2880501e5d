import { assistant } from "/asyncapi/client.js";
import { connect, element, onSubmit, sendOnEnter } from "../pages/live.js";

const byId = (id) => document.getElementById(id);
const exchanges = byId("exchanges");
const question = byId("question");
let stopping = null; // aborts the answer that is being given

const client = connect(assistant, byId("state"), { onOpen: () => stopping ?? wait(false) });

async function ask(asked) {
  stopping = new AbortController();
  wait(true);
  let answer = null;
  try {
    for await (const { payload } of client.stream("ask", { question: asked }, { signal: stopping.signal })) {
      answer ??= bubble("", false);
      answer.append(payload.text);
      exchanges.scrollTop = exchanges.scrollHeight;
    }
  } catch {
    answer ??= bubble("", false);
    answer.append(element("em", { text: stopping.signal.aborted ? "(stopped)" : "(failed)" }));
  }
  stopping = null;
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
  question.disabled = byId("send").disabled = isAnswering;
  byId("stop").hidden = !isAnswering;
  if (!isAnswering) question.focus();
}

onSubmit(byId("ask"), async () => {
  const asked = question.value.trim();
  if (!asked) return;
  bubble(asked, true);
  question.value = "";
  await ask(asked);
});
sendOnEnter(question);
byId("stop").addEventListener("click", () => stopping.abort());
