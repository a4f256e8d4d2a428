/** Tables, for a terminal and for Markdown. */

export interface Table {
  readonly title: string;
  /** A sentence below the title. */
  readonly note?: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A column is put to the right when everything in it begins like a number. */
function rightColumns({ head, rows }: Table): boolean[] {
  return head.map((_, i) => rows.every((row) => /^([-+<≥≤]? ?[\d.]|–|$)/.test(row[i]!)));
}

export function toText(table: Table): string {
  const { title, note, head, rows } = table;
  const right = rightColumns(table);
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  const lines = all.map((row) =>
    row
      .map((cell, i) => (right[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
  return [title, ...(note ? [note] : []), ...lines].join('\n');
}

export function toMarkdown(table: Table): string {
  const { title, note, head, rows } = table;
  const rule = rightColumns(table).map((right) => (right ? '---:' : '---'));
  const lines = [head, rule, ...rows].map((row) => `| ${row.map(escaped).join(' | ')} |`);
  return [`## ${title}`, '', ...(note ? [note, ''] : []), ...lines].join('\n');
}

const escaped = (cell: string) => cell.replaceAll('|', '\\|');
