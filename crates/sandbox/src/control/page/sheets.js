function openSheet(title, ...children) {
  const sheet = $('sheet');
  sheet.replaceChildren(el('h2', { textContent: title }), ...children);
  if (!sheet.open) sheet.showModal();
}

const closeButton = () => tap('Close', () => $('sheet').close());
const field = (label, value = '', more = {}) => el('input', { placeholder: label, ariaLabel: label, value, autocomplete: 'off', ...more });
const lines = (label, value = '', rows = 4) => el('textarea', { placeholder: label, ariaLabel: label, value, rows });
const typed = area => area.value.split('\n').map(line => line.trim()).filter(Boolean);
const rowsOf = (...children) => el('div', { className: 'rows' }, ...children);

// A sheet that asks for something, and closes when it was accepted.
function ask(title, word, action, ...fields) {
  const go = el('button', { type: 'submit', className: 'main', textContent: word });
  const form = el('form', { onsubmit: async event => {
    event.preventDefault();
    go.disabled = true;
    try { await action(); $('sheet').close(); } catch { go.disabled = false; }
  } }, rowsOf(...fields), go, ' ', closeButton());
  openSheet(title, form);
}

function openList(message, action) {
  openRows(message, action.button, action.sections);
}

function openRows(message, title, sections) {
  const rows = sections.flatMap(section => [
    section.title ? el('small', { textContent: section.title }) : null,
    ...section.rows.map(row => el('button', { type: 'button', onclick: () => {
      $('sheet').close();
      reply(message, 'list_reply', { id: row.id, title: row.title, ...(row.description ? { description: row.description } : {}) });
    } }, row.title, el('small', { textContent: row.description || '' }))),
  ]).filter(Boolean);
  openSheet(title, rowsOf(...rows), closeButton());
}

function openFlow(message) {
  const answer = lines('Answer as JSON', '{}', 5);
  ask('Answer of the flow, as JSON', 'Send', () => reply(message, 'nfm_reply', { name: 'flow', body: 'Sent', response_json: answer.value }), answer);
}

function openPlace(quoted) {
  const [latitude, longitude, name] = [field('Latitude', '52.5163'), field('Longitude', '13.3777'), field('Name')];
  ask('Send a place', 'Send', () => {
    const location = { latitude: Number(latitude.value), longitude: Number(longitude.value) };
    if (name.value) location.name = name.value;
    return write({ type: 'location', location, ...(quoted ? { context: { message_id: quoted } } : {}) });
  }, latitude, longitude, name);
}

function openPoll() {
  const [name, options] = [field('Question'), lines('Options, one on a line')];
  ask('Ask for votes', 'Send', () => write({ type: 'poll', poll: { name: name.value, options: typed(options) } }), name, options);
}

function openChange(message) {
  const words = lines('New words', wordsOf(message) || '', 3), path = phonePath(`/messages/${encodeURIComponent(message.id)}`);
  const away = tap('Delete for everyone', async () => { await call('DELETE', path); $('sheet').close(); await look(); });
  ask('Change this message', 'Save', () => call('PATCH', path, { text: words.value }).then(look), words, away);
}

function openChat() {
  const number = field('Phone number', '', { type: 'tel' });
  ask('Write to', 'Open', async () => {
    const digits = number.value.replace(/[^0-9]/g, '');
    if (digits.length < 7) { note('that is not a phone number'); throw new Error(); }
    enter(`+${digits}`);
  }, number);
}

function openGroup() {
  const [name, members] = [field('Name of the group'), lines('Members, one number on a line')];
  ask('New group', 'Make', async () => {
    const { id } = await call('POST', '/groups', { name: name.value, owner: state.phone, members: typed(members) });
    await look();
    enter(id);
  }, name, members);
}

// A pairing code is short; everything else is what a QR code says.
const isCode = text => /^[0-9a-z]{4}[- ]?[0-9a-z]{4}$/i.test(text);

function openLink() {
  const shown = lines('Text of the QR code, or pairing code');
  const devices = state.web.linked.map(device => el('div', { className: 'device' }, `Device ${device} `, tap('Unlink', async () => {
    await call('DELETE', phonePath(`/link/${device}`));
    await look();
    openLink();
  })));
  ask('Linked devices', 'Link', async () => {
    const text = shown.value.trim();
    const answer = await call('POST', phonePath('/link'), isCode(text) ? { code: text } : { qr: text });
    note(answer.linked ? `linked as device ${answer.device}` : "the client was asked for the owner's passkey");
    await look();
  }, ...devices, shown, el('small', { textContent: 'Paste what the program that wants to be linked shows.' }));
}

async function dial(video) {
  await call('POST', phonePath('/calls'), { to: state.chat, video });
  note('ringing…');
  await look();
}

async function hangUp() {
  await call('DELETE', phonePath(`/calls/${lastCall().id}`));
  await look();
}
