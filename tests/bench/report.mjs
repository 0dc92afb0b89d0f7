// What the benches share: options of the command line, and tables.

/** `--name N`, or what stands otherwise. */
export const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};

export const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
export const grouped = (number) => Math.round(number).toLocaleString("en");

export function table(head, rows) {
  console.log(`\n| ${head.join(" | ")} |\n|${head.map(() => "---").join("|")}|`);
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
}
