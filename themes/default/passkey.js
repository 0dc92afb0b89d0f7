// Asks the browser for a passkey and posts its answer with the form that asked.
// A page works without it: passkeys are then not offered.
"use strict";
(() => {
  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (c) => c.charCodeAt(0));
  };
  const text = (buffer) => {
    let plain = "";
    for (const byte of new Uint8Array(buffer)) plain += String.fromCharCode(byte);
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };

  const wanted = (json) => {
    const options = JSON.parse(json).publicKey;
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    for (const list of ["allowCredentials", "excludeCredentials"]) {
      options[list] = (options[list] || []).map((each) => ({ ...each, id: bytes(each.id) }));
    }
    return options;
  };

  const told = (credential) => {
    const response = credential.response;
    const answer = { clientDataJSON: text(response.clientDataJSON) };
    if (response.attestationObject) {
      answer.attestationObject = text(response.attestationObject);
      if (response.getTransports) answer.transports = response.getTransports();
    } else {
      answer.authenticatorData = text(response.authenticatorData);
      answer.signature = text(response.signature);
      if (response.userHandle) answer.userHandle = text(response.userHandle);
    }
    return JSON.stringify({
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      extensions: {},
      response: answer,
    });
  };

  const send = (form, credential) => {
    form.querySelector("[name=answer]").value = told(credential);
    for (const field of form.elements) field.required = false;
    form.submit();
  };

  const say = (form, which) => {
    for (const line of form.querySelectorAll("[data-say]")) line.hidden = line.dataset.say !== which;
  };

  const busy = (button, is) => {
    button.disabled = is;
    button.setAttribute("aria-busy", String(is));
  };

  // A button asks, by the person's own hand.
  const byButton = (form, button) => {
    button.hidden = false;
    button.addEventListener("click", async (event) => {
      event.preventDefault();
      busy(button, true);
      say(form, "wait");
      const publicKey = wanted(button.dataset.options);
      const make = button.dataset.passkey === "make";
      try {
        const credential = make
          ? await navigator.credentials.create({ publicKey })
          : await navigator.credentials.get({ publicKey });
        send(form, credential);
      } catch (error) {
        busy(button, false);
        say(form, error.name === "InvalidStateError" ? "known" : "failed");
      }
    });
  };

  // The field of the name offers passkeys among what else it remembers.
  const byField = async (form, field) => {
    const able = PublicKeyCredential.isConditionalMediationAvailable;
    if (!able || !(await able.call(PublicKeyCredential))) return;
    const stop = new AbortController();
    form.addEventListener("submit", () => stop.abort());
    try {
      const publicKey = wanted(field.dataset.options);
      const mediation = "conditional";
      send(form, await navigator.credentials.get({ publicKey, mediation, signal: stop.signal }));
    } catch {
      // Nobody chose one: the form is there as before.
    }
  };

  if (!window.PublicKeyCredential) {
    for (const form of document.forms) say(form, "unable");
    return;
  }
  for (const button of document.querySelectorAll("button[data-passkey]")) {
    byButton(button.form, button);
  }
  for (const field of document.querySelectorAll("input[data-passkey=offer]")) {
    byField(field.form, field);
  }
})();
