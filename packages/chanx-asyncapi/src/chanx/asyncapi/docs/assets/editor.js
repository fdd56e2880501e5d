// A frame to write: made from an example, and checked while it is edited.
'use strict';

class Editor {
  /** Offer `messages`; frames, as they are `completed`, are checked against `known`. `onsend` is called for Ctrl+Enter. */
  constructor(
    api,
    messages,
    { label, kindLabel, onsend, known = messages, exampleOf = ({ example }) => example, completed = (frame) => frame },
  ) {
    this._api = api;
    this._messages = messages;
    this._known = known;
    this._exampleOf = exampleOf;
    this._completed = completed;
    this._kind = make('select', { oninput: () => this.fill() }, ...this._choices());
    this._text = make('textarea', {
      rows: '6',
      spellcheck: 'false',
      autocapitalize: 'off',
      oninput: () => this.check(),
      onkeydown: (event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) onsend(event);
      },
    });
    this._problems = make('ul', { class: 'problems', 'aria-live': 'polite', id: newId() });
    this._text.setAttribute('aria-describedby', this._problems.id);
    this.parts = [
      kindLabel ? labelled(kindLabel, this._kind) : null,
      labelled(label, this._text),
      this._problems,
    ];
    this.fill();
  }

  /** Buttons for the text. */
  buttons() {
    return [
      make('button', { type: 'button', onclick: () => this.fill() }, 'Insert example'),
      make('button', { type: 'button', onclick: (event) => copy(this.text, event.target) }, 'Copy'),
    ];
  }

  get text() {
    return this._text.value;
  }

  get chosen() {
    return this._messages[Number(this._kind.value)];
  }

  /** Choose a message, as links elsewhere on the page do. */
  choose(reference) {
    const index = this._messages.findIndex((message) => message.reference === reference);
    if (index < 0) return;
    this._kind.value = index;
    this.fill();
    this._kind.dispatchEvent(new Event('change', { bubbles: true }));
  }

  fill() {
    this._text.value = JSON.stringify(this._exampleOf(this.chosen), null, 2);
    this.check();
  }

  /** Show the problems of the text; return the frame, or undefined for invalid JSON. */
  check() {
    let frame;
    let problems;
    try {
      frame = JSON.parse(this.text);
      problems = this._api.judge(this._completed(frame), this._known).problems;
    } catch (error) {
      problems = [`Invalid JSON: ${error.message}`];
    }
    this._text.setAttribute('aria-invalid', String(problems.length > 0));
    this._problems.replaceChildren(...problems.map((problem) => make('li', {}, problem)));
    return frame;
  }

  _choices() {
    const option = (message, index) => make('option', { value: index }, `${message.name} (${message.title})`);
    const options = this._messages.map(option);
    const groupOf = ({ host, control }) => (host ? `Of ${host}` : control ? 'Controls' : '');
    const groups = Map.groupBy(options, (one) => groupOf(this._messages[Number(one.value)]));
    const own = groups.get('') ?? [];
    groups.delete('');
    return [...own, ...[...groups].map(([label, inside]) => make('optgroup', { label }, ...inside))];
  }
}
