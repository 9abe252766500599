// Baileys on a line: every event it has is written to standard output as JSON, every line read is a call of its socket.
//
//   node client.mjs PACKAGE CREDENTIALS URL ROOT      with the packages in $STRANGERS
//
// A line {"call": "sendMessage", "with": […], "to": 1} is answered by {"answer": …, "to": 1} or {"error": "…", "to": 1}. When the
// server asks for a new connection one is made, as every program around Baileys does. ROOT is the key, in hex, that the
// server's Noise certificates are signed with: version 7 checks them against WhatsApp's own unless it is given another.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [name, credentials, url, root] = process.argv.slice(2);
const { resolve } = createRequire(`${process.env.STRANGERS}/`);
const { makeWASocket, useMultiFileAuthState, DisconnectReason, BufferJSON, WA_CERT_DETAILS } = await import(resolve(name));
if (WA_CERT_DETAILS.PUBLIC_KEY) WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(root, 'hex');

// Standard output is for the line alone.
console.log = console.info = console.debug = console.error;
const tell = what => process.stdout.write(`${JSON.stringify(what, BufferJSON.replacer)}\n`);
const logger = { level: 'warn', child: () => logger };
for (const level of ['trace', 'debug', 'info']) logger[level] = () => {};
for (const level of ['warn', 'error', 'fatal']) logger[level] = (...said) => console.error(level, ...said);

const { state, saveCreds } = await useMultiFileAuthState(credentials);
// Version 6 takes history from WhatsApp's own hosts only.
const history = name === 'baileys-6' ? { shouldSyncHistoryMessage: () => false } : {};
let socket;

function connect() {
  socket = makeWASocket({ auth: state, waWebSocketUrl: url, logger, ...history });
  socket.ev.process(async events => {
    if (events['creds.update']) await saveCreds();
    for (const [event, about] of Object.entries(events)) if (event !== 'creds.update') tell({ event, about });
    const end = events['connection.update']?.connection === 'close' && events['connection.update'].lastDisconnect?.error;
    if (end && end.output?.statusCode === DisconnectReason.restartRequired) connect();
  });
}

connect();
for await (const line of createInterface({ input: process.stdin })) {
  const { call, with: given, to } = JSON.parse(line, BufferJSON.reviver);
  Promise.resolve().then(() => socket[call](...given))
    .then(answer => tell({ answer: answer ?? null, to }), error => tell({ error: String(error?.message ?? error), to }));
}
process.exit(0);
