// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tests/support/chromium.hpp"

// What axe-core would ask of a page, as far as DevTools can tell: axe is in no package of Debian. tests/e2e/axe asks
// the original.
namespace patchlab::testing {

// A list of problems; empty: none. Contrast (WCAG 2.1: 4.5 to 1), order and text of headings, landmarks, ids, what
// labels what, places that scroll (reached by keyboard, and named), tables, lists, words run together, targets, and
// nothing that makes the page wider than the screen.
inline constexpr const char* page_audit = R"js((() => {
  const problems = [];
  const seen = element => element.getClientRects().length > 0;
  const short = element => element.outerHTML.slice(0, 90);
  const luminance = colour => {
    const [r, g, b] = colour.map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const parts = text => text.match(/[\d.]+/g).map(Number);
  const backgrounds = new Map();
  const behind = element => {
    if (!element) return [255, 255, 255];
    if (!backgrounds.has(element)) {
      const colour = parts(getComputedStyle(element).backgroundColor);
      backgrounds.set(element, colour.length === 3 || colour[3] === 1 ? colour.slice(0, 3) : behind(element.parentElement));
    }
    return backgrounds.get(element);
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.nodeValue.trim() || !seen(element) || element.closest('noscript, svg, script')) continue;
    ++texts;
    if (getComputedStyle(element).textTransform !== 'none') problems.push('names are changed: ' + short(element));
    const a = luminance(parts(getComputedStyle(element).color)), b = luminance(behind(element));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) problems.push(`contrast ${ratio.toFixed(2)}: ${walk.currentNode.nodeValue.trim().slice(0, 40)}`);
  }
  if (texts < 2000) {  // a short word that goes on in the next line
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
    while (words.nextNode()) {
      const node = words.currentNode;
      if (!seen(node.parentElement) || node.parentElement.closest('noscript, svg, script, code, pre')) continue;
      for (const word of node.nodeValue.matchAll(/[A-Za-z]{3,16}/g)) {
        const before = node.nodeValue.slice(0, word.index).match(/[^\s-]*$/)[0], after = node.nodeValue.slice(word.index).match(/^[^\s-]*/)[0];
        if (before.length + after.length > 24) continue;  // nothing else can be done about it
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        const tops = new Set([...range.getClientRects()].map(box => Math.round(box.top / 4)));
        const sideways = getComputedStyle(node.parentElement).writingMode !== 'horizontal-tb';
        if (tops.size > 1 && !sideways) problems.push(`a word is broken: ${word[0]} in ${node.nodeValue.slice(0, 60)}`);
      }
    }
  }
  if (texts < 10) problems.push('hardly any text was looked at');
  let level = 0;
  for (const heading of document.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
    if (!seen(heading)) continue;
    const own = Number(heading.tagName[1]);
    if (own > level + 1) problems.push(`heading out of order after h${level}: ${short(heading)}`);
    level = own;
    if (!heading.textContent.trim()) problems.push('heading without text: ' + short(heading));
    for (let part = heading.firstElementChild; part; part = part.nextElementSibling) {
      const before = part.previousSibling, words = part.textContent.trim();
      if (words && before && before.textContent.trim() && !/\s$/.test(before.textContent) && !/^\s/.test(part.textContent))
        problems.push('words run together: ' + heading.textContent);
    }
  }
  for (const tag of ['h1', 'main', 'header', 'footer', 'nav'])
    if (document.querySelectorAll(tag).length !== 1) problems.push('not one ' + tag);
  if (document.documentElement.lang !== 'en') problems.push('no language');
  if (!document.title) problems.push('no title');
  const ids = [...document.querySelectorAll('[id]')].map(element => element.id);
  if (new Set(ids).size !== ids.length) problems.push('an id is there twice');
  for (const element of document.querySelectorAll('[aria-labelledby]'))
    if (!document.getElementById(element.getAttribute('aria-labelledby'))) problems.push('labelled by nothing');
  for (const element of document.querySelectorAll('button, input, select, textarea')) {
    if (!seen(element)) continue;
    if (element.getBoundingClientRect().height < 44) problems.push('too small to touch: ' + short(element));
  }
  for (const element of document.querySelectorAll('nav a, summary')) {
    if (seen(element) && element.getBoundingClientRect().height < 24) problems.push('too small to touch: ' + short(element));
  }
  for (const element of document.querySelectorAll('a[href^="#"]'))
    if (!document.getElementById(element.getAttribute('href').slice(1))) problems.push('leads nowhere: ' + short(element));
  for (const element of document.querySelectorAll('ul, ol'))
    if (![...element.children].every(child => child.tagName === 'LI') || !element.children.length)
      problems.push('no list: ' + short(element));
  for (const element of document.querySelectorAll('table'))
    if (!element.querySelector('th[scope=col]') || element.rows.length < 2) problems.push('no table: ' + short(element));
  for (const element of document.querySelectorAll('body *')) {
    const wide = element.scrollWidth > element.clientWidth + 1, high = element.scrollHeight > element.clientHeight + 1;
    if (!wide && !high) continue;
    const style = getComputedStyle(element);
    const scrolls = (wide && /auto|scroll/.test(style.overflowX)) || (high && /auto|scroll/.test(style.overflowY));
    if (scrolls && element.tabIndex < 0) problems.push('scrolls, and no keyboard comes there: ' + short(element));
  }
  for (const element of document.querySelectorAll('[tabindex]')) {
    if (element.tabIndex > 0) problems.push('order of its own: ' + short(element));
    if (element.tabIndex === 0 && !/^(A|CODE|SUMMARY)$/.test(element.tagName) && !element.getAttribute('role'))
      problems.push('is stopped at, and nobody says what it is: ' + short(element));
  }
  for (const element of document.querySelectorAll('[role=group]'))
    if (!element.getAttribute('aria-label') && !element.getAttribute('aria-labelledby')) problems.push('has no name: ' + short(element));
  // Not innerWidth: a phone makes that as wide as what is on the page.
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) problems.push(`wider than the screen: ${document.documentElement.scrollWidth}`);
  return [...new Set(problems)].slice(0, 20);
})())js";

// What a screen reader has no name for, of all that it stops at or lists.
inline std::vector<std::string> without_a_name(Chromium& chromium) {
  static const std::set<std::string> named{"button", "link",  "textbox", "combobox", "heading",      "navigation",
                                           "region", "image", "img",     "article",  "complementary"};
  std::vector<std::string> nameless;
  const auto tree = chromium.call("Accessibility.getFullAXTree");
  std::size_t controls = 0;
  for (const auto& node : tree["nodes"]) {
    if (node.value("ignored", false) || !node.contains("role")) continue;
    const auto role = node["role"].value("value", "");
    if (!named.contains(role)) continue;
    ++controls;
    if (!node.contains("name") || node["name"].value("value", "").empty()) nameless.push_back(role);
  }
  if (controls <= 3) nameless.emplace_back("hardly anything was looked at");
  return nameless;
}

}  // namespace patchlab::testing
