// Connections of the generated client, and requests to the REST API.

const TEXTS = { connecting: "Connecting…", waiting: "Reconnecting…" };
// Coming back would not help: log in, ask a member, or go elsewhere.
const REFUSED = {
  4401: "Log in to connect",
  4403: "You are not allowed here",
  4404: "There is no such thing any more",
};

// Connects to a channel of `/asyncapi/client.js`, and shows in the element `place` what a person should know. `onOpen` is
// called on each connection, once the server has admitted the client and joined its groups: it answers no message before.
export function connect(channel, place, { params, onOpen = () => {} } = {}) {
  const client = channel.connect({
    params,
    onState(state, lost) {
      if (state === "open") client.request("ping").then(open, () => {});
      else if (state === "closed") show("refused", REFUSED[lost.code] ?? `Not connected (${lost.reason || lost.code})`);
      else show("wait", TEXTS[state]);
    },
    // A refused message is no mistake of the page.
    onError: (error) => error.name === "ServerError" || console.error(error),
  });
  return client;

  function open() {
    show("open", "Connected");
    onOpen();
  }

  function show(state, text) {
    place.dataset.state = state;
    place.textContent = text;
  }
}

// Returns what the REST API answers; throws an Error with a text for people.
export async function api(method, path, body) {
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
  const response = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = response.status === 204 ? null : await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(Object.values(answer).flat().join(" ") || "That did not work.");
  return answer;
}

// Sends a form's fields with `send`, and shows what went wrong below them.
export function onSubmit(form, send) {
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const error = form.querySelector(".error");
    try {
      await send(Object.fromEntries(new FormData(form)));
      if (error) error.hidden = true;
    } catch (problem) {
      if (!error) throw problem;
      const isLost = problem.name === "ConnectionLost";
      error.textContent = isLost ? "The connection was lost. Please try again." : problem.message;
      error.hidden = false;
    }
  });
}

// Makes an element; texts of people reach the page as text only.
export function element(name, { className = "", text = "", ...attributes } = {}, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Enter sends, Shift+Enter breaks the line.
export function sendOnEnter(field) {
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      field.form.requestSubmit();
    }
  });
}
