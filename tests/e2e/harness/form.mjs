// Just enough HTML to use the form that a page shows.

/** Every form of a page: `{ action, method, fields: Map, buttons: [{ name, value, text }], inputs: [names] }`. */
export function forms(html) {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, head, body]) => {
    const attributes = attributesOf(head);
    const form = { action: attributes.action ?? "", method: (attributes.method ?? "get").toUpperCase(), fields: new Map(), inputs: [], buttons: [] };
    for (const [, tag] of body.matchAll(/<(?:input|textarea|select)\b([^>]*)>/gi)) {
      const input = attributesOf(tag);
      if (input.type === "submit") form.buttons.push({ name: input.name, value: input.value ?? "", text: input.value ?? "" });
      if (!input.name || ["submit", "button", "checkbox", "radio"].includes(input.type)) continue;
      form.inputs.push(input.name);
      form.fields.set(input.name, input.value ?? "");
    }
    for (const [, tag, text] of body.matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/gi)) {
      const button = attributesOf(tag);
      form.buttons.push({ name: button.name, value: button.value ?? "", text: plain(text) });
    }
    return form;
  });
}

/** The text of a page without its tags. */
export function plain(html) {
  return entities(html.replace(/<(style|script)\b[\s\S]*?<\/\1>/gi, " ").replace(/<[^>]*>/g, " ")).replace(/\s+/g, " ").trim();
}

function attributesOf(text) {
  const found = {};
  for (const [, name, double, single, bare] of text.matchAll(/([^\s=/"'>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g)) {
    found[name.toLowerCase()] = entities(double ?? single ?? bare ?? "");
  }
  return found;
}

function entities(text) {
  return text
    .replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(parseInt(code, 16)))
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&nbsp;/g, " ").replace(/&amp;/g, "&");
}
