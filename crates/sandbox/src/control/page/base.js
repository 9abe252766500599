'use strict';
const token = new URLSearchParams(location.search).get('token');
// `chat` is a number with a plus or a group's id; `web` is what WhatsApp Web knows of this phone, null in a build without it.
const state = { phone: localStorage.getItem('phone') || '+15550199001', chat: null, businesses: [], messages: [], web: null,
  typing: [], opened: [], drawn: '', following: true, top: 0 };
const $ = id => document.getElementById(id);

function url(path) {
  const made = new URL(path, location.origin);
  if (token) made.searchParams.set('token', token);
  return made.pathname + made.search;
}

async function call(method, path, body) {
  const answer = await fetch(url(path), { method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
  const value = await answer.json();
  if (!answer.ok) { note(value.error || answer.statusText); throw new Error(value.error); }
  return value;
}

function note(text) {
  $('note').textContent = text;
  clearTimeout(note.timer);
  note.timer = setTimeout(() => { $('note').textContent = ''; }, 4000);
}

function el(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

// Drawn here, because not every machine has a font with pictures.
const ICONS = {
  clip: 'M15 6v9a4 4 0 0 1-8 0V5a2.6 2.6 0 0 1 5.2 0v9a1.2 1.2 0 0 1-2.4 0V6.5',
  pin: 'M10 18s5.5-5.2 5.5-9.6a5.5 5.5 0 0 0-11 0C4.5 12.8 10 18 10 18Zm0-7.6a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z',
  file: 'M5.5 2.5h6l3.5 3.5v11.5h-9.5Zm6 0v3.5h3.5',
  person: 'M10 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm-6 7.5c0-3 2.5-5 6-5s6 2 6 5',
  poll: 'M4 5h12M4 10h8M4 15h5',
  call: 'M4 4.5 6.5 3l2.4 3.8L7.2 8.6a9 9 0 0 0 4.2 4.2l1.8-1.7 3.8 2.4-1.5 2.5C9.500 17 3 10.500 4 4.500Z',
  video: 'M3 6h9v8H3Zm9 3.200 5-2.700v7l-5-2.700',
};

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

const phonePath = rest => `/phones/${encodeURIComponent(state.phone)}${rest || ''}`;
// Media links name the sandbox as it names itself; the page stays with the origin that it came from.
const local = link => { const made = new URL(link, location.origin); return url(made.pathname + made.search); };

const isShared = chat => chat.includes('@');
const chatOf = message => message.direction === 'out' || isShared(message.to) ? message.to : message.from;
const business = chat => state.businesses.find(one => one.display_phone_number === chat);
const group = chat => state.web?.groups.find(one => one.id === chat);
const nameOf = chat => business(chat)?.verified_name || group(chat)?.name || (chat === 'status@broadcast' ? 'Status updates' : chat);
