"use strict";
// Times in the viewer's zone; the title keeps UTC.
{
  const now = new Date();
  const sameYear = new Intl.DateTimeFormat([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const otherYear = new Intl.DateTimeFormat([], { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  const today = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
  for (const each of document.querySelectorAll("time[datetime]")) {
    const at = new Date(each.dateTime);
    each.title = each.textContent;
    if (at.toDateString() === now.toDateString()) each.textContent = "today " + today.format(at);
    else each.textContent = (at.getFullYear() === now.getFullYear() ? sameYear : otherYear).format(at);
  }
}
// The threshold moves without a new page; without this script its form asks for one.
for (const form of document.querySelectorAll("form[data-threshold]")) {
  const slider = form.querySelector("input[type=range]");
  const counts = JSON.parse(form.dataset.counts), width = Number(form.dataset.width), weeks = Number(form.dataset.weeks);
  const show = () => {
    const at = Number(slider.value);
    let kept = 0, all = 0;
    counts.forEach((count, band) => { all += count; if (band * width >= at) kept += count; });
    form.querySelector("[data-at]").textContent = String(at);
    form.querySelector("[data-kept]").textContent = String(Math.round(kept / weeks));
    for (const bar of document.querySelectorAll(form.dataset.threshold + " [data-band]"))
      bar.setAttribute("class", Number(bar.dataset.band) * width >= at ? "in" : "out");
  };
  form.querySelector("button").hidden = true;
  slider.addEventListener("input", show);
}
