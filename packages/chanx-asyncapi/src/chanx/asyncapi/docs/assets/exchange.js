// What belongs together on a connection: an answer that comes in items, and a question of the server.
'use strict';

// Items are shown, and paid for by credit, together: a page that is drawn for each one falls behind.
const SHOW_EVERY = 30;

/** Frames below the one that began them, and how it goes on. */
class Exchange {
  constructor(name, ref, traffic) {
    this.ref = ref;
    // Whether there is nothing left to do, and whether frames under the reference still belong to it.
    this.isOver = false;
    this.isOpen = true;
    this._traffic = traffic;
    this._state = make('strong', { class: 'state', role: 'status' });
    this._progress = make('div', { class: 'progress' }, this._state);
    // Only the state is read aloud: nobody can listen to a hundred items a second.
    this.list = make('ol', { tabindex: '0', 'aria-live': 'off', 'aria-label': `Frames of ${name}, ref ${ref}` });
    this.element = make(
      'div',
      { class: 'exchange', role: 'group', 'aria-label': `${name}, ref ${ref}` },
      this._progress,
      this.list,
    );
  }

  /** The connection is closed: nothing more comes. */
  close() {
    if (!this.isOver) this._end('disconnected');
    this.isOpen = false;
  }

  _enter(state, text = state) {
    this.element.dataset.state = state;
    this._state.textContent = text;
  }

  _end(state, text) {
    this.isOver = true;
    this._enter(state, text);
  }
}

/** The answer to a message of this page: its items, its credit and its end. */
class Answer extends Exchange {
  /** `control` sends a control frame with some more keys; it is missing where the channel has no such control. */
  constructor(message, frame, traffic, control) {
    super(message.name, frame.ref, traffic);
    this._answers = message.answers;
    this._field = message.field;
    this._control = control;
    const isPaced = this._answers.mode === 'stream' && control.more && Number.isInteger(frame.window);
    this._window = isPaced ? frame.window : undefined;
    this._credit = this._window;
    this._number = 0;
    this._due = 0;
    this._arrived = [];
    this._count = make('span', { class: 'note count' });
    this._left = make('span', { class: 'note credit', title: 'Items that the server may still send' });
    this._button = make('button', { type: 'button', onclick: () => this._cancel() }, 'Cancel');
    this._button.hidden = !(this._answers.cancellable && control.cancel);
    this._progress.append(this._count, this._left, this._button);
    this._enter('running');
    this._showNumbers();
  }

  /** Take a frame that came under the reference. */
  take(entry) {
    const isItem = entry.frame.seq !== undefined;
    if (isItem && this._credit !== undefined) this._credit -= 1;
    this._arrived.push({ ...entry, under: this });
    if (this._isEnd(entry.frame)) {
      this._show();
      this._finish(entry.frame);
    } else {
      this._timer ??= setTimeout(() => this._show(), SHOW_EVERY);
    }
  }

  close() {
    this._show();
    super.close();
  }

  _isEnd(frame) {
    const isLast = this._answers.mode === 'one' || this._answers.ends.includes(frame[this._field]);
    return frame.seq === undefined && isLast;
  }

  _finish(frame) {
    const [error] = frame[this._field] === 'error' && Array.isArray(frame.payload) ? frame.payload : [];
    if (frame[this._field] !== 'error') this._end('complete');
    else if (error?.type === 'cancelled') this._end('cancelled');
    else this._end('error', error?.msg && `error: ${short(String(error.msg))}`);
  }

  _show() {
    clearTimeout(this._timer);
    this._timer = undefined;
    const shown = this._arrived.splice(0);
    if (shown.length) this._traffic.add(...shown);
    const items = shown.filter(({ frame }) => frame.seq !== undefined).length;
    this._number += items;
    this._due += items;
    const isLast = shown.length > 0 && this._isEnd(shown.at(-1).frame);
    if (!isLast) this._giveCredit();
    this._showNumbers();
  }

  _giveCredit() {
    if (this._credit === undefined || this._due < Math.ceil(this._window / 2)) return;
    const payload = this._due;
    this._due = 0;
    if (this._control.more({ payload }, this)) this._credit += payload;
  }

  _showNumbers() {
    this._count.textContent = this._answers.mode === 'stream' ? counted(this._number, 'item') : '';
    this._left.textContent = this._credit === undefined || this.isOver ? '' : `credit ${this._credit}`;
  }

  _cancel() {
    this._control.cancel({}, this);
    this._removeButton();
  }

  _end(state, text) {
    super._end(state, text);
    this.isOpen = false;
    this._removeButton();
    this._showNumbers();
  }

  _removeButton() {
    if (this._button === document.activeElement) this.list.focus({ preventScroll: true });
    this._button.remove();
  }
}

/** A request of the server, with the form that answers it. */
class Question extends Exchange {
  /** `frame` asks; `send` sends the answer, and says whether it could. */
  constructor(api, message, frame, traffic, send) {
    super(message.name, frame.ref, traffic);
    this._send = send;
    this._topic = frame.topic === undefined ? {} : { topic: frame.topic };
    const answer = (event) => this._answer(event);
    this._editor = new Editor(api, message.replies, {
      label: `Answer to ${message.name}`,
      kindLabel: message.replies.length > 1 ? 'Answer with' : undefined,
      exampleOf: ({ example }) => (frame.topic === undefined ? example : withoutTopic(example)),
      completed: (answered) => this._completed(answered),
      onsend: answer,
    });
    this._form = make(
      'form',
      { class: 'composer', onsubmit: answer },
      ...this._editor.parts,
      make(
        'div',
        { class: 'actions' },
        make('button', { class: 'main', title: 'Ctrl+Enter' }, 'Answer'),
        ...this._editor.buttons(),
      ),
    );
    this._progress.after(this._form);
    this._wait('waiting for your answer');
  }

  /** Take a frame that came under the reference: the server did not understand the answer, and waits on. */
  take(entry) {
    this._traffic.add({ ...entry, under: this });
    this._wait('not accepted: answer again');
  }

  _answer(event) {
    event.preventDefault();
    const frame = this._editor.check();
    // Without the reference, the server could not tell what is answered.
    if (!isObject(frame) || !this._send(JSON.stringify({ ...this._completed(frame), ref: this.ref }), this)) return;
    this._end('answered');
    this.list.focus({ preventScroll: true });
  }

  /** Name the topic that asks. */
  _completed(frame) {
    return isObject(frame) ? { ...frame, ...this._topic } : frame;
  }

  _wait(text) {
    this.isOver = false;
    this._enter('waiting', text);
    this._form.hidden = false;
  }

  _end(state) {
    super._end(state);
    this._form.hidden = true;
  }
}

/** An example as it is edited where the topic is added at sending. */
function withoutTopic({ topic, ...example }) {
  return example;
}
