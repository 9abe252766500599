function mediaPart(kind, media) {
  if (!media) return null;
  if (!media.link) return el('p', { textContent: `[${kind}]` });
  const source = media.sha256 ? local(media.link) : null;
  if (!source) return el('p', { textContent: media.link });
  if (kind === 'image' || kind === 'sticker') return el('img', { src: source, alt: media.caption || kind });
  if (kind === 'video' || kind === 'ptv' || kind === 'gif') return el('video', { src: source, controls: true });
  if (kind === 'audio') return el('audio', { src: source, controls: true });
  return el('p', {}, el('a', { href: source, target: '_blank', rel: 'noopener' }, icon('file'), ` ${media.filename || kind}`));
}

function placePart(place) {
  const words = [place.name, place.address, `${place.latitude}, ${place.longitude}`].filter(Boolean).join('\n');
  return el('p', {}, icon('pin'), ` ${words}`);
}

function headerPart(header) {
  if (!header) return null;
  const kind = (header.type || 'text').toLowerCase();
  if (kind === 'text') return el('h3', { textContent: header.text || '' });
  return kind === 'location' ? placePart(header.location) : mediaPart(kind, header[kind]);
}

function contactPart(card) {
  const phones = (card.phones || []).map(entry => entry.phone).join(', ');
  return el('p', {}, icon('person'), ` ${card.name?.formatted_name || ''} ${phones}`);
}

function tap(label, action) {
  return el('button', { type: 'button', textContent: label, onclick: action });
}

function linkButton(label, target) {
  const safe = /^https?:\/\//i.test(target || '');
  return tap(`↗ ${label}`, () => safe ? window.open(target, '_blank', 'noopener') : note(`not a web link: ${target}`));
}

function templateButton(message, button) {
  if (button.type === 'URL') return linkButton(button.text, button.url);
  if (button.type === 'COPY_CODE') return tap(`⧉ ${button.text || 'Copy code'}`, () => copy(button.code));
  if (button.type === 'PHONE_NUMBER') return tap(`☎ ${button.text}`, () => note(button.phone_number));
  if (button.type === 'QUICK_REPLY') {
    return tap(button.text, () => write({ type: 'button', button: { payload: button.payload, text: button.text }, context: { message_id: message.id } }));
  }
  return tap(button.text, () => note(`${button.type} does nothing here`));
}

async function copy(code) {
  try { await navigator.clipboard.writeText(code); note(`copied ${code}`); } catch { note(code); }
}

function reply(message, kind, chosen) {
  return write({ type: 'interactive', interactive: { type: kind, [kind]: chosen }, context: { message_id: message.id } });
}

function actionParts(message, kind, action) {
  const parts = (action.buttons || []).map(button => {
    const chosen = button.reply || button.quick_reply;
    return tap(chosen.title, () => reply(message, 'button_reply', { id: chosen.id, title: chosen.title }));
  });
  if (kind === 'list') parts.push(tap(`☰ ${action.button}`, () => openList(message, action)));
  if (action.name === 'cta_url') parts.push(linkButton(action.parameters.display_text, action.parameters.url));
  if (action.name === 'send_location') parts.push(tap('Send location', () => openPlace(message.id)));
  if (action.name === 'flow') parts.push(tap(action.parameters.flow_cta, () => openFlow(message)));
  return parts;
}

function cardsPart(message, cards) {
  return el('div', { className: 'cards' }, ...cards.map(card => el('div', { className: 'card' },
    headerPart(card.header),
    card.text || card.body ? el('p', { textContent: card.text?.body || card.body?.text || '' }) : null,
    el('div', { className: 'buttons' },
      ...(card.buttons || []).map(button => templateButton(message, button)),
      ...(card.action ? actionParts(message, card.type, card.action) : [])))));
}
