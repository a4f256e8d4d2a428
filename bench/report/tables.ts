/** The tables of a report. */

import { excess, fastest, LIMIT, speed, typical } from '../figures.ts';
import type { OptimizerName } from '../model.ts';
import { find, type Series, type Setting, SUBJECTS } from '../results.ts';
import { digits, duration, percent } from './numbers.ts';
import type { Table } from './table.ts';

const { stream, divider, flat, arena, separate, clipped, besideTorch } = SUBJECTS;

type All = readonly Series[];

/** Peers by name, in the order of the tables. */
export const PEERS: readonly string[] = [
  'plain JavaScript',
  'gradstep wasm, arena',
  'gradstep wasm, arrays',
  'gradstep/portable',
  'tfjs wasm',
  'tfjs cpu',
  'torch loop',
  'torch foreach',
  'torch fused',
];

/** Every setting in which this subject was measured, in the order of the measuring. */
function settingsOf(all: All, subject: string, where: (one: Series) => boolean): Series[] {
  return all.filter((one) => one.subject === subject && where(one));
}

const SHOWN: Record<OptimizerName, string> = { AdamW: 'AdamW', SGD: 'SGD+momentum' };

export function titleOf({ optimizer, threads }: Omit<Setting, 'work'>): string {
  return `${SHOWN[optimizer]}, ${threads} thread${threads === 1 ? '' : 's'}`;
}

const label = ({ work, optimizer, threads }: Setting) => [work, SHOWN[optimizer], `${threads}`];

const LABELS = ['values', 'optimizer', 'threads'];

/** Nanoseconds per value of the best round. */
export function perValue(all: All, setting: Setting, subject: string): number | undefined {
  const time = fastest(all, setting, subject);
  const values = find(all, setting, subject === LIMIT ? stream : subject)?.values;
  return time === undefined || values === undefined ? undefined : time / values;
}

const isClipped = ({ work }: Series) => work.endsWith('clipped');

export function flatTable(all: All): Table {
  const settings = settingsOf(all, flat, (one) => one.tensors === 1 && !isClipped(one));
  const each = (one: Series, subject: string) => digits(perValue(all, one, subject));
  const rows = settings.map((one) => {
    const share = speed(all, one, flat, LIMIT);
    const pause = typical(all, one, `${flat}, after a pause`);
    return [
      ...label(one),
      each(one, stream),
      each(one, divider),
      each(one, flat),
      percent(share?.ratio),
      percent(share?.best),
      each(one, separate),
      pause === undefined ? digits(pause) : digits(pause / one.values),
    ];
  });
  return {
    title: 'One parameter, against the limits',
    note: 'Nanoseconds per value; the limit is the slower of stream and divider.',
    head: [
      ...LABELS,
      'stream',
      'divider',
      'gradstep',
      'of limit',
      '(best rounds)',
      'ordinary array',
      'after a pause',
    ],
    rows,
  };
}

export function listTable(all: All): Table {
  const settings = settingsOf(all, arena, () => true);
  const rows = settings.map((one) => {
    const times = (subject: string) => {
      const ratio = speed(all, one, subject, flat);
      return digits(ratio && 1 / ratio.ratio, ' ×');
    };
    return [
      ...label(one),
      digits(perValue(all, one, LIMIT)),
      digits(perValue(all, one, flat)),
      times(arena),
      times(separate),
      duration(excess(all, one, arena)),
      duration(excess(all, one, separate)),
    ];
  });
  return {
    title: 'Lists of parameters, against one of the same size',
    note: 'Limit and flat in nanoseconds per value; “beyond” is a step less the limit.',
    head: ['list', ...LABELS.slice(1), 'limit', 'flat', 'arena', 'separate', 'arena beyond'].concat(
      'separate beyond',
    ),
    rows,
  };
}

/** What of gradstep meets the peers: one array each, as they have. */
const contender = (one: Setting & { tensors: number }) => (one.tensors === 1 ? flat : separate);

export function peerTable(all: All): Table {
  const present = PEERS.filter((peer) => all.some(({ subject }) => subject === peer));
  const settings = all.filter(
    (one) =>
      one.subject === contender(one) && present.some((peer) => find(all, one, peer) !== undefined),
  );
  const torch = present.filter((peer) => peer.startsWith('torch'));
  const here = present.filter((peer) => !torch.includes(peer));
  const against = (one: Series, subject: string) => (peer: string) => {
    const times = speed(all, one, subject, peer);
    const own = digits(perValue(all, one, peer));
    return times === undefined ? own : `${own} (${digits(times.ratio)} ×)`;
  };
  const besides = torch.length > 0 ? [besideTorch] : [];
  const rows = settings.map((one) => [
    ...label(one),
    digits(perValue(all, one, one.subject)),
    ...here.map(against(one, one.subject)),
    ...besides.map((subject) => digits(perValue(all, one, subject))),
    ...torch.map(against(one, besideTorch)),
  ]);
  return {
    title: 'Against others',
    note:
      'Nanoseconds per value, and in brackets how many times as fast gradstep is. tfjs has no ' +
      'AdamW: it runs Adam. torch runs under Python, in a process of its own, burst by burst in ' +
      'turn with gradstep: both are slower then, and have a column for it.',
    head: ['values', ...LABELS.slice(1), 'gradstep', ...here, ...besides, ...torch],
    rows,
  };
}

export function costTable(all: All): Table {
  const rows = [
    ...addingRows(all),
    ...stepAllRows(all),
    ...clippingRows(all),
    ...denormalRows(all),
  ];
  return { title: 'What else costs', head: ['what', 'figure'], rows };
}

function addingRows(all: All): string[][] {
  return [arena, separate].flatMap((layout) =>
    settingsOf(all, `adding, ${layout}`, () => true).map((one) => {
      const best = duration(fastest(all, one, one.subject));
      return [`adding ${one.work} (${layout})`, `${best}, the best of several times`];
    }),
  );
}

function stepAllRows(all: All): string[][] {
  return settingsOf(all, 'stepAll', () => true).map((one) => {
    const ratio = speed(all, one, 'stepAll', 'step() of each');
    const time = duration(fastest(all, one, 'stepAll'));
    return [
      `stepAll of ${one.work}, ${titleOf(one)}`,
      `${time}, ${digits(ratio?.ratio, ' ×')} as fast as a step() of each`,
    ];
  });
}

function clippingRows(all: All): string[][] {
  return settingsOf(all, flat, isClipped).map((one) => {
    const ratio = speed(all, one, clipped, flat);
    return [
      `maxGradNorm at ${one.work.replace(', clipped', '')}, ${titleOf(one)}`,
      `${digits(ratio && 1 / ratio.ratio, ' ×')} a step without`,
    ];
  });
}

function denormalRows(all: All): string[][] {
  const { usual, subnormal, flushed } = SUBJECTS;
  return settingsOf(all, subnormal, () => true).map((one) => {
    const times = (subject: string) => {
      const ratio = speed(all, one, subject, usual);
      return digits(ratio && 1 / ratio.ratio, ' ×');
    };
    return [
      `subnormal state at ${one.work}, ${titleOf(one)}`,
      `${times(subnormal)} a usual step; ${times(flushed)} with flushDenormals`,
    ];
  });
}
