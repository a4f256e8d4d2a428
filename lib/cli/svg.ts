/** The pieces of every picture: its frame, words and lines. */

/** Colours that stay apart for colour-blind eyes (Okabe and Ito). */
export const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'] as const;

export const INK = '#24292f';
export const GREY = '#6e7781';
export const LINE = '#d8dee4';
const FONT = 'font-family="ui-sans-serif, system-ui, Helvetica, Arial, sans-serif"';

/** A whole picture on white, which is readable on a dark page too. */
export function picture(width: number, height: number, content: string): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
      `width="${width}" height="${height}" ${FONT}>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    content,
    '</svg>',
    '',
  ].join('\n');
}

export interface TextStyle {
  readonly size: number;
  readonly fill?: string;
  readonly weight?: number;
  readonly anchor?: string;
}

/** Words, with what XML would take for its own written as numbers. */
export function text(content: string, x: number, y: number, style: TextStyle): string {
  const { size, fill = INK, weight = 400, anchor = 'start' } = style;
  return (
    `<text x="${round(x)}" y="${round(y)}" font-size="${size}" font-weight="${weight}" ` +
    `fill="${fill}" text-anchor="${anchor}">${escaped(content)}</text>`
  );
}

export function line(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  colour: string,
  width = 1,
): string {
  return (
    `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" ` +
    `stroke="${colour}" stroke-width="${width}"/>`
  );
}

/** To a tenth of a pixel: an eye sees no more, and the file stays small. */
export const round = (value: number) => Number(value.toFixed(1));

const escaped = (content: string) =>
  content.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);
