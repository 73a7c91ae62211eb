// The page is complete without this: it opens what a link points at. What is closed is not printed.
"use strict";
function openAround(element) {
  for (let at = element; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
}
function followHash() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (target) { openAround(target); target.scrollIntoView(); }
}
addEventListener("hashchange", followHash);
document.querySelectorAll("code.digest").forEach(code => {
  code.addEventListener("click", () => {
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  });
});
followHash();
