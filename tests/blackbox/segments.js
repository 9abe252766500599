// Reads texts from standard input, each ended by a NUL, and prints a line for each: its encoding and the units of its
// parts, as Twilio's calculator has them.
const { SegmentedMessage } = require('sms-segments-calculator');

const texts = require('fs').readFileSync(0, 'utf8').split('\0').slice(0, -1);
const lines = texts.map((text) => {
  const message = new SegmentedMessage(text);
  const gsm = message.getEncodingName() === 'GSM-7';
  const units = message.segments.map((segment) => segment.messageSizeInBits() / (gsm ? 7 : 16));
  return [gsm ? 'gsm7' : 'ucs2', ...units].join(' ');
});
process.stdout.write(lines.join('\n') + '\n');
