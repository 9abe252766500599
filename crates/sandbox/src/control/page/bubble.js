function summary(message) {
  if (!message) return '';
  if (message.deleted) return 'deleted';
  const text = message.text?.body || message.interactive?.body?.text || message.button?.text || message.poll?.name || message.event?.name
    || message.interactive?.button_reply?.title || message.interactive?.list_reply?.title || message[message.type]?.text;
  if (message.type === 'poll_vote') return `voted: ${message.poll_vote.options.join(', ') || 'nothing'}`;
  return typeof text === 'string' && text || `[${message.type}]`;
}

// What stands in the bubble as plain words; what has a look of its own has none.
function wordsOf(message) {
  if (message.deleted) return 'deleted';
  if (FILES.includes(message.type)) return message[message.type]?.caption;
  if (['location', 'contact', 'contacts', ...Object.keys(ASKED)].includes(message.type)) return '';
  return message.text?.body ?? message.interactive?.body?.text ?? summary(message);
}

function bubble(message) {
  const own = message.direction === 'out', here = !message.deleted;
  const interactive = message.interactive;
  const quoted = message.context && state.messages.find(one => one.id === message.context.message_id);
  const words = wordsOf(message), footer = message.footer || interactive?.footer;
  const buttons = here ? [
    ...(Array.isArray(message.buttons) ? message.buttons : []).map(button => templateButton(message, button)),
    ...(!own && interactive?.action ? actionParts(message, interactive.type, interactive.action) : []),
  ] : [];
  const cards = message.cards || interactive?.action?.cards;
  const time = new Date(Number(message.timestamp) * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return el('article', { className: `bubble ${own ? 'out' : ''}` },
    !own && isShared(message.to) ? el('div', { className: 'writer', textContent: message.from }) : null,
    quoted ? el('div', { className: 'quote', textContent: summary(quoted) }) : null,
    headerPart(message.header || interactive?.header),
    here && FILES.includes(message.type) ? mediaPart(message.type, message[message.type]) : null,
    message.location ? placePart(message.location) : null,
    ...(message.contacts || []).map(contactPart),
    here && ASKED[message.type] ? ASKED[message.type](message, message[message.type]) : null,
    words ? el('p', { textContent: words }) : null,
    footer ? el('div', { className: 'foot', textContent: footer.text }) : null,
    cards ? cardsPart(message, cards) : null,
    buttons.length ? el('div', { className: 'buttons' }, ...buttons) : null,
    el('div', { className: 'meta' }, `${here && message.edited ? 'edited · ' : ''}${time} `, ticks(message)),
    message.reactions ? el('span', { className: 'reacted', textContent: message.reactions.map(one => one.emoji).join('') }) : null,
    here ? handle(message, own) : null);
}

// Others' messages are reacted to, one's own are changed.
function handle(message, own) {
  const [label, sign, action] = own ? ['Change this message', '⋯', () => openChange(message)] : ['React with a heart', '♡', () => react(message)];
  return el('button', { type: 'button', className: 'plain handle', ariaLabel: label, title: label, textContent: sign, onclick: action });
}

function ticks(message) {
  if (message.direction === 'in') return null;
  const look = { sent: '✓', delivered: '✓✓', read: '✓✓', played: '✓✓', failed: '!' }[message.status] || '';
  const kind = message.status === 'played' ? 'read' : message.status;
  return el('span', { className: `ticks ${kind}`, textContent: look, title: message.status });
}

function react(message) {
  const has = (message.reactions || []).some(one => one.from === state.phone);
  return write({ type: 'reaction', reaction: { message_id: message.id, emoji: has ? '' : '❤️' } });
}

// A bubble that shows nothing new stays as it is, with its picture loaded.
const bubbles = new Map();
function kept(message) {
  const quoted = message.context && state.messages.find(one => one.id === message.context.message_id);
  const shows = JSON.stringify([message, quoted && summary(quoted), message.poll && votes(message)]);
  if (bubbles.get(message.id)?.shows !== shows) bubbles.set(message.id, { shows, node: bubble(message) });
  return bubbles.get(message.id).node;
}

async function write(message) {
  if (!state.chat) return note('choose a conversation first');
  await call('POST', phonePath('/messages'), { to: state.chat, ...message });
  await look();
  if (message.type !== 'reaction' && message.type !== 'poll_vote') toEnd();
}
