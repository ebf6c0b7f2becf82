// Runs the code of n8n's Code node ("Run once for all items") with what its documentation gives it:
// $input.all(), this.helpers.getBinaryDataBuffer and require. Reads {"code", "items"}, each item with
// `json` and `data` (base64); prints {"items"} or {"error"}.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const { code, items } = JSON.parse(await text(process.stdin));
const AsyncFunction = (async () => {}).constructor;
const node = {
  helpers: {
    getBinaryDataBuffer: async (index, property) => Buffer.from(items[index][property], "base64"),
  },
};
const $input = { all: () => items.map(({ json }) => ({ json })) };
const run = new AsyncFunction("$input", "require", code);
try {
  console.log(JSON.stringify({ items: await run.call(node, $input, createRequire(import.meta.url)) }));
} catch (error) {
  console.log(JSON.stringify({ error: error.message }));
}
