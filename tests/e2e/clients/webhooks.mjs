// Verifies and signs with the library of Standard Webhooks: a line of JSON is answered by a line.
// {"secret", "body", "headers"}: whether the signature is good.
// {"secret", "body", "id", "at"}: the signature. `at` is in seconds.
import { createInterface } from "node:readline";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, body, headers, id, at } = JSON.parse(line);
  const webhook = new Webhook(secret);
  const said = headers ? isGood(webhook, body, headers) : webhook.sign(id, new Date(at * 1000), body);
  console.log(JSON.stringify(said));
}

function isGood(webhook, body, headers) {
  try {
    webhook.verify(Buffer.from(body), headers, { jsonParse: false });
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}
