// An SMSC made of npm's `smpp`. Tells what it gets in lines of JSON on standard output; each line of JSON on standard input,
// {from, to, text}, is written by a phone. Message ids are hexadecimal at first and decimal in receipts, which come at once,
// in words and without parameters for messages of one part, and with both for others.
const readline = require('readline');
const smpp = require('smpp');

const tell = (told) => process.stdout.write(JSON.stringify(told) + '\n');
let nextId = 0x1234ab;
let bound = null;

const server = smpp.createServer((session) => {
  // npm's server crashes on sockets that are reset unless somebody listens.
  session.on('error', () => {});
  session.on('bind_transceiver', (pdu) => {
    if (pdu.password !== 'sandbox') {
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }));
      return;
    }
    session.send(pdu.response());
    bound = session;
    tell({ kind: 'bound', system_id: pdu.system_id });
  });
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
  });
});

function submitted(session, pdu) {
  const id = nextId++;
  const message = pdu.short_message;
  const udh = message.udh ? message.udh[0] : null;
  const place = udh ? [...udh].slice(-2) : [pdu.sar_total_segments, pdu.sar_segment_seqnum];
  session.send(pdu.response({ message_id: id.toString(16).toUpperCase() }));
  tell({
    kind: 'submitted', from: pdu.source_addr, to: pdu.destination_addr, text: message.message,
    data_coding: pdu.data_coding, registered_delivery: pdu.registered_delivery,
    // the octet that says how long the header is belongs to it
    header: udh ? udh.length + (udh[0] === udh.length ? 0 : 1) : 0, total: place[0], number: place[1],
  });
  const parameters = place[0] ? { receipted_message_id: String(id), message_state: 2 } : {};
  session.deliver_sm({
    source_addr_ton: 1, source_addr_npi: 1, source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr, esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
    short_message: `id:${String(id).padStart(12, '0')} sub:001 dlvrd:001 submit date:2611211200 ` +
      'done date:2611211201 stat:DELIVRD err:000 text:',
    ...parameters,
  });
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { from, to, text } = JSON.parse(line);
  const head = { source_addr_ton: 1, source_addr_npi: 1, source_addr: from, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: to };
  if (/^[\x20-\x7e]*$/.test(text)) {
    bound.deliver_sm({ ...head, short_message: text });
    return;
  }
  const units = Buffer.from(text, 'utf16le').swap16();
  const total = Math.ceil(units.length / 134);
  for (let number = 1; number <= total; number += 1) {
    const part = units.subarray((number - 1) * 134, number * 134);
    const udh = Buffer.from([5, 0, 3, 77, total, number]);
    bound.deliver_sm({ ...head, esm_class: 0x40, data_coding: 8, short_message: { udh, message: part } });
  }
});

server.listen(0, '127.0.0.1', () => tell({ kind: 'listening', port: server.address().port }));
