// The page around the channels: search, links into it, colours, and where channels can be tried.
'use strict';

const api = ApiDocument.read();
const trials = new Map();

function start() {
  document.querySelector('.tools').hidden = false;
  document.querySelectorAll('.trial').forEach(offerTrial);
  document.querySelectorAll('.message').forEach(offerMessage);
  document.getElementById('search').addEventListener('input', (event) => search(event.target.value));
  document.getElementById('theme').addEventListener('click', nextTheme);
  document.getElementById('download').addEventListener('click', download);
  document.addEventListener('securitypolicyviolation', tellPolicy);
  document.addEventListener('keydown', focusSearch);
  addEventListener('hashchange', reveal);
  if (innerWidth < 900) document.querySelector('nav details').open = false;
  setTheme(stored('theme') ?? 'auto');
  reveal();
}

// Trying

function offerTrial(place) {
  const button = make('button', { type: 'button', class: 'main' }, 'Try it');
  button.addEventListener('click', () => openTrial(place.dataset.channel));
  place.append(button);
}

function openTrial(key) {
  const place = document.querySelector(`.trial[data-channel="${CSS.escape(key)}"]`);
  if (!trials.has(key)) {
    trials.set(key, new Trial(api, key));
    place.replaceChildren(trials.get(key).element);
  }
  const trial = trials.get(key);
  trial.element.querySelector('input, select, button').focus({ preventScroll: true });
  trial.element.scrollIntoView({ block: 'nearest' });
  return trial;
}

function offerMessage(details) {
  const key = details.closest('.channel').querySelector('.trial').dataset.channel;
  const reference = `#/channels/${key}/messages/${details.dataset.message}`;
  if (!api.received(key).some((message) => message.reference === reference)) return;
  const button = make('button', { type: 'button' }, 'Try this message');
  button.addEventListener('click', () => openTrial(key).choose(reference));
  details.append(button);
}

function tellPolicy(event) {
  if (!/^wss?:/.test(event.blockedURI)) return;
  for (const trial of trials.values()) {
    trial.complain(`The page's Content-Security-Policy does not allow ${event.blockedURI}.`);
  }
}

// Search

function search(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (element) => words.every((word) => element.textContent.toLowerCase().includes(word));
  let found = 0;
  for (const channel of document.querySelectorAll('.channel')) {
    const parts = [...channel.querySelectorAll('.operation, .message')];
    const own = has(channel.querySelector('h2')) || has(channel.querySelector('.address'));
    for (const part of parts) part.hidden = !own && !has(part);
    const visible = parts.filter((part) => !part.hidden).length;
    channel.hidden = !own && visible === 0 && words.length > 0;
    found += channel.hidden ? 0 : visible;
  }
  for (const item of document.querySelectorAll('nav li li')) {
    item.hidden = document.querySelector(item.querySelector('a').hash)?.hidden ?? false;
  }
  document.getElementById('found').textContent = words.length ? `${found} found` : '';
}

function focusSearch(event) {
  if (event.key !== '/' || event.target.closest('input, textarea, select')) return;
  event.preventDefault();
  document.getElementById('search').focus();
}

// Links

function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target instanceof HTMLDetailsElement) target.open = true;
  target.scrollIntoView();
}

// Colours

function nextTheme() {
  const themes = ['auto', 'light', 'dark'];
  setTheme(themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length]);
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.getElementById('theme').textContent = `Theme: ${theme}`;
  try {
    localStorage.setItem('theme', theme);
  } catch {
    // Private windows may refuse; the choice then lasts as long as the page.
  }
}

function stored(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function download() {
  const text = JSON.stringify(api.content, null, 2);
  const address = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  make('a', { href: address, download: 'asyncapi.json' }).click();
  URL.revokeObjectURL(address);
}

start();
