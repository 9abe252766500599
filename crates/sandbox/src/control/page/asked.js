// What linked accounts send to be answered: polls, and messages with buttons, lists, forms and cards of WhatsApp Web.
const FILES = ['image', 'video', 'ptv', 'audio', 'document', 'sticker'];
const ASKED = {
  poll: pollPart,
  event: (message, event) => titled({ title: event.canceled ? `${event.name} (called off)` : event.name, text: [event.description, when(event.start_time), event.location?.name].filter(Boolean).join('\n') }),
  list: (message, list) => titled(list, list.sections ? tap(`☰ ${list.button || 'Choose'}`, () => openRows(message, list.button || 'Choose', list.sections)) : null, ...webButtons(message, list.buttons)),
  buttons: (message, part) => titled(part, ...webButtons(message, part.buttons)),
  flow: (message, flow) => titled(flow, tap(flow.buttons?.[0]?.title || 'Open', () => openFlow(message))),
  carousel: (message, part) => el('div', {}, titled(part), el('div', { className: 'cards' },
    ...(part.cards || []).map(card => el('div', { className: 'card' }, titled(card, ...webButtons(message, card.buttons)))))),
};

const when = seconds => seconds ? new Date(Number(seconds) * 1000).toLocaleString() : null;

function titled(part, ...buttons) {
  const shown = buttons.filter(Boolean);
  return el('div', {},
    part.title ? el('h3', { textContent: part.title }) : null,
    part.text ? el('p', { textContent: part.text }) : null,
    part.footer ? el('div', { className: 'foot', textContent: part.footer }) : null,
    shown.length ? el('div', { className: 'buttons' }, ...shown) : null);
}

function webButtons(message, buttons) {
  return (buttons || []).map(button => {
    const given = button.parameters || {}, label = button.title || button.name;
    if (button.name === 'cta_url') return linkButton(label, given.url);
    if (button.name === 'cta_copy') return tap(`⧉ ${label}`, () => copy(given.copy_code));
    if (button.name === 'cta_call') return tap(`☎ ${label}`, () => note(given.phone_number));
    if (button.name === 'single_select') return tap(`☰ ${given.title || label}`, () => openRows(message, given.title || label, given.sections || []));
    return tap(label, () => reply(message, 'button_reply', { id: button.id, title: label }));
  });
}

// Option → who chose it; of each person the last vote counts.
function votes(message) {
  const last = new Map(state.messages.filter(one => one.poll_vote?.poll_id === message.id).map(one => [one.from, one.poll_vote.options]));
  return message.poll.options.map(option => [option, [...last].filter(([, chosen]) => chosen.includes(option)).map(([who]) => who)]);
}

function pollPart(message, poll) {
  const counted = votes(message), single = poll.selectable_count === 1;
  const mine = counted.filter(([, who]) => who.includes(state.phone)).map(([option]) => option);
  const vote = option => {
    const others = single ? [] : mine.filter(one => one !== option);
    return write({ type: 'poll_vote', poll_id: message.id, options: mine.includes(option) ? others : [...others, option] });
  };
  return titled({ title: poll.name, footer: single ? 'Choose one' : 'Choose one or more' }, ...counted.map(([option, who]) => {
    const button = tap(who.length ? `${option} · ${who.length}` : option, () => vote(option));
    button.setAttribute('aria-pressed', String(mine.includes(option)));
    return button;
  }));
}
