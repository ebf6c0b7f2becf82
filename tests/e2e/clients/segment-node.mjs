// Sends each kind of call, then as many tracks as asked for: node segment-node.mjs HOST WHO COUNT
import { Analytics } from "@segment/analytics-node";

const [host, who, count] = process.argv.slice(2);
const analytics = new Analytics({ writeKey: "local", host, flushInterval: 100 });
const failures = [];
analytics.on("error", (error) => failures.push(error));

const [anonymousId, userId, previousId] = [`${who}-visitor`, `${who}-user`, `${who}-app`];
const name = "Zoë Müller — 東京 🚀";
analytics.page({
  anonymousId,
  name: "Pricing",
  category: "Product",
  properties: { url: "https://example.com/pricing?utm_source=google" },
});
analytics.track({ anonymousId, event: "Content Downloaded", properties: { kind: "ebook", name } });
analytics.identify({
  userId,
  anonymousId,
  traits: {
    email: `${who}@Example.COM`,
    name,
    company: { name: "Ünïcode Works", employees: 120 },
    createdAt: new Date(),
    missing: null,
  },
});
analytics.screen({ userId, name: "Home", category: "App" });
analytics.group({ userId, groupId: "acct-7", traits: { industry: "Software" } });
analytics.track({
  userId,
  event: "Webinar Attended",
  timestamp: new Date(Date.now() - 60 * 24 * 3600 * 1000),
});
analytics.track({ anonymousId: previousId, event: "videoWatched", properties: { percent: 75.5 } });
analytics.alias({ previousId, userId });
for (let i = 0; i < Number(count); i++) {
  analytics.track({ userId, event: `Burst ${i}` });
}

await analytics.closeAndFlush();
if (failures.length > 0) {
  console.error(failures);
  process.exit(1);
}
