/**
 * Patterns over the dotted names of parameters, as shells have them over paths: `*` and `?` stay
 * within one part of a name, `**` stands for any number of parts, `{a,b}` for either.
 */

import { describe } from '../support/describe.ts';
import { GradstepError } from '../support/errors.ts';

const SPECIAL = /[\\^$.*+?()[\]{}|/]/;

/**
 * The regular expression of a pattern, which a whole name has to match.
 * @throws {GradstepError} `ERR_INVALID_ARGUMENT` for an empty pattern, a brace without its other,
 * or a `**` that is not a whole part.
 */
export function globToRegExp(glob: string): RegExp {
  if (glob === '') throw badGlob(glob, 'it is empty');
  let source = '';
  let depth = 0;
  for (let at = 0; at < glob.length; ) {
    const taken = glob.startsWith('**', at) ? parts(glob, at) : one(glob[at]!, depth);
    at += taken.length;
    depth += taken.depth;
    if (depth < 0) throw badGlob(glob, "a '}' has no '{' before it");
    source += taken.source;
  }
  if (depth > 0) throw badGlob(glob, "a '{' has no '}' after it");
  return new RegExp(`^${source}$`, 'su');
}

interface Taken {
  /** How many characters of the pattern. */
  readonly length: number;
  readonly source: string;
  /** How many braces more are open after it. */
  readonly depth: number;
}

function one(char: string, depth: number): Taken {
  const taken = (source: string, opened = 0): Taken => ({ length: 1, source, depth: opened });
  switch (char) {
    case '*':
      return taken('[^.]*');
    case '?':
      return taken('[^.]');
    case '{':
      return taken('(?:', 1);
    case '}':
      return taken(')', -1);
    case ',':
      return taken(depth > 0 ? '|' : ',');
    default:
      return taken(SPECIAL.test(char) ? `\\${char}` : char);
  }
}

/** `**` with the dot after it, so that `**.bias` is also the name `bias` alone. */
function parts(glob: string, at: number): Taken {
  const [before, after] = [glob[at - 1] ?? '', glob[at + 2] ?? ''];
  if (!['', '.', '{', ','].includes(before) || !['', '.', '}', ','].includes(after)) {
    throw badGlob(glob, "'**' has to stand alone between dots");
  }
  const dot = after === '.';
  return { length: dot ? 3 : 2, source: dot ? '(?:.*\\.)?' : '.*', depth: 0 };
}

function badGlob(glob: string, reason: string): GradstepError {
  return new GradstepError('ERR_INVALID_ARGUMENT', `Bad pattern ${describe(glob)}: ${reason}`);
}
