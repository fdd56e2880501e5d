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

  /** Add a frame: {direction, text, frame, name, latency, problems}. */
  add(entry) {
    const known = { time: new Date(), problems: [], ...entry };
    const shown = this._shown(known);
    this._entries.push({ ...known, shown });
    const atEnd = this._list.scrollHeight - this._list.scrollTop - this._list.clientHeight < 40;
    this._list.append(shown);
    if (this._entries.length > MOST_FRAMES) this._entries.shift().shown.remove();
    this._filter();
    if (atEnd) this._list.scrollTop = this._list.scrollHeight;
  }

  note(text, isProblem = false) {
    this.add({ direction: 'note', text, problems: isProblem ? [text] : [] });
  }

  clear() {
    this._entries = [];
    this._list.replaceChildren();
    this._filter();
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
    const { direction, text, name, latency, problems } = entry;
    const summary = make(
      'summary',
      {},
      make('time', { datetime: entry.time.toISOString() }, clock(entry.time)),
      make('span', { class: `arrow ${direction}`, title: SPOKEN[direction] }, ARROWS[direction]),
      make('code', { class: 'name' }, name ?? ''),
      latency == null ? null : make('span', { class: 'latency' }, `${latency.toFixed(1)} ms`),
      problems.length && direction !== 'note' ? make('strong', { class: 'wrong' }, 'not as documented') : null,
      make('span', { class: 'preview' }, text),
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
    return make('li', { class: direction }, make('details', {}, summary, body));
  }

  _filter() {
    const text = this._text.value.toLowerCase();
    let visible = 0;
    for (const { shown, direction, text: content, problems } of this._entries) {
      const fits =
        content.toLowerCase().includes(text) &&
        (!this._direction.value || this._direction.value === direction) &&
        (!this._wrong.checked || problems.length > 0);
      shown.hidden = !fits;
      visible += fits;
    }
    const all = this._entries.length;
    this._count.textContent = `${visible === all ? '' : `${visible} of `}${counted(all, 'line')}`;
  }

  _copyAll(button) {
    const frames = this._entries.filter((entry) => !entry.shown.hidden && entry.direction !== 'note');
    const lines = frames.map(({ time, direction, latency, text }) =>
      JSON.stringify({ time: time.toISOString(), direction, latency_ms: latency ?? null, frame: text }),
    );
    copy(lines.join('\n'), button);
  }
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
