// @getlatedev/node on a line: calls come as JSON on standard input, `[["name", options], …]`; what each came to goes to
// standard output, `[{"data": …} | {"error": …}, …]`.
//
//   node late.mjs URL KEY      with the packages in $STRANGERS
import { createRequire } from 'node:module';

const [baseURL, apiKey] = process.argv.slice(2);
const { default: Late } = createRequire(`${process.env.STRANGERS}/`)('@getlatedev/node');
const { whatsapp, whatsappphonenumbers } = new Late({ apiKey, baseURL });

// A picture of one white pixel.
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==';
const photo = () => new Blob([Buffer.from(PIXEL, 'base64')], { type: 'image/png' });

let input = '';
for await (const chunk of process.stdin) input += chunk;
const answers = [];
for (const [name, options] of JSON.parse(input)) {
  if (options.body?.file === 'photo') options.body.file = photo();
  const call = whatsapp[name] ?? whatsappphonenumbers[name];
  try {
    const { data, error } = await call(options);
    answers.push(error === undefined ? { data } : { error });
  } catch ({ statusCode, message }) {
    answers.push({ error: { statusCode, message } });
  }
}
process.stdout.write(JSON.stringify(answers));
