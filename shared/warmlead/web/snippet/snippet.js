/*
 * Warmlead's browser snippet: what a visitor does on a website, sent as Segment-shaped batches.
 *
 * This is the source. `warmlead.js` is built from it with `make snippet`; what it may weigh,
 * 2,047 bytes, is why it says `let` and not `const`, 1 and not `true`, and why some names and
 * conditions are terse.
 *
 * It refuses to hold dependencies, configuration, retries, and anything that could throw into,
 * delay or change the page. It is written for ES2021: browsers since the autumn of 2020.
 */

// It is there already when the snippet was embedded twice: then the first one counts.
if (!self.warmlead) {
  let anonymousId; // none: nothing is sent
  let seenAt; // when the page was first seen; 0 once it has been left
  let page = {}; // the page that is being viewed, as it was when it was first seen

  let doc = document;
  let loc = location;
  let nav = navigator;
  let past = history;
  let script = doc.currentScript;

  // `/track/warmlead.js`, `/warmlead.js` and `/v1/warmlead.js`: `/track/v1/b`, `/v1/b`, `/v1/b`.
  let endpoint = script.src.replace(/(\/v1)?\/[^/]*$/, "/v1/b");

  // 128 random bits, as a UUID has. crypto.randomUUID is missing on plain http origins.
  let newId = () => crypto.getRandomValues(new Uint32Array(4)).join(0);

  // UTM parameters and the click ids of Google, Meta, Microsoft, TikTok, X, LinkedIn, Reddit …
  let parameter = /utm_|cl?k?id|raid|_fat/i;
  let campaign = {};

  // A string is sent as text/plain, so without a preflight. The event's id is made here, once:
  // whatever the browser then repeats is counted once.
  let send = (type, fields) => {
    if (anonymousId)
      try {
        let timestamp = new Date();
        let body = JSON.stringify({
          batch: [
            { type, messageId: newId(), anonymousId, timestamp, context: { page, campaign }, ...fields },
          ],
          writeKey: script.dataset.key,
          sentAt: timestamp,
        });
        nav.sendBeacon?.(endpoint, body) ||
          fetch(endpoint, { method: "POST", body, keepalive: 1 }).catch(newId);
      } catch {}
  };
  let track = (event, properties) => send("track", { event, properties });

  // Once per view, and at the first chance: a hidden page may never be heard of again.
  let leave = () => {
    if (seenAt) track("Page Left", { ...page, seconds: ((new Date() - seenAt) / 1e3) | 0 });
    seenAt = 0;
  };

  // A page is viewed when it is seen: not while it is prerendered or waits in another tab.
  let look = () => {
    // A fragment is no other page, and may hold a token; but `#/…` and `#!…` are a router's.
    let url = loc.href.replace(/#(?![!/]).*/, "");
    if (doc.hidden) leave();
    else if (url != page.url) {
      leave();
      page = { url, path: loc.pathname, title: doc.title, referrer: doc.referrer };
      seenAt = new Date();
      send("page", { properties: page });
    }
  };
  // A router sets the title, and redirects, after it has changed the URL.
  let lookSoon = () => setTimeout(look);

  let click = (event) => {
    let link = event.target.closest("a");
    let kind =
      link.dataset.warmleadKind || /\.(pdf|zip|(doc|xls|ppt)x?)$/i.exec(link.pathname)?.[1];
    // Without a host it is mailto:, tel:, javascript: …; button 2 opens a menu; the second click
    // of a double click has the detail 2, and a press of the key 0.
    if (link.host && (event.button | event.detail) < 2 && (kind || link.host != loc.host))
      track(kind ? "Content Downloaded" : "Outbound Link Clicked", {
        content: link.innerText,
        url: link.href,
        kind,
      });
  };

  let handlers = {
    visibilitychange: look,
    pagehide() {
      leave();
      page = {}; // so that a page which comes back from the back/forward cache is viewed anew
    },
    popstate: lookSoon,
    click,
    auxclick: click, // the middle button
    submit({ target: form }) {
      // Not form.name: a field that is called "name" would stand in its place.
      let attribute = (name) => form.getAttribute(name);
      let event = attribute("data-warmlead");
      let traits = {};
      if (event != null) {
        [...form].map((field) => {
          let { name, value } = field;
          if (
            name &&
            value &&
            // Allowed: chosen boxes; text, textarea, tel, time, email, url, number, date, month,
            // week, search, select. A password that is being shown is of type text.
            (field.checked ||
              /^([teundmw]|se)(?!.*(cc-|card|cv|pass))/i.test(
                field.type + name + field.autocomplete,
              )) &&
            !field.closest("[data-warmlead-ignore]")
          )
            traits[/mail/i.test(field.type + name) && /@/.test(value) ? "email" : name] ??= value;
        });
        // A second click on the button of a single-page site is no second submission; a
        // correction is. After five seconds the same content counts again.
        if (form._ != (form._ = JSON.stringify(traits))) {
          setTimeout(() => (form._ = 0), 5e3);
          send("identify", { traits });
          track(event || "Form Submitted", { form: attribute("name") || attribute("id") });
        }
      }
      form.anonymous_id.value = anonymousId; // throws, without harm, where there is none
    },
  };

  warmlead = send; // of the page: a classic script is not strict

  // Do Not Track and Global Privacy Control: nothing is sent, stored or listened to.
  if (!(nav.doNotTrack > 0 || nav.globalPrivacyControl)) {
    let search = loc.search;
    anonymousId = newId();
    try {
      anonymousId = localStorage._wl ||= anonymousId;
      if (parameter.test(search)) sessionStorage._wl = search;
      else search = sessionStorage._wl;
    } catch {
      try {
        anonymousId = /_wl=([^;]+)/.exec(doc.cookie)?.[1] || anonymousId;
        doc.cookie = `_wl=${anonymousId};path=/;max-age=31536000`;
      } catch {}
    }
    new URLSearchParams(search).forEach(
      (value, name) =>
        parameter.test(name) && (campaign[name] = value),
    );

    // Capturing, so that a page that stops an event does not hide it.
    for (let type in handlers)
      addEventListener(
        type,
        (event) => {
          try {
            handlers[type](event);
          } catch {}
        },
        1,
      );
    ["pushState", "replaceState"].map((name) => {
      let original = past[name];
      past[name] = (...values) => {
        lookSoon(original.apply(past, values));
      };
    });
    look();
  }
}
