function listen() {
  const source = new EventSource(url('/events'));
  // What happened before it was open, or while it was cut off, was not told.
  source.onopen = () => start().catch(error => note(String(error)));
  source.onmessage = event => {
    if (event.data === `typing:${state.phone.replace('+', '')}`) {
      $('under').textContent = 'typing…';
      setTimeout(drawHead, 3000);
    } else if (event.data === 'all' || event.data === state.phone.replace('+', '')) {
      clearTimeout(listen.timer);
      listen.timer = setTimeout(look, 50);
    }
  };
}

$('choose').onsubmit = async event => {
  event.preventDefault();
  const digits = $('phone').value.replace(/[^0-9]/g, '');
  if (digits.length < 7) return note('that is not a phone number');
  state.phone = $('phone').value = `+${digits}`;
  localStorage.setItem('phone', state.phone);
  [state.opened, state.chat] = [[], business(state.chat) ? state.chat : null];
  await call('PUT', phonePath(), {});
  await start();
};
$('rename').onsubmit = async event => { event.preventDefault(); await call('PUT', phonePath(), { name: $('name').value }); note('saved'); };
const change = body => call('PATCH', phonePath(), body).then(look);
$('online').onchange = event => change({ online: event.target.checked });
$('registered').onchange = event => change({ registered: event.target.checked });
$('marketing').onchange = event => change({ opted_out: !event.target.checked });
const say = async () => {
  const body = $('words').value.trim();
  if (!body) return;
  $('words').value = '';
  types('paused');
  await write({ type: 'text', text: { body } });
};
$('send').onclick = say;
// Linked accounts see who types, and that it stopped.
function types(doing) {
  if (!state.web || !state.chat || business(state.chat) || types.doing === doing) return;
  types.doing = doing;
  call('POST', phonePath('/typing'), { to: state.chat, state: doing }).catch(() => {});
}
$('words').oninput = () => {
  types($('words').value ? 'composing' : 'paused');
  clearTimeout(types.timer);
  types.timer = setTimeout(() => types('paused'), 5000);
};
$('words').onkeydown = event => { if (event.key === 'Enter' && !event.shiftKey) { event.preventDefault(); say(); } };
for (const [id, sign, action] of [['place', 'pin', () => openPlace(null)], ['vote', 'poll', openPoll], ['dial', 'call', () => dial(false)],
  ['dialvideo', 'video', () => dial(true)]]) {
  $(id).append(icon(sign));
  $(id).onclick = action;
}
for (const [id, action] of [['hangup', hangUp], ['write', openChat], ['found', openGroup], ['link', openLink]]) $(id).onclick = action;
$('attach').append(icon('clip'));
$('attach').onclick = () => $('file').click();
$('file').onchange = () => {
  const file = $('file').files[0];
  if (!file) return;
  const reader = new FileReader();
  reader.onload = async () => {
    const family = file.type.split('/')[0];
    const kind = file.type === 'image/webp' ? 'sticker' : ['image', 'video', 'audio'].includes(family) ? family : 'document';
    const media = { data: reader.result.split(',')[1] || '', mime_type: file.type || 'application/octet-stream' };
    if (kind === 'document') media.filename = file.name;
    const caption = $('words').value.trim();
    if (caption && kind !== 'audio' && kind !== 'sticker') { media.caption = caption; $('words').value = ''; }
    await write({ type: kind, [kind]: media });
    $('file').value = '';
  };
  reader.readAsDataURL(file);
};
document.addEventListener('visibilitychange', markRead);
// Where there is little room, the conversation gets it.
const narrow = matchMedia('(max-width: 44rem)');
const makeRoom = () => { $('who').open = !narrow.matches; };
narrow.onchange = makeRoom;
makeRoom();
start().then(listen).catch(error => note(String(error)));
