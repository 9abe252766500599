// A client of npm's `smpp` at an SMSC: node esme.js PORT. Sends one short and one long message, waits for their receipts and for a
// text from a phone, tells what it got in lines of JSON, and says goodbye.
const smpp = require('smpp');

const tell = (told) => process.stdout.write(JSON.stringify(told) + '\n');
const session = smpp.connect({ url: `smpp://127.0.0.1:${process.argv[2]}` });
const head = { source_addr_ton: 5, source_addr: 'STRANGER', dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '4915550199001', registered_delivery: 1 };
const awaited = new Set();
let text = null;

session.on('deliver_sm', (pdu) => {
  session.send(pdu.response());
  const message = pdu.short_message.message;
  if (pdu.esm_class & smpp.ESM_CLASS.MC_DELIVERY_RECEIPT) {
    tell({ kind: 'receipt', text: String(message), id: pdu.receipted_message_id, state: pdu.message_state });
    awaited.delete(pdu.receipted_message_id);
  } else {
    text = { kind: 'text', from: pdu.source_addr, to: pdu.destination_addr, text: String(message) };
    tell(text);
  }
  leave();
});

function leave() {
  if (text && awaited.size === 0) session.unbind(() => { session.close(); tell({ kind: 'goodbye' }); });
}

function submit(message) {
  session.submit_sm({ ...head, ...message }, (answer) => {
    tell({ kind: 'answer', status: answer.command_status, id: answer.message_id });
  });
}

session.bind_transceiver({ system_id: 'sandbox', password: 'wrong' }, (refused) => {
  tell({ kind: 'bound', status: refused.command_status });
  session.bind_transceiver({ system_id: 'sandbox', password: 'sandbox' }, (bound) => {
    tell({ kind: 'bound', status: bound.command_status });
    submit({ short_message: 'Hello, 5 € [ok]', data_coding: 0 });
    ['Привет ', 'и пока 😀'].forEach((part, index) => {
      submit({ esm_class: 0x40, data_coding: 8, short_message: { udh: Buffer.from([5, 0, 3, 9, 2, index + 1]), message: part } });
    });
    submit({ short_message: 'x'.repeat(161), data_coding: 0 });
  });
});
