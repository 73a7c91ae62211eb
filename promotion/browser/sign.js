// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Signs a statement with a security key, so that stock ssh-keygen verifies it: OpenSSH PROTOCOL.sshsig and PROTOCOL.u2f,
// "webauthn-sk-ecdsa-sha2-nistp256@openssh.com". The key and the browser do the cryptography; here is only packing.

const keyType = "sk-ecdsa-sha2-nistp256@openssh.com";
const signatureType = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com";
const touched = 0x01, verified = 0x04, copied = 0x10, attested = 0x40;

// --- packing (RFC 4251 section 5)
const bytesOf = text => new TextEncoder().encode(text);
function joined(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}
function number(value) {
  const four = new Uint8Array(4);
  new DataView(four.buffer).setUint32(0, value);
  return four;
}
function string(value) {
  const bytes = typeof value === "string" ? bytesOf(value) : value;
  return joined(number(bytes.length), bytes);
}
function base64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
const fromBase64 = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));

// The strings that a public key consists of: type, curve, point, application.
function stringsIn(blob) {
  const strings = [];
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  for (let at = 0; at < blob.length;) {
    const length = view.getUint32(at);
    if (at + 4 + length > blob.length) throw new Error("a public key in the list of signers is cut off");
    strings.push(blob.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return strings;
}

// SEQUENCE { INTEGER r, INTEGER s } (RFC 3279 section 2.2.3); of P-256 every length is one byte.
function integersIn(der) {
  const integers = [];
  if (der[0] !== 0x30 || der[1] !== der.length - 2) throw new Error("the key's signature is none of ECDSA");
  for (let at = 2; at < der.length;) {
    if (der[at] !== 0x02 || at + 2 + der[at + 1] > der.length) throw new Error("the key's signature is none of ECDSA");
    integers.push(der.slice(at + 2, at + 2 + der[at + 1]));
    at += 2 + der[at + 1];
  }
  if (integers.length !== 2) throw new Error("the key's signature is none of ECDSA");
  return integers;
}
// As WebCrypto wants it: 32 bytes, without the leading zero of DER.
function fixed(integer) {
  const significant = integer.slice(Math.max(0, integer.length - 32));
  return joined(new Uint8Array(32 - significant.length), significant);
}

// --- the key
// Which of somebody's keys made it: a security key does not say.
async function keyThatSigned(keys, signedBytes, [r, s]) {
  for (const line of keys) {
    const blob = fromBase64(line.split(" ")[1]);
    const key = await crypto.subtle.importKey("raw", stringsIn(blob)[2], {name: "ECDSA", namedCurve: "P-256"}, false, ["verify"]);
    if (await crypto.subtle.verify({name: "ECDSA", hash: "SHA-256"}, key, joined(fixed(r), fixed(s)), signedBytes)) return blob;
  }
  throw new Error("this security key is not the one that the list of signers has for you; nothing was sent");
}

async function sshSignature(statement, namespace, keys) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", bytesOf(statement)));
  const what = [string(namespace), string(""), string("sha512")];
  const assertion = await navigator.credentials.get({publicKey: {
    challenge: joined(bytesOf("SSHSIG"), ...what, string(digest)),
    rpId: location.hostname, userVerification: "required", allowCredentials: [], timeout: 120000,
  }});
  const seen = new Uint8Array(assertion.response.authenticatorData);
  const client = new Uint8Array(assertion.response.clientDataJSON);
  const integers = integersIn(new Uint8Array(assertion.response.signature));
  const flags = seen[32];
  if (!(flags & touched) || !(flags & verified)) throw new Error("the security key did not make sure that you are there");
  if (flags & attested) throw new Error("the security key added what ssh-keygen does not take");
  const signedBytes = joined(seen, new Uint8Array(await crypto.subtle.digest("SHA-256", client)));
  const key = await keyThatSigned(keys, signedBytes, integers);
  const made = joined(string(signatureType), string(joined(string(integers[0]), string(integers[1]))), seen.slice(32, 33),
                      seen.slice(33, 37), string(location.origin), string(client), string(seen.slice(37)));
  const blob = joined(bytesOf("SSHSIG"), number(1), string(key), ...what, string(made));
  return "-----BEGIN SSH SIGNATURE-----\n" + base64(blob).replace(/.{1,70}/g, "$&\n") + "-----END SSH SIGNATURE-----\n";
}

async function newKey(name) {
  const made = await navigator.credentials.create({publicKey: {
    challenge: crypto.getRandomValues(new Uint8Array(32)),
    rp: {id: location.hostname, name: "patchlab desk"},
    user: {id: crypto.getRandomValues(new Uint8Array(16)), name, displayName: name},
    pubKeyCredParams: [{type: "public-key", alg: -7}],
    // Kept on the key itself: then it signs in whatever browser, and nobody else has to know its credential.
    authenticatorSelection: {residentKey: "required", requireResidentKey: true, userVerification: "required", authenticatorAttachment: "cross-platform"},
    hints: ["security-key"], attestation: "none", timeout: 120000,
  }});
  const info = new Uint8Array(made.response.getPublicKey());  // SubjectPublicKeyInfo; of P-256 it ends with the point
  if (info.length !== 91 || info[26] !== 0x04) throw new Error("the key made no P-256 key; ssh-keygen takes no other here");
  const blob = joined(string(keyType), string("nistp256"), string(info.slice(26)), string(location.hostname));
  const flags = new Uint8Array(made.response.getAuthenticatorData())[32];
  return {line: `${keyType} ${base64(blob)} ${name}`, isCopied: (flags & copied) !== 0};
}

// --- the pages
const byId = id => document.getElementById(id);
function answer(text, css = "") {
  byId("answer").className = css;
  byId("answer").textContent = text;
}
// What the desk said no to, or did not say.
class Unanswered extends Error {}
function trouble(error) {
  if (error instanceof Unanswered) return answer(error.message, "bad");
  const why = error.name === "NotAllowedError" ? "the security key was not used: no touch in time, or it has no key for this page"
                                               : error.message;
  answer("Nothing was signed: " + why, "bad");
}
async function ask(path, question) {
  let reply, said;
  try {
    reply = await fetch(path, {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(question)});
    said = await reply.json();
  } catch {
    throw new Unanswered("The desk gave no answer. Load the page again to see whether something was added to the ledger.");
  }
  if (!reply.ok) throw new Unanswered(`Refused, nothing was added to the ledger. ${said.code}: ${said.text}`);
  return said;
}
// Buttons are out of use while something is under way.
async function busily(form, work) {
  const buttons = [...form.querySelectorAll("button")];
  buttons.forEach(button => { button.disabled = true; });
  try { await work(); } catch (error) { trouble(error); } finally { buttons.forEach(button => { button.disabled = false; }); }
}

// What comes back must be what was asked for: else nobody is asked to sign it.
function differs(statement, form, question) {
  const {subject, predicate} = JSON.parse(statement);
  const page = form.dataset;
  return subject.length !== 1 || subject[0].name !== page.department || subject[0].digest.sha256 !== page.set ||
    predicate.kind !== question.kind || predicate.by !== question.by || predicate.reason !== question.reason ||
    predicate.run !== page.record || predicate.policy !== page.policy;
}

function decidingOn(form) {
  let draft = null;
  const show = reading => { byId("choose").hidden = reading; byId("read").hidden = !reading; };
  for (const button of form.querySelectorAll("button[data-kind]")) {
    button.addEventListener("click", () => busily(form, async () => {
      byId("reason").value = byId("reason").value.trim().replace(/\s+/g, " ");
      if (!form.reportValidity()) return;
      const question = {run: form.dataset.run, department: form.dataset.department, kind: button.dataset.kind,
                        by: byId("by").value, reason: byId("reason").value};
      draft = await ask("/draft", question);
      if (differs(draft.statement, form, question)) throw new Error("something changed since this page was loaded; load it again");
      answer("");
      byId("statement").textContent = draft.statement;
      byId("sign").textContent = question.kind === "approve" ? "Sign the approval with your security key" : "Sign the rejection with your security key";
      show(true);
      byId("signed-title").focus();
    }));
  }
  byId("back").addEventListener("click", () => { show(false); answer(""); byId("reason").focus(); });
  byId("sign").addEventListener("click", () => busily(form, async () => {
    answer("Touch your security key.");
    const signature = await sshSignature(draft.statement, draft.namespace, draft.keys);
    const said = await ask("/decision", {run: form.dataset.run, department: form.dataset.department,
                                         statement: draft.statement, signature});
    form.hidden = true;
    answer(said.text + " Load the page again to see what is missing now.", "good");
  }));
  form.addEventListener("submit", event => event.preventDefault());
}

function enrollingWith(form) {
  form.addEventListener("submit", event => {
    event.preventDefault();
    busily(form, async () => {
      const name = byId("name").value.trim();
      if (!/^[a-z0-9][a-z0-9._+-]*(@[a-z0-9._+-]+)?$/.test(name)) throw new Error("a name has a-z, 0-9 and . _ + - around at most one '@'");
      answer("Touch your security key.");
      const {line, isCopied} = await newKey(name);
      byId("line").textContent = line;
      byId("made").hidden = false;
      answer(isCopied ? "Registered. Careful: this passkey is kept in an account and can be on several devices; it is no security key."
                      : "Registered. Now step 2.", isCopied ? "bad" : "good");
    });
  });
}

const deciding = byId("decide"), enrolling = byId("enrol");
for (const form of [deciding, enrolling]) {
  if (!form) continue;
  form.hidden = false;
  if (!navigator.credentials || !window.PublicKeyCredential) answer("This browser offers no security keys to this page. It must be opened by its name, and with TLS unless that is localhost.", "bad");
}
if (deciding) decidingOn(deciding);
if (enrolling) enrollingWith(enrolling);
