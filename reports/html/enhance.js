// The page is complete without this: it opens what a link points at, and everything before printing.
"use strict";
function openAround(element) {
  for (let at = element; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
}
function followHash() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (target) { openAround(target); target.scrollIntoView(); }
}
addEventListener("hashchange", followHash);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(d => { d.open = true; }));
document.querySelectorAll("code.digest").forEach(code => {
  code.addEventListener("click", () => {
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  });
});
followHash();
