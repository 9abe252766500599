// Businesses first, as they were made; then everybody else, the latest first.
function chats() {
  const known = new Set(state.businesses.map(one => one.display_phone_number));
  const others = new Set([...state.messages.map(chatOf).reverse(), ...state.opened, ...(state.web?.groups || []).map(one => one.id)]);
  return [...known, ...[...others].filter(chat => !known.has(chat))];
}

const talkWith = chat => state.messages.filter(message => chatOf(message) === chat);

function enter(chat) {
  if (!business(chat) && !state.opened.includes(chat)) state.opened.push(chat);
  state.chat = chat;
  draw(true);
  return markRead();
}

function talkButton(chat) {
  const talk = talkWith(chat), fresh = talk.filter(message => message.direction === 'in' && message.status === 'delivered').length;
  const name = nameOf(chat), number = name === chat || isShared(chat) ? '' : ` · ${chat}`;
  const button = el('button', { type: 'button', className: 'talk', onclick: () => enter(chat) },
    fresh ? el('span', { className: 'new', textContent: fresh, ariaLabel: `${fresh} new` }) : null,
    name + number, el('small', { textContent: summary(talk.at(-1)) || 'nothing yet' }));
  button.setAttribute('aria-current', String(chat === state.chat));
  return button;
}

const lastCall = () => state.web?.calls.filter(one => one.to === state.chat).at(-1);

// What stands under a conversation's name: who types, a call, or who is in it.
function under() {
  const typing = state.typing.find(one => one.from === state.chat);
  if (typing) return typing.state === 'recording' ? 'recording…' : 'typing…';
  if (lastCall()) return `call ${lastCall().status}`;
  return group(state.chat)?.members.join(', ') || (nameOf(state.chat) === state.chat ? '' : state.chat);
}

function drawHead() {
  $('title').textContent = state.chat ? nameOf(state.chat) : 'No conversation';
  $('under').textContent = state.chat ? under() : '';
  const direct = Boolean(state.web && state.chat && !business(state.chat));
  const ringing = direct && lastCall()?.status === 'ringing';
  $('hangup').hidden = !ringing;
  for (const id of ['dial', 'dialvideo']) $(id).hidden = !direct || ringing || isShared(state.chat);
  $('vote').hidden = !direct;
  $('more').hidden = !state.web;
}

function draw(force) {
  const talk = state.chat ? talkWith(state.chat).filter(message => message.type !== 'poll_vote') : [];
  const drawn = JSON.stringify([state.phone, state.chat, talk, state.messages.filter(message => message.poll_vote)]);
  $('talks').replaceChildren(...chats().map(talkButton));
  drawHead();
  if (!force && drawn === state.drawn) return;
  state.drawn = drawn;
  const follow = force || state.following;
  const nothing = business(state.chat) ? 'Nothing here yet. Say hello: a business may answer freely for 24 hours after you wrote.' : 'Nothing here yet.';
  $('chat').replaceChildren(...(talk.length ? talk.map(kept) : [el('div', { className: 'empty', textContent: nothing })]));
  if (follow) toEnd();
}

// Whoever reads older messages is left there; whoever is at the end stays at the end, also when a picture takes its place.
const atEnd = () => $('chat').scrollHeight - $('chat').scrollTop - $('chat').clientHeight < 60;
const toEnd = () => { $('chat').scrollTop = $('chat').scrollHeight; state.following = true; };
$('chat').addEventListener('scroll', () => {
  const top = $('chat').scrollTop;
  // Going up is a person's doing; that the end moved away is not.
  if (top < state.top || atEnd()) state.following = atEnd();
  state.top = top;
});
$('chat').addEventListener('load', () => { if (state.following) toEnd(); }, true);

async function markRead() {
  if (document.visibilityState !== 'visible' || !$('online').checked) return;
  const ids = talkWith(state.chat).filter(m => m.direction === 'in' && m.status === 'delivered').map(m => m.id);
  if (ids.length) { await call('POST', phonePath('/read'), { ids }); await look(); }
}

async function look() {
  const [phone, messages] = await Promise.all([call('GET', phonePath()), call('GET', phonePath('/messages?limit=300'))]);
  [state.messages, state.web, state.typing] = [messages.data, phone.web, phone.typing];
  if (document.activeElement !== $('name')) $('name').value = phone.name || '';
  $('online').checked = phone.online;
  $('registered').checked = phone.registered;
  $('marketing').checked = !phone.opted_out;
  draw(false);
  await markRead();
}

async function start() {
  const [businesses, phones] = await Promise.all([call('GET', '/businesses'), call('GET', '/phones')]);
  state.businesses = businesses.data;
  state.chat ||= businesses.data[0]?.display_phone_number || null;
  $('phones').replaceChildren(...phones.data.map(one => el('option', { value: one.phone, label: one.name || one.phone })));
  if (document.activeElement !== $('phone')) $('phone').value = state.phone;
  $('whose').textContent = state.phone;
  await look();
}
