// What travels on one connection, as a list that can be filtered and copied.
'use strict';

const MOST_FRAMES = 500;
const ARROWS = { out: '→', in: '←', note: '•' };
const SPOKEN = { out: 'sent', in: 'received', note: 'note' };

class Traffic {
  constructor() {
    this._entries = [];
    this._list = make('ol', { role: 'log', 'aria-label': 'Traffic', tabindex: '0' });
    this._count = make('span', { class: 'note' });
    this._text = make('input', { type: 'search', autocomplete: 'off', placeholder: 'Text' });
    this._direction = make(
      'select',
      {},
      make('option', { value: '' }, 'Sent and received'),
      make('option', { value: 'in' }, 'Received'),
      make('option', { value: 'out' }, 'Sent'),
    );
    this._wrong = make('input', { type: 'checkbox' });
    for (const control of [this._text, this._direction, this._wrong]) {
      control.addEventListener('input', () => this._filter());
    }
    this.element = make('div', { class: 'traffic' }, this._toolbar(), this._list);
    this._filter();
  }

  /**
   * Add frames: {direction, text, frame, name, latency, problems}. One that `begins` an exchange holds those that come
   * `under` it; frames of one call belong to the same exchange, or to none.
   */
  add(...entries) {
    const lists = entries[0].under ? [this._list, entries[0].under.list] : [this._list];
    const followed = lists.filter(isAtEnd);
    for (const entry of entries) {
      const known = { time: new Date(), problems: [], ...entry };
      const shown = this._shown(known);
      if (entry.begins) shown.append(entry.begins.element);
      this._entries.push({ ...known, shown });
      lists.at(-1).append(shown);
    }
    this._trim();
    this._filter();
    for (const list of followed) list.scrollTop = list.scrollHeight;
  }

  note(text, isProblem = false) {
    this.add({ direction: 'note', text, problems: isProblem ? [text] : [] });
  }

  /** Remove all but what still runs, which could not be cancelled any more. */
  clear() {
    const runs = (entry) => entry.begins?.isOver === false;
    for (const entry of this._entries) if (!runs(entry)) entry.shown.remove();
    this._entries = this._entries.filter(runs);
    this._filter();
  }

  /** Remove the oldest frames, except those that others stand under. */
  _trim() {
    while (this._entries.length > MOST_FRAMES) {
      const held = new Set(this._entries.map((entry) => entry.under));
      const oldest = this._entries.findIndex(({ begins }) => !begins || (begins.isOver && !held.has(begins)));
      this._entries.splice(Math.max(oldest, 0), 1)[0].shown.remove();
    }
  }

  _toolbar() {
    return make(
      'div',
      { class: 'toolbar', role: 'group', 'aria-label': 'Filters' },
      labelled('Filter', this._text),
      labelled('Direction', this._direction),
      make('label', { class: 'check' }, this._wrong, 'Errors only'),
      make('button', { type: 'button', onclick: (event) => this._copyAll(event.target) }, 'Copy all'),
      make('button', { type: 'button', onclick: () => this.clear() }, 'Clear'),
      this._count,
    );
  }

  _shown(entry) {
    const { direction, text, name, latency, problems, frame, under } = entry;
    const isItem = under && frame?.seq !== undefined;
    const summary = make(
      'summary',
      {},
      make('time', { datetime: entry.time.toISOString() }, clock(entry.time)),
      make('span', { class: `arrow ${direction}`, title: SPOKEN[direction] }, ARROWS[direction]),
      isItem ? make('span', { class: 'seq' }, String(frame.seq)) : null,
      make('code', { class: 'name' }, name ?? ''),
      latency == null ? null : make('span', { class: 'latency' }, `${latency.toFixed(1)} ms`),
      problems.length && direction !== 'note' ? make('strong', { class: 'wrong' }, 'not as documented') : null,
      make('span', { class: 'preview' }, isItem ? JSON.stringify(frame.payload) : text),
    );
    if (direction === 'note') {
      return make('li', { class: problems.length ? 'note wrong' : 'note' }, ...summary.childNodes);
    }
    const body = make(
      'div',
      {},
      problems.length ? make('ul', { class: 'problems' }, ...problems.map((problem) => make('li', {}, problem))) : null,
      make('pre', { tabindex: '0' }, make('code', {}, pretty(entry))),
      make('button', { type: 'button', onclick: (event) => copy(pretty(entry), event.target) }, 'Copy'),
    );
    return make('li', { class: isItem ? `${direction} item` : direction }, make('details', {}, summary, body));
  }

  _filter() {
    const text = this._text.value.toLowerCase();
    const fits = ({ direction, text: content, problems }) =>
      content.toLowerCase().includes(text) &&
      (!this._direction.value || this._direction.value === direction) &&
      (!this._wrong.checked || problems.length > 0);
    for (const entry of this._entries) entry.fits = fits(entry);
    const fitting = this._entries.filter((entry) => entry.fits);
    const holding = new Set(fitting.map((entry) => entry.under));
    for (const { shown, begins, fits: isFit } of this._entries) {
      shown.hidden = !isFit && !(begins && (!begins.isOver || holding.has(begins)));
    }
    const visible = fitting.length;
    const all = this._entries.length;
    this._count.textContent = `${visible === all ? '' : `${visible} of `}${counted(all, 'line')}`;
  }

  _copyAll(button) {
    const frames = this._entries.filter((entry) => entry.fits && entry.direction !== 'note');
    const lines = frames.map(({ time, direction, latency, text }) =>
      JSON.stringify({ time: time.toISOString(), direction, latency_ms: latency ?? null, frame: text }),
    );
    copy(lines.join('\n'), button);
  }
}

function isAtEnd(list) {
  return list.scrollHeight - list.scrollTop - list.clientHeight < 40;
}

function pretty({ frame, text }) {
  return frame === undefined ? text : JSON.stringify(frame, null, 2);
}

function clock(time) {
  const two = (number) => String(number).padStart(2, '0');
  const millis = String(time.getMilliseconds()).padStart(3, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${millis}`;
}

/** Copy text, and say on the button whether that worked. */
async function copy(text, button) {
  const before = button.dataset.label ?? button.textContent;
  button.dataset.label = before;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    button.textContent = 'Copy failed';
  }
  setTimeout(() => (button.textContent = before), 1500);
}
